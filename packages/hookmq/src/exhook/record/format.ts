import { HookmqError } from '../../errors.ts'

/** The format of records, by number: a reader refuses one that it does not know. */
export const formatName = 'hookmq.exhook.record'
export const formatVersion = 1

/** The first line. */
export interface RecordHeader {
  readonly format: typeof formatName
  readonly version: typeof formatVersion
  /** What was recorded: the hooks of a broker, or the answers to a replay. */
  readonly source: 'broker' | 'replay'
  /** RFC 3339. `at` of the events counts from here. */
  readonly started: string
  readonly node: string
  /** Of the program that recorded. */
  readonly hookmq: string
  readonly hooks: readonly string[]
  readonly payloads: 'kept' | 'masked'
  readonly passwords: 'kept' | 'masked'
  /** The broker runs as so many processes, and this is what happened at all of them. Absent: one. */
  readonly processes?: number
  /** Of a replay: the url, or the file of the plugin. */
  readonly target?: string
}

/** Field values of a request of emqx.exhook.v3, as protobuf writes them in JSON, under the names of the .proto file; without `meta`. */
export type RequestFields = Readonly<Record<string, unknown>>

/** What was taken out. A replay fills it with something of the same kind. */
export interface Masked {
  /** Bytes that the payload had. */
  readonly payload?: number
  readonly password?: true
  readonly authentication_data?: true
}

/** What became of an event. */
export interface RecordedVerdict {
  /**
   * allow, deny, continue: client.authenticate and client.authorize. pass (as it was), change, drop, reject, disconnect: message.publish. told:
   * others. error: the call failed. unanswered: nobody had answered when it was written down.
   */
  readonly result:
    | 'allow'
    | 'deny'
    | 'continue'
    | 'pass'
    | 'change'
    | 'drop'
    | 'reject'
    | 'disconnect'
    | 'told'
    | 'error'
    | 'unanswered'
  /** MQTT 5 reason code. */
  readonly code?: number
  /** result change: the message as it became. */
  readonly topic?: string
  readonly qos?: number
  /** base64; masked: only its length. */
  readonly payload?: string
  readonly payload_bytes?: number
  /** Of a replay to a provider: what it answered; 'not asked': it has not registered the hook, or other topics. */
  readonly answer?: string
  /** result error: why. */
  readonly reason?: string
}

export interface RecordedEvent {
  /** 1, 2, 3 … in the order in which the events happened. A replay keeps it. */
  readonly seq: number
  /** Milliseconds since `started`. */
  readonly at: number
  readonly hook: string
  readonly request: RequestFields
  readonly masked?: Masked
  /** Absent in a record of a broker where nothing is decided. */
  readonly verdict?: RecordedVerdict
  /** Milliseconds until the verdict. */
  readonly took?: number
}

/** The last line. */
export interface RecordEnd {
  /** RFC 3339. */
  readonly end: string
  readonly events: number
  /** Events that were not written down, because the buffer was full. */
  readonly dropped: number
}

export type RecordLine = RecordHeader | RecordedEvent | RecordEnd

/** @throws HookmqError */
export function readHeader(line: string, place: string): RecordHeader {
  const value = parsed(line)
  if (value === undefined || value.format !== formatName)
    throw unusable(place, 'this is no record of hook traffic; hookmq exhook record makes one')
  if (value.version !== formatVersion)
    throw unusable(
      place,
      `this record has version ${String(value.version)} of the format; this program knows ${formatVersion}`,
    )
  return value as unknown as RecordHeader
}

/** @throws HookmqError */
export function readEvent(line: string, place: string): RecordedEvent | RecordEnd {
  const value = parsed(line)
  if (value === undefined) throw unusable(place, 'expected one object of JSON')
  if (typeof value.end === 'string') return value as unknown as RecordEnd
  const { seq, at, hook, request } = value
  if (typeof seq !== 'number') throw unusable(place, 'seq: expected a number')
  if (typeof at !== 'number') throw unusable(place, 'at: expected milliseconds')
  if (typeof hook !== 'string') throw unusable(place, 'hook: expected the name of a hook')
  if (typeof request !== 'object' || request === null) throw unusable(place, 'request: expected an object')
  return value as unknown as RecordedEvent
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

export function unusable(place: string, what: string): HookmqError {
  return new HookmqError('RECORD_UNUSABLE', `${place}: ${what}`)
}
