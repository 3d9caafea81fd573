import assert from 'node:assert/strict'
import { test } from 'node:test'
import { subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'
import { httpOf } from './http.ts'
import { idAt, startTwo } from './support.ts'

const kept = { clean: false, properties: { sessionExpiryInterval: 300 } }

test('ctx.broker.kick says of clients of every worker whether they were there, when it has happened', async (t) => {
  const { brokers, connect, recorder } = await startBroker(t, {}, { workers: 2 })
  for (const [at, broker] of brokers.entries()) {
    for (const worker of [1, 2] as const) {
      const clientId = idAt(worker)
      const client = await connect({ clientId, ...kept })
      assert.equal(await broker.link.kick(clientId), true, `worker ${at + 1} kicks a client of worker ${worker}`)
      assert.ok(brokers.every(({ sessions }) => !sessions.has(clientId)))
      assert.ok(recorder.count('session.terminated') > 0)
      await client.expectDisconnect(0x98)
      assert.equal(await broker.link.kick(clientId), false, 'once more')
      const sleeper = await connect({ clientId, ...kept })
      await sleeper.disconnect()
      assert.equal(await broker.link.kick(clientId), true, 'a session without connection')
      assert.equal((await connect({ clientId, ...kept })).connack?.sessionPresent, false)
    }
  }
})

test('a kick for a worker that is away is refused; who does not look at the answer is not harmed', async (t) => {
  const { brokers } = await startBroker(t, {}, { workers: 2 })
  const [one, two] = brokers
  await two.stop()
  await until(() => one.peers?.members.every(({ connected }) => !connected) === true, 'the other worker to be gone')
  await assert.rejects(one.link.kick(idAt(2)), /worker2 is not there/)
  void one.link.kick(idAt(2))
  assert.equal(await one.link.kick(idAt(1)), false)
})

test('the command line and HTTP kick clients of both workers, and say so when they are not there', async (t) => {
  const broker = await startTwo(t)
  const call = await httpOf(broker)
  for (const worker of [1, 2] as const) {
    const ids = [idAt(worker), idAt(worker), idAt(worker)]
    const clients: RawClient[] = []
    for (const clientId of ids) {
      const client = await RawClient.connect(broker.port, { clientId })
      await subscribe(client, 'a')
      clients.push(client)
    }
    const kick = async (id: string): Promise<unknown> =>
      (JSON.parse(await broker.ctl('--json', 'clients', 'kick', id)) as { kicked?: boolean }).kicked
    assert.equal(await kick(ids[0]), true)
    assert.equal(await kick(ids[0]), false)
    assert.equal((await call('DELETE', `/clients/${ids[1]}`)).status, 204)
    assert.equal((await call('DELETE', `/clients/${ids[1]}`)).status, 404)
    assert.equal((await call('POST', '/clients/kickout/bulk', [ids[2], ids[0]])).status, 204)
    assert.equal((await call('GET', `/clients/${ids[2]}`)).status, 404)
    for (const client of clients) await client.expectDisconnect(0x98)
  }
})
