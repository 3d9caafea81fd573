import type { Message, MessageHeaders } from '@hookmq/api'
import type { Properties, QoS } from '@hookmq/mqtt'

/** A message on the other side. As with the broker's own, `{ ...message }` has every field but the id, which stays as it is. */
export class CarriedMessage implements Message {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  readonly from: string
  readonly timestamp: number
  readonly properties: Properties
  readonly headers: MessageHeaders
  readonly #id: Buffer

  constructor(
    topic: string,
    payload: Uint8Array,
    flags: number,
    from: string,
    timestamp: number,
    properties: Properties,
    headers: MessageHeaders,
    id: Buffer,
  ) {
    this.topic = topic
    this.payload = payload
    this.qos = (flags & 3) as QoS
    this.retain = (flags & 4) !== 0
    this.dup = (flags & 8) !== 0
    this.from = from
    this.timestamp = timestamp
    this.properties = properties
    this.headers = headers
    this.#id = id
  }

  get id(): string {
    return this.#id.toString('latin1')
  }
}

/** A message of the broker has its id on its prototype; what a plugin made of one by spreading has none. */
export function isMessage(value: object): value is Message {
  return (
    !Object.hasOwn(value, 'id') &&
    'id' in value &&
    (value as Partial<Message>).payload instanceof Uint8Array &&
    typeof (value as Partial<Message>).topic === 'string'
  )
}

const changeable = ['topic', 'payload', 'qos', 'retain', 'from', 'properties', 'headers'] as const

/** What a hook answered on a message, with only those fields that it changed: the broker keeps the others. */
export function changesOnly(message: Message, next: unknown): unknown {
  if (next === message || typeof next !== 'object' || next === null) return next
  let changed: Record<string, unknown> | undefined
  for (const field of changeable) {
    const value = (next as Record<string, unknown>)[field]
    if (value === message[field] || value === undefined) continue
    changed ??= {}
    changed[field] = value
  }
  return changed
}
