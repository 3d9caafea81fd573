import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrokerOptions } from '@hookmq/core'
import { publish } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { hex, toHex } from '../support/hex.ts'
import type { ConnectSettings } from '../support/raw-client.ts'
import { currentVersions, testVersions } from '../support/versions.ts'

/** What a CONNECT gets back: the reason code of MQTT 5 and the return code of 3.1.1. */
interface Refusal {
  title: string
  options?: Partial<BrokerOptions>
  connect: ConnectSettings
  reasonCode: number
  returnCode: number
}

const will = { topic: 'w', payload: Buffer.from('gone'), qos: 2 as const, retain: true }

const refusals: Refusal[] = [
  {
    title: 'nobody knows the client',
    options: { allowAnonymous: false },
    connect: {},
    reasonCode: 0x87,
    returnCode: 5,
  },
  {
    title: 'no user name where one is asked for',
    options: { allowAnonymous: 'quick_deny' },
    connect: {},
    reasonCode: 0x87,
    returnCode: 5,
  },
  {
    title: 'identifier too long [MQTT-3.1.3-8] [MQTT-3.1.3-9 v3.1.1]',
    options: { maxClientIdLength: 10 },
    connect: { clientId: 'x'.repeat(11) },
    reasonCode: 0x85,
    returnCode: 2,
  },
  {
    title: 'as many sessions as the broker may hold',
    options: { maxSessions: 1 },
    connect: { clientId: 'second' },
    reasonCode: 0x97,
    returnCode: 3,
  },
]

for (const { title, options, connect, reasonCode, returnCode } of refusals) {
  testVersions(
    currentVersions,
    `refused: ${title} [MQTT-3.1.4-2] [MQTT-3.2.2-6] [MQTT-3.2.2-7] [MQTT-3.2.2-8] [MQTT-4.13.2-1] [MQTT-3.2.2-4 v3.1.1] [MQTT-3.2.2-5 v3.1.1]`,
    async (t, version) => {
      const broker = await startBroker(t, options)
      if (options?.maxSessions !== undefined) await broker.connect({ version, clientId: 'first' })
      const client = await broker.open(version)
      client.sendConnect({ ...connect, will })
      const code = version === 5 ? { reasonCode } : { returnCode }
      await client.expect('connack', { sessionPresent: false, ...code })
      await client.expectClose()
      assert.equal(broker.recorder.count('message.publish'), 0, 'no will')
      assert.equal(broker.recorder.count('client.disconnected'), 0)
    },
  )
}

test('will QoS above Maximum QoS is refused [MQTT-3.2.2-12]', async (t) => {
  const broker = await startBroker(t, { maxQosAllowed: 1 })
  const client = await broker.open()
  client.sendConnect({ will })
  await client.expect('connack', { reasonCode: 0x9b })
  await client.expectClose()
})

test('will retain without retain support is refused [MQTT-3.2.2-13]', async (t) => {
  const broker = await startBroker(t, { retainAvailable: false })
  const client = await broker.open()
  client.sendConnect({ will: { ...will, qos: 0 } })
  await client.expect('connack', { reasonCode: 0x9a })
  await client.expectClose()
})

testVersions(
  currentVersions,
  'nothing behind a refused CONNECT is processed [MQTT-3.1.4-6] [MQTT-3.1.4-5 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t, { allowAnonymous: false })
    const client = await broker.open(version)
    client.sendConnect()
    publish(client, 'a', 'x', { qos: 1 })
    client.send({ cmd: 'pingreq' })
    await client.expect('connack')
    await client.expectClose()
    assert.equal(broker.recorder.count('message.publish'), 0)
    assert.equal(broker.recorder.count('client.ping'), 0)
  },
)

test('empty identifier with clean session 0 in 3.1.1 [MQTT-3.1.3-8 v3.1.1]', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.open(4)
  client.send(hex("10 0c 0004'MQTT' 04 00 0000 0000"))
  await client.expectBytes(hex('20 02 00 02'))
  await client.expectClose()
})

test('3.1 knows no empty identifier', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.open(3)
  client.send(hex("10 0e 0006'MQIsdp' 03 02 0000 0000"))
  await client.expectBytes(hex('20 02 00 02'))
  await client.expectClose()
})

