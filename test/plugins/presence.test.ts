import assert from 'node:assert/strict'
import { test } from 'node:test'
import presence from '@hookmq/plugin-presence'
import { subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import type { RawClient, Received } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'
import { loadPlugin } from './load.ts'

/** As the EMQ 2.0 plugin document has it. */
const documented = `## Enable presence module
## Values: on | off
module.presence = on

module.presence.qos = 0
`

const now = Date.UTC(2026, 0, 1)

/** A client that sees all presence messages but its own. */
async function watch(broker: TestBroker, qos: 0 | 1 | 2 = 2): Promise<RawClient> {
  const watcher = await broker.connect({ clientId: 'watcher' })
  await subscribe(watcher, '$SYS/brokers/+/clients/#', { qos })
  return watcher
}

function read(received: Received): { event: string; payload: Record<string, unknown> } {
  const topic = String(received.topic)
  assert.ok(topic.startsWith('$SYS/brokers/hookmq@127.0.0.1/clients/'), topic)
  return { event: topic.split('/').slice(4).join('/'), payload: JSON.parse(String(received.payload)) }
}

test('4.x: what is said when a client comes and goes', async (t) => {
  const broker = await startBroker(t, {}, { clock: new ManualClock() })
  await loadPlugin(broker, presence)
  const watcher = await watch(broker)
  const client = await broker.connect({ clientId: 'dev', username: 'ann', version: 4, clean: false, keepalive: 60 })
  const connected = await watcher.expect('publish', { retain: false, qos: 0 })
  assert.deepEqual(read(connected), {
    event: 'dev/connected',
    payload: {
      clientid: 'dev',
      username: 'ann',
      ipaddress: '127.0.0.1',
      sockport: broker.port,
      proto_name: 'MQTT',
      proto_ver: 4,
      connected_at: now,
      ts: now,
      connack: 0,
      keepalive: 60,
      clean_start: false,
      expiry_interval: 7200,
    },
  })
  client.send({ cmd: 'disconnect' })
  assert.deepEqual(read(await watcher.expect('publish')), {
    event: 'dev/disconnected',
    payload: {
      clientid: 'dev',
      username: 'ann',
      ipaddress: '127.0.0.1',
      sockport: broker.port,
      proto_name: 'MQTT',
      proto_ver: 4,
      connected_at: now,
      ts: now,
      reason: 'normal',
      disconnected_at: now,
    },
  })
})

test('2.x: the short payload, seconds, session true for a session that stays', async (t) => {
  const broker = await startBroker(t, {}, { clock: new ManualClock() })
  await loadPlugin(broker, presence, 'module.presence.format = 2.x\n')
  const watcher = await watch(broker)
  const client = await broker.connect({ clientId: 'dev', version: 3, clean: false })
  assert.deepEqual(read(await watcher.expect('publish')), {
    event: 'dev/connected',
    payload: {
      clientid: 'dev',
      username: 'undefined',
      ipaddress: '127.0.0.1',
      session: true,
      protocol: 3,
      connack: 0,
      ts: now / 1000,
    },
  })
  client.socket.end()
  assert.deepEqual(read(await watcher.expect('publish')), {
    event: 'dev/disconnected',
    payload: { clientid: 'dev', reason: 'closed', ts: now / 1000 },
  })
})

const endings: readonly [
  what: string,
  end: (broker: TestBroker, client: RawClient) => unknown,
  in2: string,
  in4: string,
][] = [
  ['DISCONNECT', (_broker, client) => client.send({ cmd: 'disconnect' }), 'normal', 'normal'],
  ['a closed socket', (_broker, client) => client.socket.end(), 'closed', 'tcp_closed'],
  ['a kick', (broker) => broker.broker.admin.kick('dev'), 'kick', 'kicked'],
  [
    'bytes that are no packet',
    (_broker, client) => client.send(Buffer.from([0, 0])),
    'parser_error',
    'malformed_packet',
  ],
  [
    'a new connection, session kept',
    (broker) => broker.connect({ clientId: 'dev', clean: false, properties: { sessionExpiryInterval: 9 } }),
    'takeovered',
    'takeovered',
  ],
  ['a new connection, session thrown away', (broker) => broker.connect({ clientId: 'dev' }), 'discarded', 'discarded'],
]
for (const [what, end, in2, in4] of endings) {
  for (const [format, reason] of [
    ['2.x', in2],
    ['4.x', in4],
  ]) {
    test(`${format}: the reason for ${what} is ${reason}`, async (t) => {
      const broker = await startBroker(t)
      await loadPlugin(broker, presence, `module.presence.format = ${format}\n`)
      const watcher = await watch(broker)
      const client = await broker.connect({ clientId: 'dev', clean: false, properties: { sessionExpiryInterval: 9 } })
      await watcher.expect('publish')
      await end(broker, client)
      for (;;) {
        const { event, payload } = read(await watcher.expect('publish'))
        if (event === 'dev/connected') continue
        assert.equal(payload.reason, reason)
        break
      }
    })
  }
}

test('a silent client: keepalive_timeout', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  await loadPlugin(broker, presence, 'module.presence.format = 2.x\n')
  const watcher = await watch(broker)
  await broker.connect({ clientId: 'dev', keepalive: 1 })
  await watcher.expect('publish')
  clock.advance(2000)
  assert.equal(read(await watcher.expect('publish')).payload.reason, 'keepalive_timeout')
})

