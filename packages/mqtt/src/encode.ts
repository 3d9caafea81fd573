import { writePublish } from './encode-publish.ts'
import type {
  ConnackPacket,
  ConnectPacket,
  ControlPacket,
  Packet,
  PacketType,
  Properties,
  ProtocolVersion,
  PublishPacket,
  SubackPacket,
  SubscribePacket,
  UnsubackPacket,
  UnsubscribePacket,
} from './packets.ts'
import { checkBytes, checkInteger, checkString, encodeProperties } from './property-encode.ts'
import { noProperties, type PropertyHolder } from './property-table.ts'
import { connackReturnCode, isReasonCodeAllowed } from './reason-codes.ts'
import { ByteWriter } from './writer.ts'

export interface EncodeOptions {
  /**
   * Bytes that the receiver takes (MQTT 5). When the packet is larger, its reason string goes, then its user properties; it is
   * not written at all when that does not help. PUBLISH and the client's requests lose nothing.
   * [MQTT-3.1.2-24] [MQTT-3.1.2-25]
   */
  maximumPacketSize?: number
  /** false: the client asked for no reason strings and user properties; CONNACK, DISCONNECT and PUBLISH keep them. [MQTT-3.1.2-29] */
  problemInformation?: boolean
}

/**
 * Appends a packet. false: it does not fit `maximumPacketSize`, nothing was written. Throws TypeError that names the field when
 * a value cannot be written; nothing was written then either.
 */
export function encodePacket(
  writer: ByteWriter,
  packet: ControlPacket | PublishPacket,
  version: ProtocolVersion,
  options?: EncodeOptions,
): boolean {
  const start = writer.length
  let properties: Properties = 'properties' in packet ? packet.properties : noProperties
  if (options?.problemInformation === false && hidesProblems(packet.type)) {
    properties = { ...properties, reasonString: undefined, userProperties: undefined }
  }
  try {
    const limit = options?.maximumPacketSize ?? Number.POSITIVE_INFINITY
    writePacket(writer, packet, properties, version)
    if (writer.length - start <= limit) return true
    if (version === 5 && carriesReason(packet.type)) {
      // [MQTT-3.2.2-19] [MQTT-3.4.2-2] [MQTT-3.5.2-2] [MQTT-3.6.2-2] [MQTT-3.7.2-2] [MQTT-3.9.2-1] [MQTT-3.11.2-1]
      // [MQTT-3.14.2-3] [MQTT-3.15.2-2]
      writer.length = start
      writePacket(writer, packet, { ...properties, reasonString: undefined }, version)
      if (writer.length - start <= limit) return true
      // [MQTT-3.2.2-20] [MQTT-3.4.2-3] [MQTT-3.5.2-3] [MQTT-3.6.2-3] [MQTT-3.7.2-3] [MQTT-3.9.2-2] [MQTT-3.11.2-2]
      // [MQTT-3.14.2-4] [MQTT-3.15.2-3]
      writer.length = start
      writePacket(writer, packet, { ...properties, reasonString: undefined, userProperties: undefined }, version)
      if (writer.length - start <= limit) return true
    }
    writer.length = start
    return false
  } catch (error) {
    writer.length = start
    throw error
  }
}

/** The bytes of one packet. */
export function encodeToBuffer(packet: Packet, version: ProtocolVersion): Buffer {
  const writer = new ByteWriter(64)
  encodePacket(writer, packet, version)
  return writer.view()
}

function carriesReason(type: PacketType): boolean {
  return type !== 'publish' && type !== 'connect' && type !== 'subscribe' && type !== 'unsubscribe'
}

function hidesProblems(type: PacketType): boolean {
  return type !== 'publish' && type !== 'connack' && type !== 'disconnect'
}

