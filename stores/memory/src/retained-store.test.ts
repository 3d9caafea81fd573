import { retainedStoreSuite } from '@hookmq/api/testing'
import { MemoryRetainedStore } from './retained-store.ts'

retainedStoreSuite('memory', (options) => new MemoryRetainedStore(options))
