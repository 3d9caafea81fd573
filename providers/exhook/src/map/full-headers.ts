import type { Message } from '@hookmq/api'
import { type Properties, propertyNames } from './properties.ts'

/**
 * What a provider that asked for it finds among the headers of a message, and may answer with: what MQTT 5 has and the messages of ExHook lack.
 *
 * | header | meaning |
 * |---|---|
 * | `hookmq.retain` | `true` or `false` |
 * | `hookmq.property.NAME` | an MQTT 5 property, such as `hookmq.property.Content-Type`; Correlation-Data in base64 |
 * | `hookmq.user_properties` | JSON: `[["name","value"],…]` |
 * | `hookmq.reject` | only in answers: refuse the message with this MQTT 5 reason code, such as `0x87` or `135` |
 * | `hookmq.disconnect` | only in answers: disconnect the publisher with this reason code |
 * | `hookmq.drop` | only in answers, `true`: acknowledged, not routed |
 * | `hookmq.reason` | only in answers: reason string of the three before |
 *
 * In an answer, a header that is absent leaves things as they are; an empty one takes a property away.
 */
const prefix = 'hookmq.'
const propertyPrefix = `${prefix}property.`

type Kind = 'text' | 'number' | 'bytes'

const carried: readonly (readonly [keyof Properties & keyof typeof propertyNames, Kind])[] = [
  ['payloadFormatIndicator', 'number'],
  ['messageExpiryInterval', 'number'],
  ['contentType', 'text'],
  ['responseTopic', 'text'],
  ['correlationData', 'bytes'],
]

export function fullHeaders(message: Message, write: (name: string, value: string) => void): void {
  write(`${prefix}retain`, String(message.retain))
  const { properties } = message
  for (const [key] of carried) {
    const value = properties[key]
    if (value === undefined) continue
    const text = value instanceof Uint8Array ? Buffer.from(value).toString('base64') : String(value)
    write(propertyPrefix + propertyNames[key], text)
  }
  if (properties.userProperties !== undefined)
    write(`${prefix}user_properties`, JSON.stringify(properties.userProperties))
}

type Headers = Readonly<Record<string, string>>

/** Retain flag and properties as the answer has them. Throws a sentence for what cannot be read. */
export function readFullHeaders(headers: Headers, message: Message): Partial<Pick<Message, 'retain' | 'properties'>> {
  const retain = headers[`${prefix}retain`]
  if (retain !== undefined && retain !== 'true' && retain !== 'false')
    throw new TypeError(`header ${prefix}retain: expected true or false, got ${JSON.stringify(retain)}`)
  let properties: Properties | undefined
  for (const [key, kind] of carried) {
    const text = headers[propertyPrefix + propertyNames[key]]
    if (text === undefined) continue
    properties ??= { ...message.properties }
    if (text === '') delete properties[key]
    else Object.assign(properties, { [key]: readValue(text, kind, propertyPrefix + propertyNames[key]) })
  }
  const pairs = headers[`${prefix}user_properties`]
  if (pairs !== undefined) {
    properties ??= { ...message.properties }
    if (pairs === '') delete properties.userProperties
    else properties.userProperties = readPairs(pairs)
  }
  return {
    ...(retain === undefined ? {} : { retain: retain === 'true' }),
    ...(properties === undefined ? {} : { properties }),
  }
}

/** The refusal that an answer asks for. */
export function readRefusal(headers: Headers): object | undefined {
  const reason = headers[`${prefix}reason`]
  const because = reason === undefined ? {} : { reason }
  const reject = headers[`${prefix}reject`]
  if (reject !== undefined) return { reject: readCode(reject, 'reject'), ...because }
  const disconnect = headers[`${prefix}disconnect`]
  if (disconnect !== undefined) return { disconnect: readCode(disconnect, 'disconnect'), ...because }
  return headers[`${prefix}drop`] === 'true' ? { drop: true, ...because } : undefined
}

function readCode(text: string, header: string): number {
  if (/^(?:0x[0-9a-f]{1,2}|\d{1,3})$/i.test(text)) return Number(text)
  throw new TypeError(`header ${prefix}${header}: expected a reason code such as 0x87, got ${JSON.stringify(text)}`)
}

function readValue(text: string, kind: Kind, header: string): string | number | Uint8Array {
  if (kind === 'text') return text
  if (kind === 'bytes') return Buffer.from(text, 'base64')
  if (/^\d{1,10}$/.test(text)) return Number(text)
  throw new TypeError(`header ${header}: expected a number, got ${JSON.stringify(text)}`)
}

function readPairs(text: string): [string, string][] {
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch {
    list = undefined
  }
  const isPair = (one: unknown): one is [string, string] =>
    Array.isArray(one) && one.length === 2 && one.every((part) => typeof part === 'string')
  if (Array.isArray(list) && list.every(isPair)) return list
  throw new TypeError(`header ${prefix}user_properties: expected JSON such as [["name","value"]]`)
}
