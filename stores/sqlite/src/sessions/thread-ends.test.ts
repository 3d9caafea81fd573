import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { databaseFile, openStore } from '../folder.testing.ts'

const dying = new URL('../dying-thread.testing.ts', import.meta.url)

for (const when of ['before', 'after'] as const) {
  test(`a thread that ends ${when} it writes a batch: the batch is written once`, async (t) => {
    const file = databaseFile(t)
    const { sessions } = await openStore(t, { file, thread: dying })
    sessions.putSession(1, 'c', undefined, new Uint8Array(1))
    await sessions.settled()
    writeFileSync(join(dirname(file), 'die'), `${when} 5`)
    const body = new Uint8Array(1000)
    for (let sequence = 1; sequence <= 10; sequence++) {
      for (const session of [1, 2])
        sessions.append(session, {
          sequence: sequence * 2 + session,
          packetId: 0,
          released: false,
          qos: 1,
          retain: false,
          subscriptionIdentifiers: undefined,
          share: undefined,
          body,
        })
      if (sequence === 5) await sessions.settled()
    }
    await sessions.settled()
    assert.equal((await sessions.readSession(1))?.queued, 10)
    assert.equal((await sessions.readQueue(2, 0, 100, 1e6)).deliveries.length, 10)
    assert.equal(sessions.problem, undefined)
  })
}
