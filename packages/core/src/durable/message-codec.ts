import type { Message, MessageHeaders } from '@hookmq/api'
import { ByteWriter, decodeProperties, encodeProperties, type QoS } from '@hookmq/mqtt'
import { BrokerMessage } from '../message.ts'

/** First byte of every body: how the rest is to be read. */
const version = 1

const idLength = 32
/** version, flags, time, id, then the lengths of topic, sender, headers and properties. */
const fixedLength = 2 + 8 + idLength + 2 + 2 + 4 + 4

const writer = new ByteWriter(1024)

/** Most messages of a client have the same headers object. */
let lastHeaders: MessageHeaders | undefined
let lastHeadersText = ''

/** What the last message was written into; large ones have their own. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024)

/** A message as stores keep it. */
export function encodeMessage(message: Message): Uint8Array {
  return encode(message, (length) => Buffer.allocUnsafeSlow(length))
}

/** The same in memory that the next call uses again: memory of its own for each message would keep the garbage collector busy. */
export function encodeForNow(message: Message): Uint8Array {
  return encode(message, (length) => {
    if (length > scratch.length) return Buffer.allocUnsafeSlow(length)
    return scratch.subarray(0, length)
  })
}

function encode(message: Message, room: (length: number) => Buffer): Uint8Array {
  const { headers, properties, payload } = message
  if (headers !== lastHeaders) {
    lastHeadersText = JSON.stringify(headers)
    lastHeaders = headers
  }
  writer.reset()
  encodeProperties(writer, properties, 'publish')
  const propertyBytes = writer.view()
  const topic = message instanceof BrokerMessage ? message.topicBytes : Buffer.from(message.topic)
  const fromLength = Buffer.byteLength(message.from)
  const headersLength = Buffer.byteLength(lastHeadersText)
  const body = room(fixedLength + topic.length + fromLength + headersLength + propertyBytes.length + payload.length)
  body[0] = version
  body[1] = message.qos | (message.retain ? 4 : 0)
  let at = body.writeDoubleLE(message.timestamp, 2)
  at += body.write(message.id, at, idLength, 'latin1')
  at = body.writeUInt16LE(topic.length, at)
  at = body.writeUInt16LE(fromLength, at)
  at = body.writeUInt32LE(headersLength, at)
  at = body.writeUInt32LE(propertyBytes.length, at)
  body.set(topic, at)
  at += topic.length
  at += body.write(message.from, at)
  at += body.write(lastHeadersText, at)
  body.set(propertyBytes, at)
  body.set(payload, at + propertyBytes.length)
  return body
}

/** Throws a RangeError or TypeError for bytes that encodeMessage did not write. */
export function decodeMessage(bytes: Uint8Array): BrokerMessage {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (body[0] !== version) throw new TypeError(`a stored message of version ${body[0]}; this program reads ${version}`)
  const flags = body.readUInt8(1)
  const timestamp = body.readDoubleLE(2)
  const id = body.toString('latin1', 10, 10 + idLength)
  let at = 10 + idLength
  const topicLength = body.readUInt16LE(at)
  const fromLength = body.readUInt16LE(at + 2)
  const headersLength = body.readUInt32LE(at + 4)
  const propertiesLength = body.readUInt32LE(at + 8)
  at = fixedLength
  const text = (length: number): string => {
    at += length
    return body.toString('utf8', at - length, at)
  }
  const topic = text(topicLength)
  const from = text(fromLength)
  const headers = JSON.parse(text(headersLength)) as MessageHeaders
  const properties = decodeProperties(body, at, at + propertiesLength, 'publish')
  const payload = body.subarray(at + propertiesLength)
  return new BrokerMessage(
    topic,
    payload,
    (flags & 3) as QoS,
    (flags & 4) !== 0,
    false,
    from,
    timestamp,
    properties,
    headers,
    id,
  )
}
