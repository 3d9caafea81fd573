// What stands behind the fixed header of each packet; PUBLISH, whose length must be known first, as a whole.
import { writePublish } from './encode-publish.ts'
import type {
  ConnackPacket,
  ConnectPacket,
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
import type { ByteWriter } from './writer.ts'

export function checkPacketId(packetId: number): number {
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
export function writeReason(
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

export function writePublishPacket(
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

export function writeConnect(writer: ByteWriter, packet: ConnectPacket, properties: Properties): void {
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

export function writeConnack(
  writer: ByteWriter,
  packet: ConnackPacket,
  properties: Properties,
  version: ProtocolVersion,
): void {
  // Before MQTT 5 each code has a return code that stands for it.
  if (version === 5) checkReason(packet.reasonCode, 'connack')
  // [MQTT-3.2.2-6] [MQTT-3.2.2-4 v3.1.1]; the byte is reserved in 3.1.
  writer.byte(packet.sessionPresent && packet.reasonCode === 0 && version !== 3 ? 1 : 0)
  writer.byte(version === 5 ? packet.reasonCode : connackReturnCode(packet.reasonCode))
  if (version === 5) writeProperties(writer, properties, 'connack')
}

export function writeSubscribe(
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

export function writeSuback(
  writer: ByteWriter,
  packet: SubackPacket,
  properties: Properties,
  version: ProtocolVersion,
): void {
  writer.uint16(checkPacketId(packet.packetId))
  if (version === 5) writeProperties(writer, properties, 'suback')
  if (packet.reasonCodes.length === 0) throw new TypeError('reasonCodes is empty')
  for (const code of packet.reasonCodes) {
    checkReason(code, 'suback')
    // [MQTT-3.9.3-2 v3.1.1]
    writer.byte(version !== 5 && code >= 0x80 ? 0x80 : code)
  }
}

export function writeUnsubscribe(
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

export function writeUnsuback(
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
