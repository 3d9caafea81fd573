import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { type ClientMessage, type CreateBrokerOptions, createBroker, type HookmqBroker, ReasonCode } from 'hookmq'

async function start(scope: TestContext, options?: CreateBrokerOptions): Promise<HookmqBroker> {
  const broker = await createBroker(options)
  await broker.start()
  scope.after(() => broker.stop(500))
  return broker
}

const text = ({ topic, payload, qos }: ClientMessage): string => `${topic} ${Buffer.from(payload)} ${qos}`

for (const protocolVersion of [3, 4, 5] as const) {
  test(`version ${protocolVersion}: connect, subscribe, publish at each QoS, unsubscribe, close`, async (scope) => {
    const broker = await start(scope)
    const client = broker.link({ clientId: 'a', protocolVersion })
    assert.equal((await client.connect()).sessionPresent, false)
    const got: string[] = []
    const all = Promise.withResolvers<void>()
    await client.subscribe('t/+', (message) => void (got.push(text(message)) === 3 && all.resolve()), { qos: 2 })
    for (const qos of [0, 1, 2] as const) await client.publish(`t/${qos}`, `p${qos}`, { qos })
    await all.promise
    assert.deepEqual(got, ['t/0 p0 0', 't/1 p1 1', 't/2 p2 2'])
    await client.unsubscribe('t/+')
    assert.equal(await broker.publish({ topic: 't/x' }), 0)
    assert.equal(broker.client('a')?.protocolVersion, protocolVersion)
    await client.close()
    assert.deepEqual(await client.ended, { reason: 'closed' })
    assert.equal(broker.client('a'), undefined)
  })
}

test('hooks and rules see it as any client, with socket type link', async (scope) => {
  const broker = await start(scope)
  const seen: unknown[] = []
  broker.hook('client.authenticate', ({ client }) => {
    seen.push([client.username, Buffer.from(client.password ?? '').toString()])
    if (client.username !== 'ann') return { stop: { result: 'deny', reasonCode: ReasonCode.BadUserNameOrPassword } }
  })
  broker.hook('client.connected', ({ connInfo }) => void seen.push([connInfo.socketType, connInfo.listener]))
  broker.hook('client.authorize', ({ topic }) => {
    if (topic === 'secret') return { stop: { result: 'deny', from: 'test' } }
  })
  broker.hook('message.publish', (_, message) => ({ ok: { ...message, payload: Buffer.from('changed') } }))
  await assert.rejects(broker.link({ username: 'bob', password: 'b' }).connect(), {
    code: 'CONNECT_REFUSED',
    reasonCode: ReasonCode.BadUserNameOrPassword,
  })
  const client = broker.link({ username: 'ann', password: 'a' })
  await client.connect()
  assert.deepEqual(seen, [
    ['bob', 'b'],
    ['ann', 'a'],
    ['link', 'link:internal'],
  ])
  await assert.rejects(client.publish('secret', '', { qos: 2 }), { reasonCode: ReasonCode.NotAuthorized })
  await assert.rejects(client.subscribe('secret'), { reasonCode: ReasonCode.NotAuthorized })
  const got = Promise.withResolvers<string>()
  await client.subscribe('a', (message) => got.resolve(text(message)))
  await client.publish('a', 'original')
  assert.equal(await got.promise, 'a changed 0')
})

test('each message reaches the callback of its own subscription, also where filters overlap', async (scope) => {
  const broker = await start(scope)
  const client = broker.link()
  await client.connect()
  const got: string[] = []
  const last = Promise.withResolvers<void>()
  await client.subscribe('a/#', (message) => void got.push(`wide ${message.topic}`))
  await client.subscribe('a/b', (message) => void got.push(`narrow ${message.topic}`))
  await client.subscribe('$share/g/c/+', (message) => {
    got.push(`shared ${message.topic}`)
    last.resolve()
  })
  await broker.publish({ topic: 'a/b' })
  await broker.publish({ topic: 'a/c' })
  await broker.publish({ topic: 'c/d' })
  await last.promise
  assert.deepEqual(got.sort(), ['narrow a/b', 'shared c/d', 'wide a/b', 'wide a/c'])
})

