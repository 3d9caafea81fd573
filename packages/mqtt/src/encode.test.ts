import assert from 'node:assert/strict'
import test from 'node:test'
import { encodePacket, encodeToBuffer } from './encode.ts'
import { publishSize, writePublish } from './encode-publish.ts'
import type { ConnackPacket, Packet, Properties, ProtocolVersion, QoS } from './packets.ts'
import { encodeProperties, propertiesSize } from './property-encode.ts'
import { noProperties } from './property-table.ts'
import { startParser } from './testing/collect.ts'
import { bytes, packetCases } from './testing/packet-cases.ts'
import { ByteWriter } from './writer.ts'

function hex(packet: Packet, version: ProtocolVersion): string {
  return encodeToBuffer(packet, version).toString('hex')
}

test('CONNACK of 3.1 and 3.1.1 carries the return code for the reason code', () => {
  const codes: Record<number, number> = { 0: 0, 128: 1, 132: 1, 133: 2, 134: 4, 135: 5, 136: 3, 138: 5, 149: 3, 159: 3 }
  for (const [code, returnCode] of Object.entries(codes)) {
    const packet: ConnackPacket = { type: 'connack', sessionPresent: true, reasonCode: Number(code), properties: {} }
    const present = code === '0' ? '01' : '00'
    assert.equal(hex(packet, 4), `2002${present}0${returnCode}`)
    assert.equal(hex(packet, 3), `2002000${returnCode}`)
  }
})

test('SUBACK and UNSUBACK before MQTT 5: failures are 0x80, codes of UNSUBACK are not on the wire', () => {
  const codes = [0, 1, 2, 0x80, 0x87, 0x97]
  assert.equal(hex({ type: 'suback', packetId: 1, reasonCodes: codes, properties: {} }, 4), '90080001000102808080')
  assert.equal(hex({ type: 'unsuback', packetId: 1, reasonCodes: [0, 0x11], properties: {} }, 4), 'b0020001')
})

test('acknowledgements before MQTT 5 carry neither reason code nor properties', () => {
  const properties = { reasonString: 'why' }
  assert.equal(hex({ type: 'puback', packetId: 1, reasonCode: 0x87, properties }, 4), '40020001')
  assert.equal(hex({ type: 'disconnect', reasonCode: 0x8b, properties }, 4), 'e000')
  assert.equal(hex({ type: 'connack', sessionPresent: false, reasonCode: 0, properties }, 4), '20020000')
})

const wordy: Properties = { reasonString: 'r'.repeat(50), userProperties: [['k', 'v'.repeat(50)]] }
const wordyPackets: Packet[] = [
  { type: 'connack', sessionPresent: false, reasonCode: 0x87, properties: { ...wordy, serverKeepAlive: 5 } },
  { type: 'puback', packetId: 1, reasonCode: 0x10, properties: wordy },
  { type: 'pubrec', packetId: 1, reasonCode: 0x10, properties: wordy },
  { type: 'pubrel', packetId: 1, reasonCode: 0x92, properties: wordy },
  { type: 'pubcomp', packetId: 1, reasonCode: 0x92, properties: wordy },
  { type: 'suback', packetId: 1, reasonCodes: [0], properties: wordy },
  { type: 'unsuback', packetId: 1, reasonCodes: [0], properties: wordy },
  { type: 'disconnect', reasonCode: 0x8b, properties: wordy },
  { type: 'auth', reasonCode: 0x18, properties: { authenticationMethod: 'm', ...wordy } },
]

test('reason string, then user properties go when the packet is larger than the receiver takes [MQTT-3.1.2-25]', () => {
  for (const packet of wordyPackets) {
    if (!('properties' in packet)) continue
    const { reasonString: _reason, ...silent } = packet.properties
    const { userProperties: _user, ...bare } = silent
    const forms = [packet.properties, silent, bare].map((properties) => encodeToBuffer({ ...packet, properties }, 5))
    const writer = new ByteWriter(8)
    for (const form of forms) {
      for (const limit of [form.length, form.length + 1]) {
        writer.reset()
        assert.equal(encodePacket(writer, packet, 5, { maximumPacketSize: limit }), true)
        assert.equal(writer.view().toString('hex'), form.toString('hex'), `${packet.type} at ${limit}`)
      }
    }
    writer.reset()
    writer.byte(0xaa)
    assert.equal(encodePacket(writer, packet, 5, { maximumPacketSize: forms[2].length - 1 }), false, packet.type)
    assert.equal(writer.length, 1)
  }
})

