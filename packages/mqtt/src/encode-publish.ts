import type { Properties, ProtocolVersion, QoS } from './packets.ts'
import { encodeProperties, propertiesSize } from './property-encode.ts'
import { type ByteWriter, variableIntegerSize } from './writer.ts'

const largestRemainingLength = 268_435_455

function remainingLength(
  topicLength: number,
  payloadLength: number,
  qos: QoS,
  propertiesLength: number,
  version: ProtocolVersion,
): number {
  const length = 2 + topicLength + (qos === 0 ? 0 : 2) + payloadLength
  return version === 5 ? length + variableIntegerSize(propertiesLength) + propertiesLength : length
}

/** Bytes of a whole PUBLISH; all lengths in bytes, `propertiesLength` without the length before the properties. */
export function publishSize(
  topicLength: number,
  payloadLength: number,
  qos: QoS,
  propertiesLength: number,
  version: ProtocolVersion,
): number {
  const length = remainingLength(topicLength, payloadLength, qos, propertiesLength, version)
  return 1 + variableIntegerSize(length) + length
}

/**
 * Appends a PUBLISH without allocating. `topic` as UTF-8 bytes or as a string; `packetId` is ignored at QoS 0; `properties`
 * as encoded bytes (without their length) or as an object, ignored below MQTT 5. The topic is not checked. Throws TypeError for a
 * packet identifier, length or property that cannot be written.
 */
export function writePublish(
  writer: ByteWriter,
  topic: Uint8Array | string,
  payload: Uint8Array,
  qos: QoS,
  retain: boolean,
  dup: boolean,
  packetId: number,
  properties: Uint8Array | Properties | undefined,
  version: ProtocolVersion,
): void {
  const topicLength = typeof topic === 'string' ? Buffer.byteLength(topic) : topic.length
  if (topicLength > 0xffff) throw new TypeError('topic is longer than 65535 bytes')
  let propertiesLength = 0
  if (version === 5 && properties !== undefined) {
    propertiesLength = properties instanceof Uint8Array ? properties.length : propertiesSize(properties)
  }
  const length = remainingLength(topicLength, payload.length, qos, propertiesLength, version)
  if (length > largestRemainingLength) throw new TypeError('payload is too long for a packet')
  writer.ensure(5 + length)
  const buffer = writer.buffer
  let at = writer.length
  // [MQTT-3.3.1-2] [MQTT-3.3.1-2 v3.1.1]
  buffer[at++] = 0x30 | (qos << 1) | (retain ? 1 : 0) | (dup && qos !== 0 ? 8 : 0)
  if (length < 0x80) {
    buffer[at++] = length
  } else {
    writer.length = at
    writer.variableInteger(length)
    at = writer.length
  }
  writer.length = at
  if (typeof topic === 'string') {
    writer.string(topic)
  } else {
    buffer[at] = topicLength >> 8
    buffer[at + 1] = topicLength
    writer.length = at + 2
    writer.bytes(topic)
  }
  if (qos !== 0) {
    // [MQTT-2.2.1-2] [MQTT-2.2.1-4]
    if (!(packetId > 0 && packetId <= 0xffff)) throw new TypeError(`packetId must be from 1 to 65535, got ${packetId}`)
    writer.uint16(packetId)
  }
  if (version === 5) {
    writer.variableInteger(propertiesLength)
    if (properties !== undefined && propertiesLength > 0) {
      if (properties instanceof Uint8Array) writer.bytes(properties)
      else encodeProperties(writer, properties, 'publish')
    }
  }
  writer.bytes(payload)
}
