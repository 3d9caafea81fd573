import { fromBinary, v3 } from '@hookmq/exhook-proto'
import { Reader } from './wire.ts'

/** A message as the broker sent it. Fields are decoded when they are first looked at: a hook pays for what it uses. */
export interface Message {
  /** Name of the broker's node. */
  readonly node: string
  /** 32 hexadecimal digits; later messages have greater ones. */
  readonly id: string
  readonly qos: 0 | 1 | 2
  /** Client id of the publisher, or a bare name for messages of the broker itself. */
  readonly from: string
  readonly topic: string
  /** A view: copy it when you keep it for long. */
  readonly payload: Buffer
  /** When the broker got it, milliseconds since the epoch. */
  readonly timestamp: number
  /** username, protocol, peerhost, allow_publish. */
  readonly headers: Readonly<Record<string, string>>
}

const nothing = Buffer.alloc(0)

/** Offsets into the buffer, found in one pass at the first look. */
class LazyMessage implements Message {
  readonly #buffer: Buffer
  readonly #start: number
  readonly #end: number
  #parsed = false
  #nodeAt = -1
  #idAt = -1
  #fromAt = -1
  #topicAt = -1
  #payloadAt = -1
  #headersAt = -1
  #qos = 0
  #timestamp = 0
  #topic: string | undefined
  #payload: Buffer | undefined
  #headers: Readonly<Record<string, string>> | undefined

  constructor(buffer: Buffer, start: number, end: number) {
    this.#buffer = buffer
    this.#start = start
    this.#end = end
  }

  get node(): string {
    return this.#text(this.#look().#nodeAt)
  }

  get id(): string {
    return this.#text(this.#look().#idAt)
  }

  get qos(): 0 | 1 | 2 {
    return this.#look().#qos as 0 | 1 | 2
  }

  get from(): string {
    return this.#text(this.#look().#fromAt)
  }

  get topic(): string {
    this.#topic ??= this.#text(this.#look().#topicAt)
    return this.#topic
  }

