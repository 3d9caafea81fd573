import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTcpListener } from '@hookmq/listener-tcp'
import { payloads, publish, publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { startBroker, type TestBroker, type TestScope } from '../support/broker.ts'
import { type ConnectSettings, RawClient } from '../support/raw-client.ts'
import { currentVersions, testVersions } from '../support/versions.ts'

/** A second listener whose clients live below a prefix. */
async function mount(scope: TestScope, { broker }: TestBroker, mountpoint: string) {
  const listener = createTcpListener({ name: 'mounted', address: '127.0.0.1:0', mountpoint })
  await listener.start(broker)
  const clients: RawClient[] = []
  scope.after(async () => {
    for (const client of clients) client.socket.destroy()
    await listener.stop()
  })
  const port = Number(listener.address.slice(listener.address.lastIndexOf(':') + 1))
  const open = async (version?: 3 | 4 | 5): Promise<RawClient> => {
    const client = await RawClient.open(port, version)
    clients.push(client)
    return client
  }
  return {
    open,
    connect: async (settings: ConnectSettings = {}) => {
      const client = await open(settings.version)
      client.sendConnect(settings)
      await client.expect('connack')
      return client
    },
  }
}

testVersions(
  currentVersions,
  'a client sees its topics without the prefix, others see them with it',
  async (t, version) => {
    const broker = await startBroker(t)
    const { connect } = await mount(t, broker, 'site/%c/%u/')
    const inside = await connect({ version, clientId: 'c$&', username: 'u' })
    const outside = await broker.connect({ version })
    await subscribe(inside, ['a', '$share/g/b'], { qos: 1 })
    await subscribe(outside, 'site/#', { qos: 1 })
    publish(inside, 'a', 'from inside')
    await inside.expect('publish', { topic: 'a', payload: 'from inside' })
    await outside.expect('publish', { topic: 'site/c$&/u/a', payload: 'from inside' })
    await publishThrough(outside, 'a', 'elsewhere')
    publish(outside, 'site/c$&/u/b', 'from outside')
    await outside.expect('publish', { topic: 'site/c$&/u/b' })
    await inside.expect('publish', { topic: 'b', payload: 'from outside' })
    await unsubscribe(inside, 'a')
    await publishThrough(outside, 'site/c$&/u/a', 'not any more')
    await inside.expectNothing()
  },
)

test('a will, a retained message and access control know the prefix, too', async (t) => {
  const broker = await startBroker(t, { aclCache: false })
  const asked: string[] = []
  broker.hook('client.authorize', ({ client, topic }) => {
    if (client.listener === 'tcp:mounted') asked.push(topic)
  })
  const { connect } = await mount(t, broker, 'm/')
  const outside = await broker.connect()
  await subscribe(outside, 'm/#', { retainAsPublished: true })
  const inside = await connect({ will: { topic: 'w', payload: Buffer.from('gone'), qos: 0, retain: false } })
  publish(inside, 'r', 'kept', { retain: true })
  await outside.expect('publish', { topic: 'm/r', retain: true })
  await subscribe(inside, '#')
  await inside.expect('publish', { topic: 'r', payload: 'kept', retain: true })
  inside.destroy()
  await outside.expect('publish', { topic: 'm/w', payload: 'gone' })
  assert.deepEqual(asked, ['r', '#', 'w'])
})

for (const name of ['+', 'a/#', '\u{7f}/+/x']) {
  test(`a client whose name would make a wildcard of its prefix is refused: ${JSON.stringify(name)}`, async (t) => {
    const broker = await startBroker(t)
    const { open } = await mount(t, broker, 'user/%u/')
    const client = await open()
    client.sendConnect({ username: name })
    await client.expect('connack', { reasonCode: 0x87 })
    await client.expectClose()
    assert.equal(broker.broker.sessions.size, 0)
  })
}

test('a topic that is too long only with its prefix is refused, and nobody else is harmed', async (t) => {
  const broker = await startBroker(t)
  const { connect } = await mount(t, broker, `${'m'.repeat(1000)}/`)
  const outside = await broker.connect()
  await subscribe(outside, '#')
  const inside = await connect()
  publish(inside, 'x'.repeat(65_000), 'x')
  await inside.expectDisconnect(0x90)
  const subscriber = await connect()
  subscriber.send({
    cmd: 'subscribe',
    messageId: 1,
    subscriptions: [{ topic: 'x'.repeat(65_000), qos: 0 }],
  })
  await subscriber.expectDisconnect(0x8f)
  const publisher = await broker.connect()
  publish(publisher, 'a', 'fine')
  assert.deepEqual(payloads(await outside.settle()).slice(-1), ['fine'])
})

test('a subscription at the limit can be made again', async (t) => {
  const broker = await startBroker(t, { maxSubscriptions: 1 })
  const { connect } = await mount(t, broker, 'm/')
  const client = await connect()
  assert.deepEqual(await subscribe(client, 'a'), [0])
  assert.deepEqual(await subscribe(client, 'b'), [0x97])
  assert.deepEqual(await subscribe(client, 'a', { qos: 1 }), [1])
})
