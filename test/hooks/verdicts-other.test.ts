import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FoldPointName, HookOptions } from '@hookmq/api'
import { verdictTable, type Wire } from '@hookmq/core/reference'
import { payloads, propertiesOf, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import type { RawClient, Version } from '../support/raw-client.ts'
import { currentVersions, testVersions, versionName } from '../support/versions.ts'

function cell(point: FoldPointName, verdict: string, version: Version): Wire {
  const row = verdictTable[point].find((candidate) => candidate.verdict === verdict)
  assert.ok(row, `${point} has no row "${verdict}"`)
  return (version === 5 ? row.wire.v5 : row.wire.v3) as Wire
}

const returnCodes: Record<number, number> = { 133: 2, 134: 4, 135: 5, 136: 3, 138: 5, 151: 3, 132: 1, 128: 1 }

/** CONNECT is answered as the cell says. */
async function expectConnack(client: RawClient, wire: Wire, given: number): Promise<void> {
  assert.equal(wire.packet, 'connack')
  const code = wire.code === 'given' ? given : Number(wire.code)
  await client.expect('connack', client.version === 5 ? { reasonCode: code } : { returnCode: returnCodes[code] })
  assert.equal(wire.close, true)
  await client.expectClose()
}

async function attempt(t: TestContext, version: Version, prepare: (broker: TestBroker) => void) {
  const broker = await startBroker(t)
  prepare(broker)
  const client = await broker.open(version)
  client.sendConnect({ clientId: 'c', username: 'u', password: Buffer.from('p') })
  return { broker, client }
}

for (const given of [0x85, 0x86, 0x87, 0x88, 0x8a, 0x97]) {
  testVersions(currentVersions, `client.connect: reject 0x${given.toString(16)}`, async (t, version) => {
    const { client } = await attempt(t, version, (broker) => broker.hook('client.connect', () => ({ reject: given })))
    await expectConnack(client, cell('client.connect', '{ reject: code }', version), given)
  })
  testVersions(currentVersions, `client.authenticate: deny 0x${given.toString(16)}`, async (t, version) => {
    const verdict = "{ stop: { result: 'deny', reasonCode } }, { reject: code }"
    for (const answer of [{ stop: { result: 'deny', reasonCode: given } }, { reject: given }] as const) {
      const { client } = await attempt(t, version, (broker) =>
        broker.hook('client.authenticate', () => answer, { priority: 1000 }),
      )
      await expectConnack(client, cell('client.authenticate', verdict, version), given)
    }
  })
  testVersions(currentVersions, `client.post_authn: reject 0x${given.toString(16)}`, async (t, version) => {
    const { broker, client } = await attempt(t, version, (with_) =>
      with_.hook('client.post_authn', async () => ({ reject: given })),
    )
    await expectConnack(client, cell('client.post_authn', '{ reject: code }', version), given)
    assert.equal(broker.recorder.count('session.created'), 0)
  })
}

const failures: [title: string, handler: () => never | Promise<never>, options: HookOptions][] = [
  [
    'throws',
    () => {
      throw new Error('broken on purpose')
    },
    {},
  ],
  ['rejects', () => Promise.reject(new Error('broken on purpose')), {}],
  ['never answers', () => new Promise<never>(() => {}), { timeout: 20 }],
]

for (const [title, handler, options] of failures) {
  testVersions(currentVersions, `client.authenticate: a hook that ${title} refuses by default`, async (t, version) => {
    const { client } = await attempt(t, version, (broker) =>
      broker.hook('client.authenticate', handler, { priority: 1000, ...options }),
    )
    await expectConnack(client, cell('client.authenticate', 'failure, failedAction deny', version), 0)
  })

  testVersions(currentVersions, `client.authenticate: a hook that ${title} may be ignored`, async (t, version) => {
    const { client } = await attempt(t, version, (broker) =>
      broker.hook('client.authenticate', handler, { priority: 1000, failedAction: 'ignore', ...options }),
    )
    await client.expect('connack', version === 5 ? { reasonCode: 0 } : { returnCode: 0 })
  })

  for (const point of ['client.connect', 'client.post_authn', 'client.connack'] as const) {
    testVersions(currentVersions, `${point}: a hook that ${title} is ignored`, async (t, version) => {
      const { client } = await attempt(t, version, (broker) => broker.hook(point, handler, options))
      await client.expect('connack', version === 5 ? { reasonCode: 0 } : { returnCode: 0 })
      await client.settle()
    })
  }

  for (const point of ['client.subscribe', 'client.unsubscribe', 'message.puback', 'message.delivered'] as const) {
    testVersions(currentVersions, `${point}: a hook that ${title} is ignored`, async (t, version) => {
      const broker = await startBroker(t)
      broker.hook(point, handler, options)
      const client = await broker.connect({ version })
      assert.deepEqual(await subscribe(client, 'a', { qos: 1 }), [1])
      const publisher = await broker.connect({ version })
      await publishThrough(publisher, 'a', 'x', { qos: 1 })
      await client.expect('publish', { payload: 'x' })
      client.send({ cmd: 'unsubscribe', messageId: 100, unsubscriptions: ['a'] })
      await client.expect('unsuback')
    })
  }

  test(`a notification that ${title} changes nothing`, async (t) => {
    const broker = await startBroker(t)
    for (const point of ['client.connected', 'session.created', 'session.subscribed', 'message.acked'] as const) {
      broker.hook(point, handler, options)
    }
    const client = await broker.connect()
    assert.deepEqual(await subscribe(client, 'a', { qos: 1 }), [1])
    publish(client, 'a', 'x', { qos: 1 })
    await client.settle()
  })
}

for (const point of ['client.subscribe', 'client.unsubscribe'] as const) {
  testVersions(currentVersions, `${point}: disconnect`, async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    await subscribe(client, 'before')
    broker.hook(point, () => ({ disconnect: 0x98 }))
    if (point === 'client.subscribe') {
      client.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: 'a', qos: 0 }] })
    } else client.send({ cmd: 'unsubscribe', messageId: 9, unsubscriptions: ['before'] })
    const wire = cell(point, '{ disconnect: code }', version)
    assert.equal(wire.close, true)
    await client.expectDisconnect(0x98)
    assert.equal(broker.recorder.count('session.unsubscribed'), 0)
    assert.equal(broker.recorder.count('session.subscribed'), 1)
  })
}

