export { MemoryKeyValueStore, MemoryStore } from './key-value-store.ts'
export { MemoryRetainedStore } from './retained-store.ts'
export { MemorySessionStore } from './session-store.ts'
