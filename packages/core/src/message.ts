import type { Message, MessageHeaders, MessageInit } from '@hookmq/api'
import type { Properties, QoS } from '@hookmq/mqtt'

const noProperties: Properties = Object.freeze({})
const noHeaders: MessageHeaders = Object.freeze({})

// 16 bytes as EMQX makes them: microseconds, node and process, sequence; so ids sort by time.
const processPart = Math.floor(Math.random() * 2 ** 48)
  .toString(16)
  .padStart(12, '0')
  .toUpperCase()
let sequence = 0
let lastMicroseconds = 0
/** What 256 ids have in common, for as long as the time stands still. */
let prefix = ''
let prefixMicroseconds = -1
let prefixSequence = -1
const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0').toUpperCase())

function makeId(timestamp: number): string {
  const microseconds = Math.max(timestamp * 1000, lastMicroseconds)
  lastMicroseconds = microseconds
  sequence = (sequence + 1) & 0xffff
  // A wrapped sequence within one millisecond would repeat an id: move the time on instead.
  if (sequence === 0) lastMicroseconds++
  const high = sequence >> 8
  if (microseconds !== prefixMicroseconds || high !== prefixSequence) {
    prefixMicroseconds = microseconds
    prefixSequence = high
    prefix = microseconds.toString(16).padStart(16, '0').toUpperCase() + processPart + hexBytes[high]
  }
  return prefix + hexBytes[sequence & 0xff]
}

/** Stands for a payload that nobody wanted to see. Whoever routes such a message gives it its own before. */
export const unseenPayload: Buffer = Buffer.alloc(0)

function liesAmongOthers({ buffer, length }: Uint8Array): boolean {
  return buffer.byteLength > 2 * length + 64
}

function ownCopy(bytes: Uint8Array): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length)
  own.set(bytes)
  return own
}

/** The one shape of message that moves inside the core. Hooks see it as a `Message`. */
export class BrokerMessage implements Message {
  readonly topic: string
  payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  readonly from: string
  readonly timestamp: number
  properties: Properties
  readonly headers: MessageHeaders
  /** Shared by a message and what hooks made of it: one id, made when somebody asks. */
  #identity: { id: string | undefined } | undefined
  /** A hook that does not answer for it changed the topic: authorize again before routing. */
  #recheck = false
  #topicBytes: Buffer | undefined

  constructor(
    topic: string,
    payload: Uint8Array,
    qos: QoS,
    retain: boolean,
    dup: boolean,
    from: string,
    timestamp: number,
    properties: Properties = noProperties,
    headers: MessageHeaders = noHeaders,
    id?: string,
  ) {
    this.topic = topic
    this.payload = payload
    this.qos = qos
    this.retain = retain
    this.dup = dup
    this.from = from
    this.timestamp = timestamp
    this.properties = properties
    this.headers = headers
    this.#identity = id === undefined ? undefined : { id }
  }

  get id(): string {
    this.#identity ??= { id: undefined }
    this.#identity.id ??= makeId(this.timestamp)
    return this.#identity.id
  }

  /** The id, when somebody has asked for it. */
  get seenId(): string | undefined {
    return this.#identity?.id
  }

  /** The topic in UTF-8, if somebody has made that: for a single receiver it is not worth an object. */
  get topicToSend(): string | Buffer {
    return this.#topicBytes ?? this.topic
  }

  /** The topic in UTF-8, made once for all receivers. */
  get topicBytes(): Buffer {
    this.#topicBytes ??= Buffer.from(this.topic)
    return this.#topicBytes
  }

  /** For a publisher's packet, which has them already. */
  set topicBytes(bytes: Buffer) {
    this.#topicBytes = bytes
  }

  /** For a message that will wait: what lies in memory that is shared with many others would keep all of it. Gives it memory of its own. */
  compact(): void {
    const { payload, properties } = this
    if (liesAmongOthers(payload)) this.payload = ownCopy(payload)
    if (this.#topicBytes !== undefined && liesAmongOthers(this.#topicBytes)) this.#topicBytes = undefined
    const { correlationData } = properties
    if (correlationData !== undefined && liesAmongOthers(correlationData))
      this.properties = { ...properties, correlationData: ownCopy(correlationData) }
  }

  get needsRecheck(): boolean {
    return this.#recheck
  }

  static from(init: MessageInit, now: number): BrokerMessage {
    const payload =
      typeof init.payload === 'string' ? Buffer.from(init.payload) : (init.payload ?? (Buffer.alloc(0) as Uint8Array))
    return new BrokerMessage(
      init.topic,
      payload,
      init.qos ?? 0,
      init.retain ?? false,
      false,
      init.from ?? 'internal',
      now,
      init.properties,
      init.headers,
    )
  }

  /**
   * What a hook returned, as a message again: fields that it left out keep their value. `answersForTopic`: the hook said
   * `recheck: false`. Returns a sentence when the value is not a message.
   */
  static adopt(previous: BrokerMessage, next: unknown, answersForTopic: boolean): BrokerMessage | string {
    if (next === previous) return previous
    if (typeof next !== 'object' || next === null)
      return `expected a message, got ${next === null ? 'null' : typeof next}`
    const value = next as Partial<Message> & { payload?: unknown }
    const topic = value.topic ?? previous.topic
    if (typeof topic !== 'string') return `message.topic must be a string, got ${typeof topic}`
    let payload: unknown = value.payload ?? previous.payload
    if (typeof payload === 'string') payload = Buffer.from(payload)
    if (!(payload instanceof Uint8Array))
      return `message.payload must be a Uint8Array or a string, got ${typeof payload}`
    const qos = value.qos ?? previous.qos
    if (qos !== 0 && qos !== 1 && qos !== 2) return `message.qos must be 0, 1 or 2, got ${String(qos)}`
    const message = new BrokerMessage(
      topic,
      payload,
      qos,
      value.retain === undefined ? previous.retain : value.retain === true,
      previous.dup,
      typeof value.from === 'string' ? value.from : previous.from,
      previous.timestamp,
      value.properties ?? previous.properties,
      value.headers ?? previous.headers,
    )
    previous.#identity ??= { id: undefined }
    message.#identity = previous.#identity
    if (topic === previous.topic) message.#topicBytes = previous.#topicBytes
    message.#recheck = previous.#recheck || (topic !== previous.topic && !answersForTopic)
    return message
  }
}
