import type { ClientInfo, HookPointName, Message, MessageHeaders } from '@hookmq/api'
import { type EncodeContext, encodeRequest } from '../map/index.ts'
import { FrameWriter, mostBytes, putText, putVarint } from './frame-writer.ts'

/** Writes the requests of one provider straight into frames: those about messages without a copy in between. */
export class RequestWriter {
  /** Its `meta` is undefined: the stream's hello says it. */
  readonly context: EncodeContext
  /** The field `node` of a Message, encoded. */
  readonly #node: Uint8Array
  /** The field `headers` of a Message, encoded: publishers have theirs as long as they are connected. */
  readonly #headers = new WeakMap<MessageHeaders, Uint8Array>()
  readonly #scratch = new FrameWriter(1024)

  constructor(context: EncodeContext) {
    this.context = context
    this.#scratch.string(0x0a, context.node)
    this.#node = this.#scratch.take()
  }

  write(writer: FrameWriter, point: HookPointName, args: unknown, accumulator: unknown): void {
    if (!this.context.full && this.#writeMessage(writer, point, args, accumulator)) return
    const request = encodeRequest(this.context, point, args as never, accumulator as never)
    if (request !== undefined) writer.raw(request)
  }

  /** false: not one of the messages that can be written here. */
  #writeMessage(writer: FrameWriter, point: HookPointName, args: unknown, accumulator: unknown): boolean {
    switch (point) {
      case 'message.publish': {
        const message = accumulator as Message
        // MQTT 5 properties go into fields of the request.
        for (const _ in message.properties) return false
        this.#message(writer, 0x0a, message)
        return true
      }
      case 'message.delivered':
        writer.bytes(0x0a, this.context.clients.of((args as { readonly client: ClientInfo }).client))
        this.#message(writer, 0x12, accumulator as Message)
        return true
      case 'message.acked': {
        const { client, message } = args as { readonly client: ClientInfo; readonly message: Message }
        writer.bytes(0x0a, this.context.clients.of(client))
        this.#message(writer, 0x12, message)
        return true
      }
      case 'message.dropped': {
        const { message, reason } = args as { readonly message: Message; readonly reason: string }
        this.#message(writer, 0x0a, message)
        writer.string(0x12, reason)
        return true
      }
      default:
        return false
    }
  }

  #message(writer: FrameWriter, tag: number, message: Message): void {
    const { payload, topic, from, qos, headers } = message
    const headerBytes = this.#headersOf(headers)
    const expected = this.#node.length + 48 + from.length + topic.length + payload.length + headerBytes.length
    const mark = writer.begin(tag, expected)
    const { id } = message
    const buffer = writer.room(64 + expected + mostBytes(id) + mostBytes(from) + mostBytes(topic))
    let at = writer.position
    buffer.set(this.#node, at)
    at += this.#node.length
    if (id !== '') {
      buffer[at++] = 0x12
      at = putText(buffer, at, id)
    }
    if (qos !== 0) {
      buffer[at++] = 0x18
      buffer[at++] = qos
    }
    if (from !== '') {
      buffer[at++] = 0x22
      at = putText(buffer, at, from)
    }
    if (topic !== '') {
      buffer[at++] = 0x2a
      at = putText(buffer, at, topic)
    }
    if (payload.length > 0) {
      buffer[at++] = 0x32
      at = putVarint(buffer, at, payload.length)
      buffer.set(payload, at)
      at += payload.length
    }
    const timestamp = Math.max(0, Math.trunc(message.timestamp))
    if (timestamp !== 0) {
      buffer[at++] = 0x38
      at = putVarint(buffer, at, timestamp)
    }
    buffer.set(headerBytes, at)
    writer.position = at + headerBytes.length
    writer.end(mark)
  }

  #headersOf(headers: MessageHeaders): Uint8Array {
    let bytes = this.#headers.get(headers)
    if (bytes === undefined) {
      const { username, protocol, peerhost, allowPublish } = headers
      if (username !== undefined) this.#header('username', username)
      // What the broker publishes by itself has no protocol.
      if (protocol !== undefined && protocol !== 'internal') this.#header('protocol', protocol)
      if (peerhost !== undefined) this.#header('peerhost', peerhost)
      if (allowPublish !== undefined) this.#header('allow_publish', String(allowPublish))
      bytes = this.#scratch.take()
      this.#headers.set(headers, bytes)
    }
    return bytes
  }

  #header(name: string, value: string): void {
    const mark = this.#scratch.begin(0x42, name.length + value.length + 4)
    this.#scratch.present(0x0a, name)
    this.#scratch.present(0x12, value)
    this.#scratch.end(mark)
  }
}
