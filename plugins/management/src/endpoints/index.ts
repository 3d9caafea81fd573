import type { BrokerAdmin } from '@hookmq/api'
import type { ApiKeys } from '../access/api-keys.ts'
import type { Endpoint } from '../http/endpoint.ts'
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
  readonly admin: BrokerAdmin
  readonly keys: ApiKeys
  readonly ownNames: readonly string[]
  readonly prometheusAuth: boolean
}

/** The endpoints of this plugin; other plugins add theirs. */
export function ownEndpoints(parts: EndpointParts): Endpoint[] {
  const { admin, keys, ownNames, prometheusAuth } = parts
  return [
    ...accountEndpoints(parts),
    ...apiKeyEndpoints(keys),
    ...clientEndpoints(admin),
    ...subscriptionEndpoints(admin),
    ...publishEndpoints(admin),
    ...nodeEndpoints(admin),
    ...operationEndpoints(admin, ownNames),
    prometheusEndpoint(admin, prometheusAuth),
  ]
}
