import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import { hex } from '../support/hex.ts'
import type { ConnectSettings, RawClient, Version } from '../support/raw-client.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'

const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0 as const, retain: false }
const willLines = ['client.authorize publish w', 'message.publish w', 'message.dropped w no_subscribers']

interface Ending {
  title: string
  act(client: RawClient, broker: TestBroker): unknown
  lines(): string[]
  /** Reason code of the DISCONNECT that an MQTT 5 client gets. */
  code?: number
  only?: Version
}

const endings: Ending[] = [
  {
    title: 'DISCONNECT 0x00 discards the will',
    act: (client) => client.disconnect(),
    lines: () => ['>DISCONNECT', 'session.disconnected', 'client.disconnected normal'],
  },
  {
    title: 'DISCONNECT 0x04',
    only: 5,
    act: (client) => client.disconnect(4),
    lines: () => [
      '>DISCONNECT',
      'session.disconnected',
      ...willLines,
      'client.disconnected disconnect_with_will_message',
    ],
  },
  {
    title: 'DISCONNECT with another reason',
    only: 5,
    act: (client) => client.disconnect(0x97),
    lines: () => ['>DISCONNECT', 'session.disconnected', ...willLines, 'client.disconnected quota_exceeded'],
  },
  {
    title: 'the socket is lost',
    act: (client) => client.socket.end(),
    lines: () => ['session.disconnected', ...willLines, 'client.disconnected tcp_closed'],
  },
  {
    title: 'a malformed packet',
    act: (client) => client.send(hex('00 00')),
    lines: () => ['session.disconnected', ...willLines, 'client.disconnected malformed_packet'],
    code: 0x81,
  },
  {
    title: 'a protocol error',
    act: (client) => client.sendConnect({ clientId: 'second' }),
    lines: () => ['session.disconnected', ...willLines, 'client.disconnected protocol_error'],
    code: 0x82,
  },
]

function reasonOf(lines: readonly string[]): string {
  return lines.at(-1)?.split(' ')[1] ?? ''
}

for (const { title, act, lines, code, only } of endings) {
  const versions = currentVersions.filter((version) => only === undefined || version === only)
  testVersions(versions, `${title}, the session ends with the connection`, async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version, clientId: 'c', will })
    broker.recorder.clear()
    act(client, broker)
    await until(() => broker.recorder.count('session.terminated') === 1, 'session.terminated')
    if (code !== undefined) await client.expectDisconnect(code)
    const expected = lines()
    assert.deepEqual(
      broker.recorder.lines({ client: 'c' }).filter((line) => line !== '>CONNECT' && line !== '<DISCONNECT'),
      [...expected, `session.terminated ${reasonOf(expected)}`],
    )
  })

  testVersions(versions, `${title}, the session waits`, async (t, version) => {
    const broker = await startBroker(t)
    const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
    const client = await broker.connect({ version, clientId: 'c', clean: false, will, ...keep })
    broker.recorder.clear()
    act(client, broker)
    await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
    await until(() => client.closed, 'the end')
    assert.deepEqual(
      broker.recorder.lines({ client: 'c' }).filter((line) => line !== '>CONNECT' && line !== '<DISCONNECT'),
      lines(),
    )
  })
}

testVersions(currentVersions, 'keep alive', async (t, version) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const client = await broker.connect({ version, clientId: 'c', keepalive: 10, will })
  broker.recorder.clear()
  clock.advance(20_000)
  await client.expectDisconnect(0x8d)
  assert.deepEqual(broker.recorder.lines({ wire: false }), [
    'session.disconnected',
    ...willLines,
    'client.disconnected keepalive_timeout',
    'session.terminated keepalive_timeout',
  ])
})

testVersions(currentVersions, 'kicked', async (t, version) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version, clientId: 'c', will })
  broker.recorder.clear()
  broker.home('c').link.kick('c')
  await client.expectDisconnect(0x98)
  assert.deepEqual(
    broker.recorder.lines().filter((line) => line !== 'session.disconnected'),
    [
      ...willLines,
      'client.disconnected kicked',
      ...(version === 5 ? ['<DISCONNECT'] : []),
      'session.terminated kicked',
    ],
  )
})

const durable: ConnectSettings = { clientId: 'c', clean: false, properties: { sessionExpiryInterval: 10 } }

test('kick of a session that waits', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect(durable)
  await client.disconnect()
  broker.recorder.clear()
  broker.home('c').link.kick('c')
  assert.deepEqual(broker.recorder.lines(), ['session.terminated kicked'])
})

test('DISCONNECT that sets the expiry to 0 ends the session without session.terminated', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect(durable)
  broker.recorder.clear()
  await client.disconnect(0, { sessionExpiryInterval: 0 })
  assert.deepEqual(broker.recorder.lines(), ['>DISCONNECT', 'session.disconnected', 'client.disconnected normal'])
})

test('a waiting session expires', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const client = await broker.connect(durable)
  await client.disconnect()
  broker.recorder.clear()
  clock.advance(12_000)
  assert.deepEqual(broker.recorder.lines(), ['session.terminated expired'])
})

test('a delayed will goes out before the end of its session', async (t) => {
  const clock = new ManualClock()
  const broker = await startBroker(t, {}, { clock })
  const client = await broker.connect({ ...durable, will: { ...will, properties: { willDelayInterval: 60 } } })
  client.socket.end()
  await until(() => broker.recorder.count('client.disconnected') === 1, 'client.disconnected')
  broker.recorder.clear()
  clock.advance(12_000)
  assert.deepEqual(broker.recorder.lines(), [...willLines, 'session.terminated expired'])
})

testVersions(currentVersions, 'the broker stops', async (t, version) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version, clientId: 'c' })
  broker.recorder.clear()
  void broker.shutDown()
  await client.expectDisconnect(0x8b)
  assert.deepEqual(broker.recorder.lines({ wire: false }), [
    'session.disconnected',
    'client.disconnected server_shutting_down',
    'session.terminated server_shutting_down',
  ])
})

test('each session has one start and one end, each connection one connected and one disconnected', async (t) => {
  const broker = await startBroker(t)
  for (let round = 0; round < 3; round++) {
    const clean = await broker.connect({ clientId: 'clean' })
    await clean.disconnect()
    await broker.connect({ ...durable, clientId: 'taken' })
    await broker.connect({ ...durable, clientId: 'taken', clean: round === 1 })
  }
  await broker.stop()
  const { recorder } = broker
  const sum = (...points: Parameters<typeof recorder.count>[0][]) =>
    points.reduce((total, point) => total + recorder.count(point), 0)
  assert.equal(sum('client.connected'), sum('client.disconnected'))
  assert.equal(
    sum('session.created', 'session.resumed'),
    sum('session.terminated', 'session.discarded', 'session.takenover') + 1,
    'the last one waits for its client',
  )
})
