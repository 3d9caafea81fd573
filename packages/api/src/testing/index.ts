export { type CreateRetainedStore, retainedStoreSuite } from './retained-store-suite.ts'