test('the will goes out when the client dies, or says 0x04; not when it leaves', async (scope) => {
  const broker = await start(scope)
  const wills: string[] = []
  broker.subscribe('will/#', ({ topic }) => void wills.push(topic))
  const gone = (): Promise<void> =>
    new Promise((resolve) => {
      const handle = broker.hook('client.disconnected', () => {
        handle.remove()
        resolve()
      })
    })
  for (const how of ['leaves', 'dies', 'asks']) {
    const client = broker.link({ will: { topic: `will/${how}`, payload: 'x' } })
    await client.connect()
    const told = gone()
    if (how === 'leaves') await client.close()
    else if (how === 'dies') client.destroy()
    else await client.close(ReasonCode.DisconnectWithWillMessage)
    await told
  }
  assert.deepEqual(wills, ['will/dies', 'will/asks'])
})

test('a resumed session goes to the general receiver', async (scope) => {
  const broker = await start(scope)
  const options = { clientId: 'kept', cleanStart: false, properties: { sessionExpiryInterval: 60 } }
  const first = broker.link(options)
  await first.connect()
  await first.subscribe('a', undefined, { qos: 1 })
  await first.close()
  await broker.publish({ topic: 'a', payload: 'while away', qos: 1 })
  const got = Promise.withResolvers<string>()
  const second = broker.link({ ...options, receive: (message) => got.resolve(text(message)) })
  assert.equal((await second.connect()).sessionPresent, true)
  assert.equal(await got.promise, 'a while away 1')
})

test('a second client of the same id takes over; the first hears why', async (scope) => {
  const broker = await start(scope)
  const first = broker.link({ clientId: 'same' })
  await first.connect()
  await broker.link({ clientId: 'same' }).connect()
  assert.equal((await first.ended).reasonCode, ReasonCode.SessionTakenOver)
  await assert.rejects(first.publish('a'), { code: 'CONNECTION_LOST' })
  await assert.rejects(first.publish('a', '', { qos: 1 }), { code: 'CONNECTION_LOST' })
  await assert.rejects(first.subscribe('a'), { code: 'CONNECTION_LOST' })
})

test('more messages than the receive maximum wait for their turn', async (scope) => {
  const broker = await start(scope, { receiveMaximum: 3 })
  const client = broker.link()
  assert.equal((await client.connect()).properties.receiveMaximum, 3)
  let inFlight = 0
  let most = 0
  broker.hook('message.publish', async () => {
    most = Math.max(most, ++inFlight)
    await turn()
    inFlight--
  })
  await Promise.all(Array.from({ length: 50 }, (_, index) => client.publish('a', String(index), { qos: 2 })))
  assert.equal(most, 3)
  assert.equal(broker.metrics()['messages.received'], 50)
})

test('requests that wait are refused when the connection goes', async (scope) => {
  const broker = await start(scope)
  broker.hook('message.publish', () => new Promise(() => {}), { timeout: 60_000 })
  const client = broker.link()
  await client.connect()
  const waiting = client.publish('a', '', { qos: 1 })
  client.destroy()
  await assert.rejects(waiting, { code: 'CONNECTION_LOST' })
})

test('a large payload and a paused connection lose nothing', async (scope) => {
  const broker = await start(scope, { hookWindow: 1 })
  const client = broker.link()
  await client.connect()
  broker.hook('message.publish', async () => {
    await turn()
  })
  const sizes: number[] = []
  broker.subscribe('#', ({ payload }) => void sizes.push(payload.length))
  const expected = [0, 1, 70_000, 900_000, 3]
  await Promise.all(expected.map((size) => client.publish('a', Buffer.alloc(size), { qos: 1 })))
  assert.deepEqual(sizes, expected)
})