test('PUBLISH loses nothing: it is written whole or not at all [MQTT-3.1.2-24]', () => {
  const packet: Packet = {
    type: 'publish',
    topic: 't',
    payload: Buffer.from('x'),
    qos: 0,
    retain: false,
    dup: false,
    properties: { userProperties: [['k', 'v'.repeat(50)]] },
  }
  const writer = new ByteWriter()
  const { length } = encodeToBuffer(packet, 5)
  assert.equal(encodePacket(writer, packet, 5, { maximumPacketSize: length - 1 }), false)
  assert.equal(writer.length, 0)
  assert.equal(encodePacket(writer, packet, 5, { maximumPacketSize: length }), true)
})

test('without problem information only CONNACK, PUBLISH and DISCONNECT explain [MQTT-3.1.2-29]', () => {
  for (const packet of wordyPackets) {
    if (!('properties' in packet)) continue
    const writer = new ByteWriter()
    encodePacket(writer, packet, 5, { problemInformation: false })
    const whole = encodeToBuffer(packet, 5)
    if (packet.type === 'connack' || packet.type === 'disconnect') assert.deepEqual(writer.view(), whole)
    else assert.ok(!writer.view().includes('rrr') && !writer.view().includes('vvv'), packet.type)
  }
})

test('values that cannot be written name their field and leave nothing behind', () => {
  const connect: Packet = {
    type: 'connect',
    protocolName: 'MQTT',
    protocolVersion: 4,
    bridge: false,
    cleanStart: true,
    keepAlive: 0,
    clientId: 'c',
    properties: {},
  }
  const publish: Packet = {
    type: 'publish',
    topic: 't',
    payload: Buffer.alloc(0),
    qos: 0,
    retain: false,
    dup: false,
    properties: {},
  }
  const will = { topic: 'w', payload: Buffer.alloc(0), qos: 0 as QoS, retain: false, properties: {} }
  const wrong = (properties: unknown) => properties as Properties
  const cases: [packet: Packet, version: ProtocolVersion, message: RegExp][] = [
    [{ ...connect, keepAlive: 65536 }, 4, /^keepAlive /],
    [{ ...connect, keepAlive: 1.5 }, 4, /^keepAlive /],
    [{ ...connect, clientId: 'a\0' }, 4, /^clientId .*U\+0000/],
    [{ ...connect, clientId: '\ud800' }, 4, /^clientId .*surrogate/],
    [{ ...connect, clientId: 'x'.repeat(65536) }, 4, /^clientId .*65535/],
    [{ ...connect, clientId: '€'.repeat(21846) }, 4, /^clientId .*65535/],
    [{ ...connect, protocolName: 'MQIsdp' }, 4, /^protocolName /],
    [{ ...connect, password: Buffer.from('p') }, 4, /^password /],
    [{ ...connect, username: 'u', password: Buffer.alloc(65536) }, 4, /^password /],
    [{ ...connect, will: { ...will, qos: 3 as QoS } }, 4, /^will\.qos /],
    [{ ...connect, will: { ...will, payload: Buffer.alloc(65536) } }, 4, /^will\.payload /],
    [
      { ...connect, protocolVersion: 5, properties: { authenticationData: Buffer.alloc(1) } },
      5,
      /authenticationMethod/,
    ],
    [{ ...connect, protocolVersion: 5, properties: { receiveMaximum: 0 } }, 5, /^properties\.receiveMaximum /],
    [{ ...connect, protocolVersion: 5, properties: { topicAlias: 1 } }, 5, /^properties\.topicAlias .*connect/],
    [{ ...publish, qos: 1 }, 4, /^packetId /],
    [{ ...publish, qos: 1, packetId: 65536 }, 4, /^packetId /],
    [{ ...publish, qos: 3 as QoS }, 4, /^qos /],
    [{ ...publish, topic: '' }, 4, /^topic /],
    [{ ...publish, topic: 'a/#' }, 4, /^topic .*wildcard/],
    [{ ...publish, topic: 'x'.repeat(65536) }, 4, /^topic /],
    [{ ...publish, properties: { topicAlias: 0 } }, 5, /^properties\.topicAlias /],
    [{ ...publish, properties: { responseTopic: 'a/+' } }, 5, /^properties\.responseTopic /],
    [{ ...publish, properties: { messageExpiryInterval: -1 } }, 5, /^properties\.messageExpiryInterval /],
    [{ ...publish, properties: { subscriptionIdentifiers: [0] } }, 5, /^properties\.subscriptionIdentifiers /],
    [{ ...publish, properties: wrong({ payloadFormatIndicator: 2 }) }, 5, /^properties\.payloadFormatIndicator /],
    [{ ...publish, properties: wrong({ contentType: 7 }) }, 5, /^properties\.contentType /],
    [{ ...publish, properties: wrong({ correlationData: 'text' }) }, 5, /^properties\.correlationData /],
    [{ ...publish, properties: wrong({ userProperties: ['a'] }) }, 5, /^properties\.userProperties /],
    [{ ...publish, properties: wrong({ contenttype: 'x' }) }, 5, /^properties\.contenttype/],
    [{ type: 'puback', packetId: 0, reasonCode: 0, properties: {} }, 5, /^packetId /],
    [{ type: 'puback', packetId: 1, reasonCode: 0x8d, properties: {} }, 5, /^reasonCode 141 .*puback/],
    [{ type: 'suback', packetId: 1, reasonCodes: [3], properties: {} }, 5, /^reasonCode 3 /],
    [{ type: 'suback', packetId: 1, reasonCodes: [], properties: {} }, 5, /^reasonCodes /],
    [{ type: 'subscribe', packetId: 1, subscriptions: [], properties: {} }, 4, /^subscriptions /],
    [{ type: 'unsubscribe', packetId: 1, filters: [], properties: {} }, 4, /^filters /],
    [{ type: 'connack', sessionPresent: false, reasonCode: 0x8e, properties: {} }, 5, /^reasonCode 142 /],
    [{ type: 'auth', reasonCode: 0, properties: {} }, 4, /^auth /],
  ]
  for (const [packet, version, message] of cases) {
    const writer = new ByteWriter(1)
    writer.byte(1)
    assert.throws(() => encodePacket(writer, packet, version), { name: 'TypeError', message })
    assert.equal(writer.length, 1, String(message))
  }
})

