import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { HookOptions } from '@hookmq/api'
import { type VerdictRow, verdictTable, type Wire } from '@hookmq/core/reference'
import type { QoS } from 'mqtt-packet'
import { payloads, publish, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import type { RawClient, Version } from '../support/raw-client.ts'
import { allVersions, versionName } from '../support/versions.ts'
import { turns, until } from '../support/wait.ts'

/** How a test brings each row of the table about. `given` is the code where the table says so. */
interface Means {
  given?: number
  options?: Parameters<typeof startBroker>[1]
  set(broker: TestBroker): void
  /** The message reaches its subscriber. */
  routed: boolean
}

const given = 0x97

function onPublish(
  verdict: (message: { payload: Uint8Array; headers: object }) => unknown,
  options?: HookOptions,
): Means {
  return {
    given,
    routed: false,
    set: (broker) => void broker.hook('message.publish', (_, message) => verdict(message) as undefined, options),
  }
}

const never = () => new Promise<never>(() => {})
const throwing = () => {
  throw new Error('broken on purpose')
}

const publishMeans: Record<string, Means[]> = {
  "nothing, 'ok'": [
    { ...onPublish(() => undefined), routed: true },
    { ...onPublish(() => 'ok'), routed: true },
  ],
  '{ ok: value }': [
    { ...onPublish((message) => ({ ok: { ...message, payload: Buffer.from('changed') } })), routed: true },
  ],
  "'stop', { stop: value }": [
    { ...onPublish(() => 'stop'), routed: true },
    { ...onPublish((message) => ({ stop: { ...message, payload: Buffer.from('changed') } })), routed: true },
  ],
  '{ drop: true }': [onPublish(() => ({ drop: true })), onPublish(async () => ({ drop: true }))],
  'header allowPublish: false': [
    onPublish((message) => ({ ok: { ...message, headers: { ...message.headers, allowPublish: false } } })),
  ],
  '{ reject: code }': [onPublish(() => ({ reject: given })), onPublish(async () => ({ reject: given }))],
  '{ disconnect: code }': [onPublish(() => ({ disconnect: given })), onPublish(async () => ({ disconnect: given }))],
  'header shouldDisconnect: true': [
    onPublish((message) => ({ ok: { ...message, headers: { ...message.headers, shouldDisconnect: true } } })),
  ],
  'failure, failedAction deny': [
    onPublish(throwing, { failedAction: 'deny' }),
    onPublish(async () => throwing(), { failedAction: 'deny' }),
    onPublish(never, { failedAction: 'deny', timeout: 20 }),
  ],
  'failure, failedAction ignore': [
    { ...onPublish(throwing, { failedAction: 'ignore' }), routed: true },
    { ...onPublish(async () => throwing(), { failedAction: 'ignore' }), routed: true },
    { ...onPublish(never, { failedAction: 'ignore', timeout: 20 }), routed: true },
  ],
}

function denyPublish(aclDenyAction: 'ignore' | 'disconnect', verdict: () => unknown, options?: HookOptions): Means {
  return {
    options: { aclDenyAction },
    routed: false,
    set: (broker) => {
      broker.hook(
        'client.authorize',
        ({ action }) => (action === 'publish' ? (verdict() as undefined) : undefined),
        options,
      )
    },
  }
}
const deny = () => ({ stop: { result: 'deny', from: 'test' } })

const authorizeMeans: Record<string, Means[]> = {
  "result 'deny', publish, acl_deny_action ignore": [
    denyPublish('ignore', deny),
    denyPublish('ignore', async () => deny()),
    denyPublish('ignore', throwing),
    denyPublish('ignore', never, { timeout: 20 }),
  ],
  "result 'deny', publish, acl_deny_action disconnect": [
    denyPublish('disconnect', deny),
    denyPublish('disconnect', async () => deny()),
    denyPublish('disconnect', throwing),
  ],
}

function cellOf({ wire }: VerdictRow, version: Version, qos: QoS): Wire {
  const cell = version === 5 ? wire.v5 : wire.v3
  return Array.isArray(cell) ? (cell as readonly Wire[])[qos] : (cell as Wire)
}

/** What the publisher sees is what the cell says, and nothing else. */
async function expectCell(client: RawClient, cell: Wire, code: number | undefined, qos: QoS): Promise<void> {
  const wanted = cell.code === 'given' ? code : cell.code
  const hasCode = client.version === 5 && wanted !== undefined
  if (cell.packet === 'disconnect') {
    await client.expectDisconnect(Number(wanted))
    return
  }
  if (cell.packet === 'puback' || cell.packet === 'pubrec') {
    await client.expect(cell.packet, { messageId: 1, ...(hasCode ? { reasonCode: wanted } : {}) })
  }
  if (cell.close === true) return client.expectClose()
  if (cell.packet === 'pubrec' && !(hasCode && Number(wanted) >= 0x80)) {
    client.send({ cmd: 'pubrel', messageId: 1 })
    await client.expect('pubcomp', { messageId: 1, ...(client.version === 5 ? { reasonCode: 0 } : {}) })
  } else if (cell.packet === 'pubrec') {
    // The exchange is over: the identifier is unknown now.
    client.send({ cmd: 'pubrel', messageId: 1 })
    await client.expect('pubcomp', { messageId: 1, reasonCode: 0x92 })
  }
  assert.ok(cell.packet !== undefined || qos === 0, 'above QoS 0 there is an answer or an end')
  await client.expectNothing()
}

async function prove(t: TestContext, row: VerdictRow, means: Means, version: Version, qos: QoS): Promise<void> {
  const broker = await startBroker(t, means.options)
  const subscriber = await broker.connect({ version })
  await subscribe(subscriber, 'a')
  means.set(broker)
  const client = await broker.connect({ version })
  publish(client, 'a', 'original', { qos, messageId: 1 })
  await expectCell(client, cellOf(row, version, qos), means.given, qos)
  // At QoS 0 no answer shows that the hook has been heard or given up.
  await until(() => broker.recorder.count('message.publish') + broker.recorder.count('client.authorize') > 0, 'PUBLISH')
  await until(() => broker.home(client.clientId).hooks.waiting().length === 0, 'the hook')
  await turns()
  assert.equal(payloads(await subscriber.settle()).length, means.routed ? 1 : 0, 'copies that were routed')
  if (!means.routed) assert.equal(broker.recorder.count('message.dropped'), 0)
}

for (const [point, means, part] of [
  ['message.publish', publishMeans, () => true],
  ['client.authorize', authorizeMeans, (row: VerdictRow) => row.verdict.includes(', publish,')],
] as const) {
  const rows = verdictTable[point].filter(part)

  test(`${point}: each row of the table has its case`, () => {
    assert.deepEqual(rows.map(({ verdict }) => verdict).sort(), Object.keys(means).sort())
  })

  for (const row of rows) {
    for (const [index, how] of (means[row.verdict] ?? []).entries()) {
      for (const version of allVersions) {
        for (const qos of [0, 1, 2] as const) {
          const title = `${point}: ${row.verdict}, case ${index + 1}, ${versionName(version)}, QoS ${qos}`
          test(title, (t) => prove(t, row, how, version, qos))
        }
      }
    }
  }
}

test('what a hook changes is what subscribers get: topic, payload, QoS, retain, properties', async (t) => {
  const broker = await startBroker(t)
  broker.hook('message.publish', (_, message) => ({
    ok: {
      ...message,
      topic: 'changed/topic',
      payload: Buffer.from('changed payload'),
      qos: 1,
      retain: true,
      properties: { ...message.properties, contentType: 'changed/type', userProperties: [['by', 'hook']] },
    },
  }))
  const subscriber = await broker.connect()
  await subscribe(subscriber, 'changed/#', { qos: 2, retainAsPublished: true })
  const client = await broker.connect()
  publish(client, 'original', 'original', { qos: 0 })
  await subscriber.expect('publish', {
    topic: 'changed/topic',
    payload: 'changed payload',
    qos: 1,
    retain: true,
    properties: { contentType: 'changed/type', userProperties: { by: 'hook' } },
  })
  const late = await broker.connect()
  await subscribe(late, 'changed/topic')
  await late.expect('publish', { payload: 'changed payload', retain: true })
})

test('a topic that a hook chose is authorized again, unless the hook answers for it', async (t) => {
  for (const recheck of [true, false]) {
    const broker = await startBroker(t)
    broker.hook('client.authorize', ({ topic }) => {
      return { stop: { result: topic === 'secret' ? ('deny' as const) : ('allow' as const), from: 'test' } }
    })
    broker.hook('message.publish', (_, message) => ({ ok: { ...message, topic: 'secret' } }), { recheck })
    let seenBySink = 0
    broker.hook('message.publish', () => void seenBySink++, { phase: 'sink' })
    const client = await broker.connect()
    publish(client, 'open', 'x', { qos: 1 })
    await client.expect('puback', { reasonCode: recheck ? 0x87 : 0x10 })
    assert.equal(seenBySink, recheck ? 0 : 1)
  }
})

test('a topic that no hook may choose: wildcards, empty', async (t) => {
  for (const topic of ['a/#', '']) {
    const broker = await startBroker(t)
    broker.hook('message.publish', (_, message) => ({ ok: { ...message, topic } }))
    const client = await broker.connect()
    publish(client, 'a', 'x', { qos: 1 })
    await client.expect('puback', { reasonCode: 0x90 })
  }
})

test('sinks see only what will be routed, and after all changes', async (t) => {
  const broker = await startBroker(t)
  const seen: string[] = []
  broker.hook('message.publish', (_, message) => void seen.push(String(message.payload)), {
    phase: 'sink',
    priority: 1000,
  })
  broker.hook('message.publish', (_, message) => {
    if (message.topic === 'dropped') return { drop: true }
    return { ok: { ...message, payload: Buffer.from(`${message.payload}!`) } }
  })
  const client = await broker.connect()
  for (const topic of ['a', 'dropped', 'b']) publish(client, topic, topic)
  await client.settle()
  assert.deepEqual(seen, ['a!', 'b!'])
})
