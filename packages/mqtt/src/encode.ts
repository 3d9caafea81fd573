import {
  checkPacketId,
  writeConnack,
  writeConnect,
  writePublishPacket,
  writeReason,
  writeSuback,
  writeSubscribe,
  writeUnsuback,
  writeUnsubscribe,
} from './encode-bodies.ts'
import type { ControlPacket, Packet, PacketType, Properties, ProtocolVersion, PublishPacket } from './packets.ts'
import { noProperties } from './property-table.ts'
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
