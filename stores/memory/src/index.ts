export { MemoryKeyValueStore, MemoryStore } from './key-value-store.ts'
export { MemoryRetainedStore } from './retained-store.ts'
