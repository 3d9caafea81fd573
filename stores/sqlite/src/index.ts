export type { Durability } from './engine.ts'
export { StoreError, type StoreErrorCode } from './errors.ts'
export { backupStore, checkStore, compactStore } from './maintenance.ts'
export { SqliteStore, type SqliteStoreOptions, type StoreStats } from './sqlite-store.ts'