test('propertiesSize is what encodeProperties writes, publishSize what writePublish writes', () => {
  for (const { packet, version } of packetCases) {
    if (packet?.type !== 'publish') continue
    const { topic, payload, qos, retain, dup, packetId = 0, properties } = packet
    const list = new ByteWriter(1)
    encodeProperties(list, properties, 'publish')
    assert.equal(list.length, propertiesSize(properties))

    const expected = encodeToBuffer(packet, version)
    const topicBytes = Buffer.from(topic)
    assert.equal(publishSize(topicBytes.length, payload.length, qos, list.length, version), expected.length)
    const around = Buffer.concat([Buffer.from('<<'), payload, Buffer.from('>>')])
    for (const form of [topic, topicBytes]) {
      for (const given of [properties, list.copy()]) {
        const writer = new ByteWriter(1)
        writePublish(writer, form, payload, qos, retain, dup, packetId, given, version)
        writePublish(writer, form, around, qos, retain, dup, packetId, given, version, 2, 2 + payload.length)
        assert.equal(writer.view().toString('hex'), Buffer.concat([expected, expected]).toString('hex'))
      }
    }
  }
})

test('writePublish that throws has written nothing', () => {
  const payload = Buffer.from('x')
  const writer = new ByteWriter(1)
  const write = (topic: string, packetId: number, properties: Properties) => () =>
    writePublish(writer, topic, payload, 1, false, false, packetId, properties, 5)
  assert.throws(write('t', 0, noProperties), /packetId/)
  assert.throws(write('t', 1, { topicAlias: 0 }), /topicAlias/)
  assert.throws(write('x'.repeat(65536), 1, noProperties), /topic/)
  assert.equal(writer.length, 0)
})

test('lengths of every size are written and read', () => {
  for (const size of [
    0, 1, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 16370, 16377, 16383, 16384, 2097140, 2097152,
  ]) {
    const { parser, collector } = startParser(5, 'client', false)
    const payload = Buffer.alloc(size, 7)
    const length = Math.min(size, 65535)
    const writer = new ByteWriter(16)
    writePublish(writer, 't', payload, 0, false, false, 0, { correlationData: payload.subarray(0, length) }, 5)
    parser.write(writer.view())
    const connect = startParser(5, 'client', true)
    const will = { topic: 'w', payload: Buffer.from('p'), qos: 0 as QoS, retain: false }
    const packet: Packet = {
      type: 'connect',
      protocolName: 'MQTT',
      protocolVersion: 5,
      bridge: false,
      cleanStart: true,
      keepAlive: 0,
      clientId: 'c'.repeat(length),
      username: undefined,
      password: undefined,
      will: { ...will, properties: { correlationData: payload.subarray(0, length) } },
      properties: { userProperties: [['k', 'v'.repeat(length)]] },
    }
    connect.parser.write(encodeToBuffer(packet, 5))
    const [publish] = collector.packets
    assert.ok(publish?.type === 'publish' && payload.equals(publish.payload))
    assert.equal(publish.properties.correlationData?.length, length)
    assert.deepEqual(connect.collector.packets, [packet])
  }
})

test('a writer can be reset, read as a view and as a copy', () => {
  const writer = new ByteWriter(2)
  writer.uint32(0xdeadbeef)
  const copy = writer.copy()
  writer.reset()
  writer.variableInteger(268_435_455)
  assert.equal(writer.view().toString('hex'), 'ffffff7f')
  assert.equal(copy.toString('hex'), 'deadbeef')
  writer.bytes(bytes('00 01 02 03'), 1, 3)
  assert.equal(writer.view().toString('hex'), 'ffffff7f0102')
})
