import type { PluginContext } from '@hookmq/api'
import type { ApiKeys } from '../access/api-keys.ts'
import type { Bans } from '../banned/bans.ts'
import { bannedEndpoints } from '../banned/endpoints.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { monitorEndpoints } from '../monitor/endpoints.ts'
import { traceEndpoints } from '../trace/endpoints.ts'
import { type AccountParts, accountEndpoints } from './accounts.ts'
import { apiKeyEndpoints } from './api-keys.ts'
import { clientEndpoints } from './clients.ts'
import { nodeEndpoints } from './node.ts'
import { operationEndpoints } from './operations.ts'
import { prometheusEndpoint } from './prometheus.ts'
import { publishEndpoints } from './publish.ts'
import { subscriptionEndpoints } from './subscriptions.ts'

export { statusText } from './node.ts'

export interface EndpointParts extends AccountParts {
  readonly ctx: PluginContext
  readonly bans: Bans
  readonly keys: ApiKeys
  readonly ownNames: readonly string[]
  readonly prometheusAuth: boolean
}

/** The endpoints of this plugin; other plugins add theirs. */
export function ownEndpoints(parts: EndpointParts): Endpoint[] {
  const { ctx, bans, keys, ownNames, prometheusAuth } = parts
  const { admin } = ctx
  return [
    ...accountEndpoints(parts),
    ...apiKeyEndpoints(keys),
    ...clientEndpoints(admin),
    ...subscriptionEndpoints(admin),
    ...publishEndpoints(admin),
    ...nodeEndpoints(admin),
    ...operationEndpoints(admin, ownNames),
    ...bannedEndpoints(bans, ctx),
    ...monitorEndpoints(ctx),
    ...traceEndpoints(ctx),
    prometheusEndpoint(admin, prometheusAuth),
  ]
}