test('an unknown protocol level [MQTT-3.1.2-2] [MQTT-3.1.2-2 v3.1.1]', async (t) => {
  const broker = await startBroker(t)
  const old = await broker.open(4)
  old.send(hex("10 0d 0004'MQTT' 02 02 0000 0001'a'"))
  await old.expectBytes(hex('20 02 00 01'))
  await old.expectClose()
  const newer = await broker.open(5)
  newer.send(hex("10 0e 0004'MQTT' 06 02 0000 00 0001'a'"))
  await newer.expectClose().catch(() => {})
  const answer = toHex(Buffer.concat(newer.bytes))
  assert.ok(['20 02 00 01', '20 03 00 84 00'].includes(answer), answer)
  assert.equal(newer.closed, true)
})

test('another protocol name is not MQTT [MQTT-3.1.2-1] [MQTT-3.1.2-1 v3.1.1]', async (t) => {
  const broker = await startBroker(t)
  for (const bytes of [hex("10 0d 0004'HTTP' 04 02 0000 0001'a'"), hex("10 0e 0004'mqtt' 05 02 0000 00 0001'a'")]) {
    const client = await broker.open(4)
    client.send(bytes)
    await client.expectClose().catch(() => {})
    const answer = toHex(Buffer.concat(client.bytes))
    assert.ok(['', '20 02 00 01', '20 03 00 84 00'].includes(answer), answer)
    assert.equal(client.closed, true)
  }
  assert.equal(broker.recorder.count('client.connected'), 0)
})

/** CONNECT packets of the wrong shape. MQTT 5 may tell the reason in CONNACK; 3.1.1 only closes. */
const malformed: { title: string; v4?: string; v5?: string; reasons: number[] }[] = [
  {
    title: 'reserved connect flag [MQTT-3.1.2-3] [MQTT-3.1.2-3 v3.1.1]',
    v4: "10 0d 0004'MQTT' 04 03 0000 0001'a'",
    v5: "10 0e 0004'MQTT' 05 03 0000 00 0001'a'",
    reasons: [0x81],
  },
  {
    title: 'will QoS 3 [MQTT-3.1.2-12] [MQTT-3.1.2-14 v3.1.1]',
    v4: "10 13 0004'MQTT' 04 1e 0000 0001'a' 0001'w' 0001'p'",
    v5: "10 15 0004'MQTT' 05 1e 0000 00 0001'a' 00 0001'w' 0001'p'",
    reasons: [0x81],
  },
  {
    title: 'will QoS without will',
    v4: "10 0d 0004'MQTT' 04 0a 0000 0001'a'",
    v5: "10 0e 0004'MQTT' 05 0a 0000 00 0001'a'",
    reasons: [0x81, 0x82],
  },
  {
    title: 'will retain without will',
    v4: "10 0d 0004'MQTT' 04 22 0000 0001'a'",
    v5: "10 0e 0004'MQTT' 05 22 0000 00 0001'a'",
    reasons: [0x81, 0x82],
  },
  {
    title: 'password without user name [MQTT-3.1.2-22 v3.1.1]',
    v4: "10 10 0004'MQTT' 04 42 0000 0001'a' 0001'p'",
    reasons: [],
  },
  {
    title: 'identifier is not UTF-8 [MQTT-3.1.3-4] [MQTT-3.1.3-4 v3.1.1] [MQTT-1.5.4-1] [MQTT-1.5.3-1 v3.1.1]',
    v4: "10 0d 0004'MQTT' 04 02 0000 0001 ff",
    v5: "10 0e 0004'MQTT' 05 02 0000 00 0001 ff",
    reasons: [0x81, 0x85],
  },
  {
    title: 'user name is not UTF-8 [MQTT-3.1.3-12] [MQTT-3.1.3-11 v3.1.1]',
    v4: "10 11 0004'MQTT' 04 82 0000 0001'a' 0002 c3 28",
    v5: "10 12 0004'MQTT' 05 82 0000 00 0001'a' 0002 c3 28",
    reasons: [0x81],
  },
  {
    title: 'will topic is not UTF-8 [MQTT-3.1.3-11] [MQTT-3.1.3-10 v3.1.1]',
    v4: "10 13 0004'MQTT' 04 06 0000 0001'a' 0001 ff 0001'p'",
    v5: "10 15 0004'MQTT' 05 06 0000 00 0001'a' 00 0001 ff 0001'p'",
    reasons: [0x81, 0x90],
  },
  {
    title: 'will topic with a wildcard',
    v5: "10 15 0004'MQTT' 05 06 0000 00 0001'a' 00 0001'#' 0001'p'",
    reasons: [0x81, 0x82, 0x90],
  },
  {
    title: 'user name flag without user name [MQTT-3.1.4-1] [MQTT-3.1.4-1 v3.1.1] [MQTT-3.1.3-1] [MQTT-3.1.3-1 v3.1.1]',
    v4: "10 0d 0004'MQTT' 04 82 0000 0001'a'",
    v5: "10 0e 0004'MQTT' 05 82 0000 00 0001'a'",
    reasons: [0x81],
  },
  {
    title: 'no identifier at all [MQTT-3.1.3-3] [MQTT-3.1.3-3 v3.1.1]',
    v4: "10 0a 0004'MQTT' 04 02 0000",
    v5: "10 0b 0004'MQTT' 05 02 0000 00",
    reasons: [0x81],
  },
  {
    title: 'bytes after the end',
    v4: "10 0e 0004'MQTT' 04 02 0000 0001'a' 00",
    v5: "10 0f 0004'MQTT' 05 02 0000 00 0001'a' 00",
    reasons: [0x81],
  },
  { title: 'wrong fixed header flags', v4: "11 0d 0004'MQTT' 04 02 0000 0001'a'", reasons: [] },
  {
    title: 'session expiry interval twice',
    v5: "10 18 0004'MQTT' 05 02 0000 0a 11 00000001 11 00000001 0001'a'",
    reasons: [0x82],
  },
  { title: 'receive maximum 0', v5: "10 11 0004'MQTT' 05 02 0000 03 21 0000 0001'a'", reasons: [0x82] },
  { title: 'maximum packet size 0', v5: "10 13 0004'MQTT' 05 02 0000 05 27 00000000 0001'a'", reasons: [0x82] },
  { title: 'request problem information 2', v5: "10 10 0004'MQTT' 05 02 0000 02 17 02 0001'a'", reasons: [0x82] },
  {
    title: 'authentication data without method',
    v5: "10 12 0004'MQTT' 05 02 0000 04 16 0001'x' 0001'a'",
    reasons: [0x82],
  },
  { title: 'a property of PUBLISH', v5: "10 11 0004'MQTT' 05 02 0000 03 23 0001 0001'a'", reasons: [0x81, 0x82] },
]

