export { MemoryRetainedStore } from './retained-store.ts'
