import { keyValueStoreSuite } from '@hookmq/api/testing'
import { MemoryStore } from './key-value-store.ts'

keyValueStoreSuite('memory', async () => new MemoryStore())
