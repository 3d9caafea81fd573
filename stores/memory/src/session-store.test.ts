import { sessionStoreSuite } from '@hookmq/api/testing'
import { MemorySessionStore } from './session-store.ts'

sessionStoreSuite('memory', async () => {
  const store = new MemorySessionStore()
  return { store, reopen: async () => store.reopened() }
})
