import { sessionStoreSuite } from '@hookmq/api/testing'
import { databaseFile, openStore } from '../folder.testing.ts'

sessionStoreSuite('sqlite', async (scope) => {
  const file = databaseFile(scope)
  const store = await openStore(scope, { file })
  return {
    store: store.sessions,
    async reopen() {
      await store.close(0)
      return (await openStore(scope, { file })).sessions
    },
  }
})