function writePacket(writer: ByteWriter, packet: Packet, properties: Properties, version: ProtocolVersion): void {
  switch (packet.type) {
    case 'publish':
      writePublishPacket(writer, packet, properties, version)
      return
    case 'pingreq':
      writer.uint16(0xc000)
      return
    case 'pingresp':
      writer.uint16(0xd000)
      return
  }
  const start = writer.length
  writer.uint16(firstBytes[packet.type] << 8)
  switch (packet.type) {
    case 'connect':
      writeConnect(writer, packet, properties)
      break
    case 'connack':
      writeConnack(writer, packet, properties, version)
      break
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      writer.uint16(checkPacketId(packet.packetId))
      if (version === 5) writeReason(writer, packet.reasonCode, properties, packet.type, false)
      break
    case 'subscribe':
      writeSubscribe(writer, packet, properties, version)
      break
    case 'suback':
      writeSuback(writer, packet, properties, version)
      break
    case 'unsubscribe':
      writeUnsubscribe(writer, packet, properties, version)
      break
    case 'unsuback':
      writeUnsuback(writer, packet, properties, version)
      break
    case 'disconnect':
      if (version === 5) writeReason(writer, packet.reasonCode, properties, 'disconnect', false)
      break
    case 'auth':
      if (version !== 5) throw new TypeError('auth exists only in MQTT 5')
      writeReason(writer, packet.reasonCode, properties, 'auth', true)
      break
    default:
      throw new TypeError(`type: there is no packet '${(packet as { type: unknown }).type}'`)
  }
  writer.fillLength(start + 1)
}

const firstBytes: { readonly [T in PacketType]: number } = {
  connect: 0x10,
  connack: 0x20,
  publish: 0x30,
  puback: 0x40,
  pubrec: 0x50,
  pubrel: 0x62,
  pubcomp: 0x70,
  subscribe: 0x82,
  suback: 0x90,
  unsubscribe: 0xa2,
  unsuback: 0xb0,
  pingreq: 0xc0,
  pingresp: 0xd0,
  disconnect: 0xe0,
  auth: 0xf0,
}

function checkPacketId(packetId: number): number {
  return checkInteger(packetId, 1, 0xffff, 'packetId')
}

function checkReason(reasonCode: number, type: PacketType): number {
  if (!isReasonCodeAllowed(type, reasonCode)) {
    throw new TypeError(`reasonCode ${reasonCode} is not allowed in ${type}`)
  }
  return reasonCode
}

function writeProperties(writer: ByteWriter, properties: Properties, holder: PropertyHolder): void {
  const position = writer.length
  writer.byte(0)
  if (properties === noProperties) return
  encodeProperties(writer, properties, holder)
  writer.fillLength(position)
}

/** Reason code and properties; both are left out where the specification allows and they say nothing. */
function writeReason(
  writer: ByteWriter,
  reasonCode: number,
  properties: Properties,
  type: PacketType,
  always: boolean,
): void {
  const position = writer.length
  writer.byte(checkReason(reasonCode, type))
  writeProperties(writer, properties, type)
  if (always && reasonCode !== 0) return
  if (writer.length === position + 2) writer.length = reasonCode === 0 ? position : position + 1
}

function writePublishPacket(
  writer: ByteWriter,
  packet: PublishPacket,
  properties: Properties,
  version: ProtocolVersion,
): void {
  checkInteger(packet.qos, 0, 2, 'qos')
  if (packet.qos !== 0) checkPacketId(packet.packetId ?? 0)
  if (!(packet.payload instanceof Uint8Array)) throw new TypeError('payload must be a Uint8Array')
  const topic = checkString(packet.topic, 'topic')
  // [MQTT-3.3.2-2] [MQTT-3.3.2-2 v3.1.1]
  if (topic.includes('+') || topic.includes('#')) throw new TypeError('topic contains a wildcard')
  if (topic === '' && (version !== 5 || properties.topicAlias === undefined)) throw new TypeError('topic is empty')
  const { payload, qos, retain, dup } = packet
  writePublish(writer, topic, payload, qos, retain, dup, packet.packetId ?? 0, properties, version)
}