testVersions(currentVersions, 'client.authorize: subscribe denied, ignore and disconnect', async (t, version) => {
  for (const aclDenyAction of ['ignore', 'disconnect'] as const) {
    const wire = cell('client.authorize', `result 'deny', subscribe, acl_deny_action ${aclDenyAction}`, version)
    const broker = await startBroker(t, { aclDenyAction })
    broker.hook('client.authorize', () => ({ stop: { result: 'deny' as const, from: 'test' } }))
    const client = await broker.connect({ version })
    client.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: 'a', qos: 1 }] })
    if (wire.packet === 'suback') await client.expect('suback', { messageId: 9, granted: [wire.code] })
    else await client.expectDisconnect(Number(wire.code))
  }
})

testVersions(currentVersions, 'message.delivered: drop and change are for one subscriber only', async (t, version) => {
  const broker = await startBroker(t)
  broker.hook('message.delivered', ({ client }, message) => {
    if (client.clientId === 'none') return { drop: true }
    if (client.clientId === 'other') return { ok: { ...message, payload: Buffer.from('for you') } }
    return undefined
  })
  const clients: RawClient[] = []
  for (const clientId of ['plain', 'none', 'other']) {
    const client = await broker.connect({ version, clientId })
    await subscribe(client, 'a', { qos: 1 })
    clients.push(client)
  }
  const publisher = await broker.connect({ version })
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  assert.deepEqual(payloads(await clients[0].settle()), ['x'])
  assert.deepEqual(payloads(await clients[1].settle()), [])
  assert.deepEqual(payloads(await clients[2].settle()), ['for you'])
  assert.deepEqual(
    broker.recorder.of('delivery.dropped').map(({ args }) => args.reason),
    ['hook'],
  )
})

test('message.puback: another code', async (t) => {
  const broker = await startBroker(t)
  broker.hook('message.puback', () => ({ ok: 0x99 }))
  const client = await broker.connect()
  publish(client, 'a', 'x', { qos: 1 })
  await client.expect('puback', { reasonCode: 0x99 })
  publish(client, 'a', 'x', { qos: 2 })
  await client.expect('pubrec', { reasonCode: 0x10 })
})

test('client.connack: the properties that are sent', async (t) => {
  const broker = await startBroker(t)
  broker.hook('client.connack', (_, properties) => ({ ok: { ...properties, reasonString: 'welcome' } }))
  const client = await broker.connect()
  assert.equal(propertiesOf(client.connack).reasonString, 'welcome')
})

test('a hook that is removed and a plugin owner that is removed no longer run', async (t) => {
  const broker = await startBroker(t)
  let calls = 0
  const handle = broker.hook('message.publish', () => void calls++)
  const client = await broker.connect()
  publish(client, 'a', 'x')
  await client.settle()
  handle.remove()
  publish(client, 'a', 'x')
  await client.settle()
  assert.equal(calls, 1)
})

test(`the table speaks of ${versionName(5)} and of older versions on every point`, () => {
  for (const [point, rows] of Object.entries(verdictTable)) {
    for (const { wire, verdict } of rows) assert.ok(wire.v3 && wire.v5, `${point}: ${verdict}`)
  }
})
