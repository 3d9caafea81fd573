import type { Logger } from '@hookmq/api'
import type { HookHost } from '@hookmq/api/testing'
import { HookEngine } from '../hooks/index.ts'
import { hookHost } from './hook-host.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

/** Chains of their own with the policy layer around providers, for `hookProviderSuite`. */
export function createHookHost(): HookHost {
  return hookHost(new HookEngine({ log: silent, timeout: 0, queueLimit: 1000, queueDrop: 'oldest' }))
}