function writeConnect(writer: ByteWriter, packet: ConnectPacket, properties: Properties): void {
  const { will, username, password, protocolVersion: version } = packet
  const name = version === 3 ? 'MQIsdp' : 'MQTT'
  if (packet.protocolName !== name) {
    throw new TypeError(`protocolName must be ${name} for version ${version}, got ${packet.protocolName}`)
  }
  if (version !== 5 && password !== undefined && username === undefined) {
    throw new TypeError('password without username is possible only in MQTT 5')
  }
  let flags = packet.cleanStart ? 2 : 0
  if (will !== undefined) {
    flags |= 4 | (checkInteger(will.qos, 0, 2, 'will.qos') << 3) | (will.retain ? 0x20 : 0)
  }
  if (username !== undefined) flags |= 0x80
  if (password !== undefined) flags |= 0x40
  writer.string(name)
  writer.byte(packet.bridge && version !== 5 ? version | 0x80 : version)
  writer.byte(flags)
  writer.uint16(checkInteger(packet.keepAlive, 0, 0xffff, 'keepAlive'))
  if (version === 5) {
    if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
      throw new TypeError('properties.authenticationData without properties.authenticationMethod')
    }
    writeProperties(writer, properties, 'connect')
  }
  writer.string(checkString(packet.clientId, 'clientId'))
  if (will !== undefined) {
    if (version === 5) writeProperties(writer, will.properties, 'will')
    writer.string(checkString(will.topic, 'will.topic'))
    writer.binary(checkBytes(will.payload, 'will.payload'))
  }
  if (username !== undefined) writer.string(checkString(username, 'username'))
  if (password !== undefined) writer.binary(checkBytes(password, 'password'))
}

function writeConnack(
  writer: ByteWriter,
  packet: ConnackPacket,
  properties: Properties,
  version: ProtocolVersion,
): void {
  checkReason(packet.reasonCode, 'connack')
  // [MQTT-3.2.2-6] [MQTT-3.2.2-4 v3.1.1]; the byte is reserved in 3.1.
  writer.byte(packet.sessionPresent && packet.reasonCode === 0 && version !== 3 ? 1 : 0)
  writer.byte(version === 5 ? packet.reasonCode : connackReturnCode(packet.reasonCode))
  if (version === 5) writeProperties(writer, properties, 'connack')
}

function writeSubscribe(
  writer: ByteWriter,
  packet: SubscribePacket,
  properties: Properties,
  version: ProtocolVersion,
): void {
  writer.uint16(checkPacketId(packet.packetId))
  if (version === 5) writeProperties(writer, properties, 'subscribe')
  // [MQTT-3.8.3-2] [MQTT-3.8.3-3 v3.1.1]
  if (packet.subscriptions.length === 0) throw new TypeError('subscriptions is empty')
  for (const { filter, options } of packet.subscriptions) {
    writer.string(checkString(filter, 'filter'))
    let byte = checkInteger(options.qos, 0, 2, 'options.qos')
    if (version === 5) {
      byte |= checkInteger(options.retainHandling, 0, 2, 'options.retainHandling') << 4
      if (options.noLocal) byte |= 4
      if (options.retainAsPublished) byte |= 8
    }
    writer.byte(byte)
  }
}

function writeSuback(writer: ByteWriter, packet: SubackPacket, properties: Properties, version: ProtocolVersion): void {
  writer.uint16(checkPacketId(packet.packetId))
  if (version === 5) writeProperties(writer, properties, 'suback')
  if (packet.reasonCodes.length === 0) throw new TypeError('reasonCodes is empty')
  for (const code of packet.reasonCodes) {
    checkReason(code, 'suback')
    // [MQTT-3.9.3-2 v3.1.1]
    writer.byte(version !== 5 && code >= 0x80 ? 0x80 : code)
  }
}

function writeUnsubscribe(
  writer: ByteWriter,
  packet: UnsubscribePacket,
  properties: Properties,
  version: ProtocolVersion,
): void {
  writer.uint16(checkPacketId(packet.packetId))
  if (version === 5) writeProperties(writer, properties, 'unsubscribe')
  // [MQTT-3.10.3-2] [MQTT-3.10.3-2 v3.1.1]
  if (packet.filters.length === 0) throw new TypeError('filters is empty')
  for (const filter of packet.filters) writer.string(checkString(filter, 'filter'))
}

function writeUnsuback(
  writer: ByteWriter,
  packet: UnsubackPacket,
  properties: Properties,
  version: ProtocolVersion,
): void {
  writer.uint16(checkPacketId(packet.packetId))
  if (version !== 5) return
  writeProperties(writer, properties, 'unsuback')
  if (packet.reasonCodes.length === 0) throw new TypeError('reasonCodes is empty')
  for (const code of packet.reasonCodes) writer.byte(checkReason(code, 'unsuback'))
}