  get payload(): Buffer {
    if (this.#payload === undefined) {
      const at = this.#look().#payloadAt
      if (at === -1) this.#payload = nothing
      else {
        const reader = new Reader(this.#buffer, at, this.#end)
        const length = reader.length()
        this.#payload = this.#buffer.subarray(reader.position, reader.position + length)
      }
    }
    return this.#payload
  }

  get timestamp(): number {
    return this.#look().#timestamp
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= this.#readHeaders()
    return this.#headers
  }

  toJSON(): Record<string, unknown> {
    const { node, id, qos, from, topic, payload, timestamp, headers } = this
    return { node, id, qos, from, topic, payload: payload.toString('base64'), timestamp, headers }
  }

  #look(): this {
    if (this.#parsed) return this
    this.#parsed = true
    const reader = new Reader(this.#buffer, this.#start, this.#end)
    while (reader.more) {
      const tag = reader.varint()
      const at = reader.position
      switch (tag) {
        case 0x0a:
          this.#nodeAt = at
          break
        case 0x12:
          this.#idAt = at
          break
        case 0x18:
          this.#qos = reader.varint()
          continue
        case 0x22:
          this.#fromAt = at
          break
        case 0x2a:
          this.#topicAt = at
          break
        case 0x32:
          this.#payloadAt = at
          break
        case 0x38:
          this.#timestamp = reader.varint()
          continue
        case 0x42:
          if (this.#headersAt === -1) this.#headersAt = at - 1
          break
      }
      reader.skip(tag)
    }
    return this
  }

  #text(at: number): string {
    return at === -1 ? '' : new Reader(this.#buffer, at, this.#end).string()
  }

  #readHeaders(): Readonly<Record<string, string>> {
    const headers: Record<string, string> = Object.create(null)
    const at = this.#look().#headersAt
    if (at === -1) return headers
    const reader = new Reader(this.#buffer, at, this.#end)
    while (reader.more) {
      const tag = reader.varint()
      if (tag !== 0x42) {
        reader.skip(tag)
        continue
      }
      const length = reader.length()
      const entry = new Reader(this.#buffer, reader.position, reader.position + length)
      reader.position += length
      let name = ''
      let value = ''
      while (entry.more) {
        const part = entry.varint()
        if (part === 0x0a) name = entry.string()
        else if (part === 0x12) value = entry.string()
        else entry.skip(part)
      }
      headers[name] = value
    }
    return headers
  }
}

const noMeta: v3.RequestMeta = fromBinary(v3.RequestMetaSchema, nothing)
const noClient: v3.ClientInfo = fromBinary(v3.ClientInfoSchema, nothing)

/** The requests about messages. Which fields there are is said by the numbers in the constructor. */
export class LazyMessageRequest {
  readonly message: Message
  readonly #buffer: Buffer
  readonly #start: number
  readonly #end: number
  readonly #tags: RequestTags
  #meta: v3.RequestMeta | undefined

  constructor(buffer: Buffer, start: number, end: number, tags: RequestTags, meta: v3.RequestMeta | undefined) {
    this.#buffer = buffer
    this.#start = start
    this.#end = end
    this.#tags = tags
    this.#meta = meta
    this.message = this.#messageOf()
  }

  /** Who receives, or acknowledged. */
  get clientinfo(): v3.ClientInfo {
    const [bytes] = this.#all(this.#tags.clientinfo)
    return bytes === undefined ? noClient : fromBinary(v3.ClientInfoSchema, bytes)
  }

  get meta(): v3.RequestMeta {
    if (this.#meta === undefined) {
      const [bytes] = this.#all(this.#tags.meta)
      this.#meta = bytes === undefined ? noMeta : fromBinary(v3.RequestMetaSchema, bytes)
    }
    return this.#meta
  }

  get reason(): string {
    return this.#all(this.#tags.reason)[0]?.toString() ?? ''
  }

  /** MQTT 5 properties. */
  get props(): readonly v3.Property[] {
    return this.#all(this.#tags.props).map((bytes) => fromBinary(v3.PropertySchema, bytes))
  }

  get userProps(): readonly v3.Property[] {
    return this.#all(this.#tags.userProps).map((bytes) => fromBinary(v3.PropertySchema, bytes))
  }

  #messageOf(): Message {
    const reader = new Reader(this.#buffer, this.#start, this.#end)
    while (reader.more) {
      const tag = reader.varint()
      if (tag === this.#tags.message) {
        const length = reader.length()
        return new LazyMessage(this.#buffer, reader.position, reader.position + length)
      }
      reader.skip(tag)
    }
    return new LazyMessage(nothing, 0, 0)
  }

  #all(wanted: number | undefined): Buffer[] {
    const found: Buffer[] = []
    if (wanted === undefined) return found
    const reader = new Reader(this.#buffer, this.#start, this.#end)
    while (reader.more) {
      const tag = reader.varint()
      if (tag !== wanted) {
        reader.skip(tag)
        continue
      }
      const length = reader.length()
      found.push(this.#buffer.subarray(reader.position, reader.position + length))
      reader.position += length
    }
    return found
  }
}

/** Tags (number and wire type) of the fields that a request has. */
export interface RequestTags {
  readonly message: number
  readonly meta: number
  readonly clientinfo?: number
  readonly reason?: number
  readonly props?: number
  readonly userProps?: number
}

export const messageRequestTags: Readonly<Record<string, RequestTags>> = {
  'message.publish': { message: 0x0a, meta: 0x12, props: 0x1a, userProps: 0x22 },
  'message.delivered': { clientinfo: 0x0a, message: 0x12, meta: 0x1a },
  'message.dropped': { message: 0x0a, reason: 0x12, meta: 0x1a },
  'message.acked': { clientinfo: 0x0a, message: 0x12, meta: 0x1a },
}
