import type { Message } from '@hookmq/api'
import type { ExHookVersion } from '@hookmq/exhook-proto'

/** Of any packet: those of MQTT 5 by their names in the API. */
export type Properties = Message['properties']

export interface Property {
  readonly name: string
  readonly value: string
}

type SingleProperty = Exclude<keyof Properties, 'userProperties'>

/** Names as MQTT 5 has them, with hyphens. */
export const propertyNames: { readonly [K in SingleProperty]-?: string } = {
  payloadFormatIndicator: 'Payload-Format-Indicator',
  messageExpiryInterval: 'Message-Expiry-Interval',
  contentType: 'Content-Type',
  responseTopic: 'Response-Topic',
  correlationData: 'Correlation-Data',
  subscriptionIdentifiers: 'Subscription-Identifier',
  sessionExpiryInterval: 'Session-Expiry-Interval',
  assignedClientIdentifier: 'Assigned-Client-Identifier',
  serverKeepAlive: 'Server-Keep-Alive',
  authenticationMethod: 'Authentication-Method',
  authenticationData: 'Authentication-Data',
  requestProblemInformation: 'Request-Problem-Information',
  willDelayInterval: 'Will-Delay-Interval',
  requestResponseInformation: 'Request-Response-Information',
  responseInformation: 'Response-Information',
  serverReference: 'Server-Reference',
  reasonString: 'Reason-String',
  receiveMaximum: 'Receive-Maximum',
  topicAliasMaximum: 'Topic-Alias-Maximum',
  topicAlias: 'Topic-Alias',
  maximumQoS: 'Maximum-QoS',
  retainAvailable: 'Retain-Available',
  maximumPacketSize: 'Maximum-Packet-Size',
  wildcardSubscriptionAvailable: 'Wildcard-Subscription-Available',
  subscriptionIdentifierAvailable: 'Subscription-Identifier-Available',
  sharedSubscriptionAvailable: 'Shared-Subscription-Available',
}

/** The properties of a packet as ExHook has them: text, user properties in a list of their own (v3) or as one entry (v2). */
export function propertiesOf(
  properties: Properties,
  version: ExHookVersion,
): { readonly props: Property[]; readonly userProps: Property[] } {
  const props: Property[] = []
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || key === 'userProperties') continue
    const name = propertyNames[key as SingleProperty]
    if (name !== undefined) props.push({ name, value: valueText(value) })
  }
  const pairs = properties.userProperties ?? []
  if (version === 'v3') return { props, userProps: pairs.map(([name, value]) => ({ name, value })) }
  if (pairs.length > 0) props.push({ name: 'User-Property', value: erlangPairs(pairs) })
  return { props, userProps: [] }
}

function valueText(value: string | number | Uint8Array | readonly number[]): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return textOf(value)
  // One in a SUBSCRIBE, several in the PUBLISH that a server sends.
  return typeof value === 'number' ? String(value) : value.join(',')
}

/** Bytes as text; what is no UTF-8 becomes U+FFFD, because a protobuf string must be Unicode. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
}

/** As Erlang prints a list of pairs of binaries: printable Latin-1 as text, anything else as the numbers of its bytes. */
function erlangPairs(pairs: readonly (readonly [string, string])[]): string {
  return `[${pairs.map(([name, value]) => `{${erlangBinary(name)},${erlangBinary(value)}}`).join(',')}]`
}

function erlangBinary(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length === 0) return '<<>>'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what this is about
  if (/^[\x08-\x0d\x1b\x20-\x7e]*$/.test(text)) return `<<"${text.replace(/[\\"\x08-\x0d\x1b]/g, escaped)}">>`
  return `<<${[...bytes].join(',')}>>`
}

const escapes: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\v': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
}

function escaped(character: string): string {
  return escapes[character] ?? `\\${character}`
}
