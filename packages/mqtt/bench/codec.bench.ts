// Codec against mqtt-packet: nanoseconds per packet. Run: node packages/mqtt/bench/codec.bench.ts [rounds] [part of a name]
import mqttPacket from 'mqtt-packet'
import {
  ByteWriter,
  encodePacket,
  encodeToBuffer,
  noProperties,
  type Packet,
  PacketParser,
  type Properties,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  writePublish,
} from '../src/index.ts'

const chunkSize = 64 * 1024
const rounds = Number(process.argv[2] ?? 50)
const only = process.argv[3] ?? ''

interface Case {
  name: string
  version: ProtocolVersion
  packet: Packet
}

function publish(size: number, qos: QoS, properties: Properties = noProperties): PublishPacket {
  return {
    type: 'publish',
    topic: 'bench/device/17/temperature',
    payload: Buffer.alloc(size, 0x41),
    qos,
    retain: false,
    dup: false,
    packetId: qos === 0 ? undefined : 4711,
    properties,
  }
}

const userProperties: Properties = {
  messageExpiryInterval: 60,
  contentType: 'text/plain',
  userProperties: [['trace', '0123456789abcdef']],
}

const cases: Case[] = [
  { name: 'PUBLISH 16 B QoS 0', version: 4, packet: publish(16, 0) },
  { name: 'PUBLISH 16 B QoS 0', version: 5, packet: publish(16, 0) },
  { name: 'PUBLISH 16 B QoS 1', version: 4, packet: publish(16, 1) },
  { name: 'PUBLISH 16 B QoS 1', version: 5, packet: publish(16, 1) },
  { name: 'PUBLISH 256 B QoS 0', version: 4, packet: publish(256, 0) },
  { name: 'PUBLISH 256 B QoS 1', version: 5, packet: publish(256, 1) },
  { name: 'PUBLISH 16 B QoS 1, 3 properties', version: 5, packet: publish(16, 1, userProperties) },
  { name: 'PUBACK', version: 4, packet: { type: 'puback', packetId: 7, reasonCode: 0, properties: noProperties } },
  {
    name: 'PUBACK with reason',
    version: 5,
    packet: { type: 'puback', packetId: 7, reasonCode: 16, properties: noProperties },
  },
  {
    name: 'SUBSCRIBE 2 filters',
    version: 5,
    packet: {
      type: 'subscribe',
      packetId: 3,
      subscriptions: ['bench/+/17/#', 'other/topic'].map((filter) => ({
        filter,
        options: { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      })),
      properties: noProperties,
    },
  },
  { name: 'PINGREQ', version: 4, packet: { type: 'pingreq' } },
]

const opening: Record<ProtocolVersion, Buffer> = { 3: connect(3), 4: connect(4), 5: connect(5) }

function connect(version: ProtocolVersion): Buffer {
  return encodeToBuffer(
    {
      type: 'connect',
      protocolName: version === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion: version,
      bridge: false,
      cleanStart: true,
      keepAlive: 60,
      clientId: 'bench',
      properties: noProperties,
    },
    version,
  )
}

/**
 * Nanoseconds per packet, the best of many short rounds: on a machine shared with others only an undisturbed round says
 * something about the code. `run` does `count` packets; a round does about `packets`.
 */
function measure(packets: number, count: number, run: () => void): number {
  const repeat = Math.max(1, Math.round(packets / count))
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint()
    for (let turn = 0; turn < repeat; turn++) run()
    best = Math.min(best, Number(process.hrtime.bigint() - start) / (repeat * count))
  }
  return best
}

/** As mqtt-packet wants it. */
function foreign(packet: Packet): mqttPacket.Packet {
  const properties: Properties = 'properties' in packet ? packet.properties : {}
  const { userProperties: pairs, ...rest } = properties
  const theirs = { ...rest, ...(pairs && { userProperties: Object.fromEntries(pairs) }) }
  switch (packet.type) {
    case 'publish':
      return {
        ...packet,
        cmd: 'publish',
        messageId: packet.packetId,
        payload: Buffer.from(packet.payload),
        properties: theirs as mqttPacket.IPublishPacket['properties'],
      }
    case 'subscribe':
      return {
        cmd: 'subscribe',
        messageId: packet.packetId,
        subscriptions: packet.subscriptions.map(({ filter, options }) => ({
          topic: filter,
          qos: options.qos,
          nl: options.noLocal,
          rap: options.retainAsPublished,
          rh: options.retainHandling,
        })),
      }
    case 'puback':
      return {
        cmd: 'puback',
        messageId: packet.packetId,
        reasonCode: packet.reasonCode,
        properties: {},
      } as mqttPacket.Packet
    default:
      return { cmd: 'pingreq' }
  }
}

function benchParse({ packet, version }: Case): [ours: number, theirs: number] {
  const bytes = encodeToBuffer(packet, version)
  const count = Math.floor(chunkSize / bytes.length)
  const chunk = Buffer.concat(Array.from({ length: count }, () => bytes))

  let seen = 0
  const parser = new PacketParser(
    {
      publish(frame) {
        seen += frame.end - frame.payloadStart
      },
      packet() {
        seen++
      },
    },
    { maximumPacketSize: 1024 * 1024 },
  )
  parser.write(opening[version])
  const ours = measure(20_000, count, () => parser.write(chunk))

  const other = mqttPacket.parser({ protocolVersion: version })
  other.on('packet', () => {
    seen++
  })
  other.on('error', (error: Error) => {
    throw error
  })
  other.parse(opening[version])
  const theirs = measure(2000, count, () => {
    other.parse(chunk)
  })
  if (seen === 0) throw new Error('nothing was parsed')
  return [ours, theirs]
}

function benchEncode({ packet, version }: Case): [ours: number, theirs: number] {
  const writer = new ByteWriter(chunkSize)
  const count = 200
  let ours: number
  if (packet.type === 'publish') {
    const topic = Buffer.from(packet.topic)
    const { payload, qos, properties } = packet
    ours = measure(20_000, count, () => {
      writer.reset()
      for (let turn = 0; turn < count; turn++) {
        writePublish(writer, topic, payload, qos, false, false, 4711, properties, version)
      }
    })
  } else {
    ours = measure(20_000, count, () => {
      writer.reset()
      for (let turn = 0; turn < count; turn++) encodePacket(writer, packet, version)
    })
  }
  const value = foreign(packet)
  let written = 0
  const theirs = measure(2000, count, () => {
    for (let turn = 0; turn < count; turn++) written += mqttPacket.generate(value, { protocolVersion: version }).length
  })
  if (written === 0) throw new Error('nothing was written')
  return [ours, theirs]
}

function row(cells: readonly string[]): string {
  return cells.map((cell, index) => (index === 0 ? cell.padEnd(40) : cell.padStart(14))).join('')
}

console.log(`node ${process.version}, ${process.arch}, best of ${rounds} rounds, ns per packet\n`)
console.log(row(['packet', 'parse', 'mqtt-packet', 'encode', 'mqtt-packet']))
for (const one of cases) {
  if (!one.name.includes(only)) continue
  const numbers = [...benchParse(one), ...benchEncode(one)]
  console.log(row([`${one.name} (v${one.version})`, ...numbers.map((value) => value.toFixed(1))]))
}
