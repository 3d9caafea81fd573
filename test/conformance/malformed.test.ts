import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startBroker } from '../support/broker.ts'
import { hex } from '../support/hex.ts'
import { versionName } from '../support/versions.ts'

interface Malformed {
  title: string
  /** Bytes for MQTT 3.1.1, which closes without a word. */
  v4?: string
  /** Bytes for MQTT 5. */
  v5?: string
  /** Reason code of DISCONNECT in MQTT 5. */
  reason?: number
}

/** The same bytes in both versions. */
const both = (title: string, bytes: string, reason: number): Malformed => ({ title, v4: bytes, v5: bytes, reason })

const table: Malformed[] = [
  both('packet type 0', '00 00', 0x81),
  both('remaining length of five bytes', '30 ff ff ff ff 01', 0x81),
  { title: 'AUTH in 3.1.1', v4: 'f0 00' },
  both('CONNACK from a client', '20 02 00 00', 0x82),
  both('SUBACK from a client', '90 03 0001 00', 0x82),
  both('UNSUBACK from a client', 'b0 02 0001', 0x82),
  both('PINGRESP from a client', 'd0 00', 0x82),
  both('PINGREQ with a body', 'c0 01 00', 0x81),
  both('PINGREQ with flags [MQTT-2.1.3-1] [MQTT-2.2.2-1 v3.1.1] [MQTT-2.2.2-2 v3.1.1]', 'c1 00', 0x81),
  both('PUBACK with flags', '42 02 0001', 0x81),
  both('PUBREC with flags', '51 02 0001', 0x81),
  both('PUBREL without its flags [MQTT-3.6.1-1] [MQTT-3.6.1-1 v3.1.1]', '60 02 0001', 0x81),
  both('PUBREL with other flags', '66 02 0001', 0x81),
  both('PUBCOMP with flags', '72 02 0001', 0x81),
  both('DISCONNECT with flags [MQTT-3.14.1-1] [MQTT-3.14.1-1 v3.1.1]', 'e2 00', 0x81),
  { title: 'DISCONNECT with a body in 3.1.1', v4: 'e0 01 00' },
  {
    title: 'SUBSCRIBE without its flags [MQTT-3.8.1-1] [MQTT-3.8.1-1 v3.1.1]',
    v4: "80 06 0001 0001'a' 00",
    v5: "80 07 0001 00 0001'a' 00",
    reason: 0x81,
  },
  {
    title: 'UNSUBSCRIBE without its flags [MQTT-3.10.1-1] [MQTT-3.10.1-1 v3.1.1]',
    v4: "a0 05 0001 0001'a'",
    v5: "a0 06 0001 00 0001'a'",
    reason: 0x81,
  },
  { title: 'AUTH with flags [MQTT-3.15.1-1]', v5: 'f2 00', reason: 0x81 },
  { title: 'AUTH without a method in CONNECT', v5: 'f0 00', reason: 0x82 },
  {
    title: 'PUBLISH at QoS 3 [MQTT-3.3.1-4] [MQTT-3.3.1-4 v3.1.1]',
    v4: "36 06 0001'a' 0001 'x'",
    v5: "36 07 0001'a' 0001 00 'x'",
    reason: 0x81,
  },
  {
    title: 'PUBLISH at QoS 0 with DUP [MQTT-3.3.1-2] [MQTT-3.3.1-2 v3.1.1]',
    v4: "38 04 0001'a' 'x'",
    v5: "38 05 0001'a' 00 'x'",
    reason: 0x81,
  },
  {
    title: 'PUBLISH with identifier 0 [MQTT-2.3.1-1 v3.1.1]',
    v4: "32 06 0001'a' 0000 'x'",
    v5: "32 07 0001'a' 0000 00 'x'",
    reason: 0x81,
  },
  { title: 'PUBLISH without a topic', v4: '30 00', v5: '30 00', reason: 0x81 },
  {
    title: 'PUBLISH with + in the topic [MQTT-3.3.2-2] [MQTT-4.7.0-1] [MQTT-3.3.2-2 v3.1.1] [MQTT-4.7.1-1 v3.1.1]',
    v4: "30 06 0003'a/+' 'x'",
    v5: "30 07 0003'a/+' 00 'x'",
    reason: 0x90,
  },
  { title: 'PUBLISH with # in the topic', v4: "30 04 0001'#' 'x'", v5: "30 05 0001'#' 00 'x'", reason: 0x90 },
  {
    title: 'PUBLISH with U+0000 in the topic [MQTT-1.5.4-2] [MQTT-4.7.3-2] [MQTT-1.5.3-2 v3.1.1] [MQTT-4.7.3-2 v3.1.1]',
    v4: "30 06 0003 610062 'x'",
    v5: "30 07 0003 610062 00 'x'",
    reason: 0x81,
  },
  {
    title:
      'PUBLISH with a topic that is not UTF-8 [MQTT-3.3.2-1] [MQTT-1.5.4-1] [MQTT-3.3.2-1 v3.1.1] [MQTT-1.5.3-1 v3.1.1]',
    v4: "30 05 0002 c328 'x'",
    v5: "30 06 0002 c328 00 'x'",
    reason: 0x81,
  },
  {
    title: 'PUBLISH with a surrogate in the topic [MQTT-1.5.4-1] [MQTT-1.5.3-1 v3.1.1]',
    v4: "30 06 0003 eda080 'x'",
    v5: "30 07 0003 eda080 00 'x'",
    reason: 0x81,
  },
  {
    title: 'PUBLISH with an overlong encoding in the topic',
    v4: '30 04 0002 c0af',
    v5: '30 05 0002 c0af 00',
    reason: 0x81,
  },
  { title: 'PUBLISH with an empty topic [MQTT-4.7.3-1 v3.1.1]', v4: '30 02 0000' },
  { title: 'PUBLISH with an empty topic and no alias [MQTT-4.7.3-1]', v5: '30 03 0000 00', reason: 0x82 },
  { title: 'topic longer than the packet', v4: "30 04 0005'ab'", v5: "30 05 0005'abc'", reason: 0x81 },
  { title: 'properties longer than the packet', v5: "30 04 0001'a' 05", reason: 0x81 },
  { title: 'unknown property', v5: "30 06 0001'a' 02 7f 00", reason: 0x81 },
  { title: 'property of another packet', v5: "30 09 0001'a' 05 11 00000001", reason: 0x81 },
  { title: 'content type twice', v5: "30 0c 0001'a' 08 03 0001'c' 03 0001'c'", reason: 0x82 },
  { title: 'property length not in its shortest form [MQTT-1.5.5-1]', v5: "30 05 0001'a' 8000", reason: 0x81 },
  { title: 'subscription identifier from a client [MQTT-3.3.4-6]', v5: "30 06 0001'a' 02 0b01", reason: 0x82 },
  { title: 'wildcard in the response topic [MQTT-3.3.2-14]', v5: "30 08 0001'a' 04 08 0001'#'", reason: 0x82 },
  { title: 'response topic that is not UTF-8 [MQTT-3.3.2-13]', v5: "30 08 0001'a' 04 08 0001 ff", reason: 0x81 },
  { title: 'content type that is not UTF-8 [MQTT-3.3.2-19]', v5: "30 08 0001'a' 04 03 0001 ff", reason: 0x81 },
  { title: 'user property that is not UTF-8 [MQTT-1.5.7-1]', v5: "30 0b 0001'a' 07 26 0001'k' 0001 ff", reason: 0x81 },
  { title: 'SUBSCRIBE with identifier 0', v4: "82 06 0000 0001'a' 00", v5: "82 07 0000 00 0001'a' 00", reason: 0x81 },
  {
    title: 'SUBSCRIBE without a filter [MQTT-3.8.3-2] [MQTT-3.8.3-3 v3.1.1]',
    v4: '82 02 0001',
    v5: '82 03 0001 00',
    reason: 0x82,
  },
  {
    title: 'SUBSCRIBE with QoS 3 [MQTT-3.8.3-4 v3.1.1]',
    v4: "82 06 0001 0001'a' 03",
    v5: "82 07 0001 00 0001'a' 03",
    reason: 0x82,
  },
  {
    title: 'SUBSCRIBE with reserved option bits [MQTT-3.8.3-5] [MQTT-3.8.3-4 v3.1.1]',
    v4: "82 06 0001 0001'a' 04",
    v5: "82 07 0001 00 0001'a' 40",
    reason: 0x81,
  },
  { title: 'SUBSCRIBE with retain handling 3', v5: "82 07 0001 00 0001'a' 30", reason: 0x82 },
  { title: 'SUBSCRIBE with identifier property 0', v5: "82 09 0001 02 0b00 0001'a' 00", reason: 0x82 },
  { title: 'SUBSCRIBE with two identifier properties', v5: "82 0b 0001 04 0b010b02 0001'a' 00", reason: 0x82 },
  {
    title: 'SUBSCRIBE with a filter that is not UTF-8 [MQTT-3.8.3-1] [MQTT-3.8.3-1 v3.1.1]',
    v4: '82 06 0001 0001 ff 00',
    v5: '82 07 0001 00 0001 ff 00',
    reason: 0x81,
  },
  { title: 'SUBSCRIBE with an empty filter', v4: '82 05 0001 0000 00', v5: '82 06 0001 00 0000 00', reason: 0x8f },
  {
    title: 'SUBSCRIBE with # not at the end [MQTT-4.7.1-1] [MQTT-4.7.1-2 v3.1.1]',
    v4: "82 0a 0001 0005'a/#/b' 00",
    v5: "82 0b 0001 00 0005'a/#/b' 00",
    reason: 0x8f,
  },
  {
    title: 'SUBSCRIBE with # in a level',
    v4: "82 07 0001 0002'a#' 00",
    v5: "82 08 0001 00 0002'a#' 00",
    reason: 0x8f,
  },
  {
    title: 'SUBSCRIBE with + in a level [MQTT-4.7.1-2] [MQTT-4.7.1-3 v3.1.1]',
    v4: "82 07 0001 0002'a+' 00",
    v5: "82 08 0001 00 0002'a+' 00",
    reason: 0x8f,
  },
  {
    title: 'UNSUBSCRIBE without a filter [MQTT-3.10.3-2] [MQTT-3.10.3-2 v3.1.1]',
    v4: 'a2 02 0001',
    v5: 'a2 03 0001 00',
    reason: 0x82,
  },
  {
    title: 'UNSUBSCRIBE with a filter that is not UTF-8 [MQTT-3.10.3-1] [MQTT-3.10.3-1 v3.1.1]',
    v4: 'a2 05 0001 0001 ff',
    v5: 'a2 06 0001 00 0001 ff',
    reason: 0x81,
  },
  { title: 'PUBACK with a reason code of another packet', v5: '40 03 0001 8e', reason: 0x82 },
  { title: 'DISCONNECT with a reason code of the server', v5: 'e0 01 8b', reason: 0x82 },
  { title: 'DISCONNECT with server reference', v5: "e0 06 00 04 1c 0001'x'", reason: 0x82 },
]

for (const { title, v4, v5, reason } of table) {
  for (const [version, bytes] of [
    [4, v4],
    [5, v5],
  ] as const) {
    if (bytes === undefined) continue
    test(`${title} (${versionName(version)}) [MQTT-4.13.1-1] [MQTT-4.8.0-1 v3.1.1]`, async (t) => {
      const broker = await startBroker(t)
      const bystander = await broker.connect({ version })
      const client = await broker.connect({ version })
      client.send(hex(bytes))
      if (reason === undefined) await client.expectClose()
      else await client.expectDisconnect(reason)
      await bystander.expectNothing()
      assert.equal(broker.recorder.count('client.disconnected'), 1)
      assert.equal(broker.recorder.count('message.publish'), 0)
      assert.equal(broker.recorder.count('session.subscribed'), 0)
    })
  }
}

test('what came whole before the malformed packet counts, what follows it does not', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect({ version: 4 })
  client.send(hex("32 06 0001'a' 0001 'x'  00 00  32 06 0001'a' 0002 'y'"))
  await client.expect('puback', { messageId: 1 })
  await client.expectClose()
  assert.equal(broker.recorder.count('message.publish'), 1)
})
