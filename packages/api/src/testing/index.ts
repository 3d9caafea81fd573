export * from './fixtures.ts'
export type * from './hook-provider-harness.ts'
export { hookProviderSuite } from './hook-provider-suite.ts'
export { type CreateRetainedStore, retainedStoreSuite } from './retained-store-suite.ts'
