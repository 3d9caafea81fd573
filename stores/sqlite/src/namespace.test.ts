import { keyValueStoreSuite } from '@hookmq/api/testing'
import { openStore } from './folder.testing.ts'

for (const durability of ['fsync', 'os', 'none'] as const) {
  keyValueStoreSuite(`sqlite, ${durability}`, (scope) => openStore(scope, { durability }))
}

// So small that every walk and every group is cut into many.
keyValueStoreSuite('sqlite, batches of 3', (scope) => openStore(scope, { durability: 'none', batchOperations: 3 }))