for (const [version, code] of [
  [4, 4],
  [5, 4],
] as const) {
  test(`2.x: a refused client is announced with its code, and as gone (MQTT ${version})`, async (t) => {
    const broker = await startBroker(t)
    broker.hook('client.authenticate', ({ client }) =>
      client.username === 'wrong' ? { stop: { result: 'deny', reasonCode: 0x86 } } : undefined,
    )
    await loadPlugin(broker, presence, 'module.presence.format = 2.x\n')
    const watcher = await watch(broker)
    const client = await broker.open(version)
    client.sendConnect({ clientId: 'dev', username: 'wrong', password: Buffer.from('x') })
    await client.expect('connack')
    const { event, payload } = read(await watcher.expect('publish'))
    assert.equal(event, 'dev/connected')
    assert.equal(payload.connack, code)
    const gone = read(await watcher.expect('publish'))
    assert.equal(gone.event, 'dev/disconnected')
    assert.equal(gone.payload.reason, 'auth_failure')
  })
}

test('4.x: a refused client is not announced', async (t) => {
  const broker = await startBroker(t)
  broker.hook('client.authenticate', ({ client }) =>
    client.username === 'wrong' ? { stop: { result: 'deny', reasonCode: 0x86 } } : undefined,
  )
  await loadPlugin(broker, presence)
  const watcher = await watch(broker)
  const refused = await broker.open()
  refused.sendConnect({ clientId: 'refused', username: 'wrong' })
  await refused.expect('connack')
  await broker.connect({ clientId: 'next' })
  assert.equal(read(await watcher.expect('publish')).event, 'next/connected')
})

test('the messages have the QoS of the key, are not retained, and are not counted as messages', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, presence, 'module.presence.qos = 1\n')
  const watcher = await watch(broker)
  const before = broker.broker.admin.metrics()
  await broker.connect({ clientId: 'dev' })
  const received = await watcher.expect('publish', { qos: 1, retain: false })
  watcher.send({ cmd: 'puback', messageId: Number(received.messageId) })
  await watcher.settle()
  const after = broker.broker.admin.metrics()
  assert.equal(after['messages.sent'], before['messages.sent'])
  assert.equal(after['messages.dropped'], before['messages.dropped'])
  assert.equal(broker.broker.admin.retained.count, 0)
})

test('access control does not stop the messages', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, presence)
  const watcher = await watch(broker)
  broker.hook('client.authorize', () => ({ stop: { result: 'deny', from: 'test' } }))
  await broker.connect({ clientId: 'dev' })
  assert.equal(read(await watcher.expect('publish')).event, 'dev/connected')
})

test('a client id with wildcards cannot be announced; it is counted and the client lives', async (t) => {
  const broker = await startBroker(t)
  await loadPlugin(broker, presence)
  const watcher = await watch(broker)
  await broker.connect({ clientId: 'a/#' })
  await broker.connect({ clientId: 'a/b' })
  assert.equal(read(await watcher.expect('publish')).event, 'a/b/connected')
  assert.equal(broker.broker.admin.metrics()['plugins.presence.unannounced'], 1)
})

test('the file of the EMQ 2.0 document loads as written; off says nothing; unloaded says nothing', async (t) => {
  const broker = await startBroker(t)
  assert.deepEqual((await loadPlugin(broker, presence, documented)).warnings, [])
  const watcher = await watch(broker)
  await broker.connect({ clientId: 'one' })
  assert.equal(
    (await watcher.expect('publish', { qos: 0 })).topic,
    '$SYS/brokers/hookmq@127.0.0.1/clients/one/connected',
  )
  await broker.broker.plugins.unload('presence')
  await loadPlugin(broker, presence, documented.replace('= on', '= off'))
  await broker.connect({ clientId: 'two' })
  await broker.broker.plugins.unload('presence')
  await broker.connect({ clientId: 'three' })
  await until(() => broker.broker.link.client('three') !== undefined, 'the last client')
  assert.deepEqual(await watcher.settle(), [])
})

test('a wrong value names key and what was expected', async (t) => {
  const broker = await startBroker(t)
  await assert.rejects(
    async () => loadPlugin(broker, presence, 'module.presence.qos = 3\n'),
    /module\.presence\.qos: expected an integer from 0 to 2, got "?3/,
  )
})