for (const { title, v4, v5, reasons } of malformed) {
  if (v4 !== undefined) {
    test(`malformed CONNECT: ${title} (MQTT 3.1.1)`, async (t) => {
      const broker = await startBroker(t)
      const client = await broker.open(4)
      client.send(hex(v4))
      await client.expectClose()
      assert.equal(broker.recorder.count('client.connected'), 0)
    })
  }
  if (v5 !== undefined) {
    test(`malformed CONNECT: ${title} (MQTT 5)`, async (t) => {
      const broker = await startBroker(t)
      const client = await broker.open(5)
      client.send(hex(v5))
      const connack = await client.expect('connack', { sessionPresent: false })
      assert.ok(reasons.includes(connack.reasonCode as number), `reason 0x${Number(connack.reasonCode).toString(16)}`)
      await client.expectClose()
      assert.equal(broker.recorder.count('client.connected'), 0)
    })
  }
}

test('the first packet must be CONNECT; no DISCONNECT before CONNACK [MQTT-3.1.0-1] [MQTT-3.14.0-1] [MQTT-3.1.0-1 v3.1.1]', async (t) => {
  const broker = await startBroker(t)
  for (const bytes of [
    'c0 00',
    "30 03 0001'a'",
    "82 06 0001 0001'a' 00",
    'e0 00',
    'f0 00',
    '20 02 00 00',
    "'GET / HTTP/1.1'",
  ]) {
    const client = await broker.open(5)
    client.send(hex(bytes))
    await client.expectClose()
    assert.equal(client.bytes.length, 0, bytes)
  }
  assert.deepEqual(broker.recorder.lines({ wire: false }), [], 'no hook runs for it')
})
