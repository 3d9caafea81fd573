import type { Properties, ProtocolVersion, QoS } from './packets.ts'
import { encodeProperties } from './property-encode.ts'
import { noProperties } from './property-table.ts'
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
 * Appends a PUBLISH without allocating. `topic` as UTF-8 bytes or as a string, not checked; the payload is
 * payload[payloadStart, payloadEnd); `packetId` is ignored at QoS 0; `properties` as encoded bytes (without their length) or as an
 * object, ignored below MQTT 5. Throws TypeError, with nothing written, for a packet identifier, length or property that cannot
 * be written.
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
  payloadStart = 0,
  payloadEnd: number = payload.length,
): void {
  const payloadLength = payloadEnd - payloadStart
  const topicLength = typeof topic === 'string' ? Buffer.byteLength(topic) : topic.length
  if (topicLength > 0xffff) throw new TypeError('topic is longer than 65535 bytes')
  // [MQTT-2.2.1-2] [MQTT-2.2.1-3] [MQTT-2.2.1-4]
  if (qos !== 0 && !(packetId > 0 && packetId <= 0xffff)) {
    throw new TypeError(`packetId must be from 1 to 65535, got ${packetId}`)
  }
  let list: Uint8Array | undefined
  let object: Properties | undefined
  if (version === 5 && properties !== undefined && properties !== noProperties) {
    if (properties instanceof Uint8Array) list = properties
    else object = properties
  }
  const propertiesLength = list === undefined ? 0 : list.length
  const length = remainingLength(topicLength, payloadLength, qos, propertiesLength, version)
  if (length > largestRemainingLength) throw new TypeError('payload is too long for a packet')
  writer.ensure(5 + length)
  const start = writer.length
  // [MQTT-3.3.1-2] [MQTT-3.3.1-2 v3.1.1]
  writer.byte(0x30 | (qos << 1) | (retain ? 1 : 0) | (dup && qos !== 0 ? 8 : 0))
  if (object === undefined) writer.variableInteger(length)
  else writer.byte(0)
  if (typeof topic === 'string') {
    writer.string(topic)
  } else {
    writer.uint16(topicLength)
    writer.bytes(topic)
  }
  if (qos !== 0) writer.uint16(packetId)
  if (object !== undefined) {
    writeObject(writer, object, start, payloadLength)
  } else if (version === 5) {
    writer.variableInteger(propertiesLength)
    if (list !== undefined) writer.bytes(list)
  }
  writer.bytes(payload, payloadStart, payloadEnd)
}

/** The property list, whose length only writing it tells, and then the remaining length. */
function writeObject(writer: ByteWriter, properties: Properties, start: number, payloadLength: number): void {
  try {
    const position = writer.length
    writer.byte(0)
    encodeProperties(writer, properties, 'publish')
    writer.fillLength(position)
    if (writer.length - start - 2 + payloadLength > largestRemainingLength) {
      throw new TypeError('payload is too long for a packet')
    }
    writer.fillLength(start + 1, payloadLength)
  } catch (error) {
    writer.length = start
    throw error
  }
}
