import { isPropertyAllowed, type Properties, type PropertyHolder, topicNameError } from '@hookmq/mqtt'

type Check = (value: unknown) => boolean

const longest = 0xffff
// [MQTT-1.5.4-1] [MQTT-1.5.4-2]
const isString: Check = (value) =>
  typeof value === 'string' &&
  value.isWellFormed() &&
  !value.includes('\0') &&
  (value.length * 3 <= longest || Buffer.byteLength(value) <= longest)
const isBytes: Check = (value) => value instanceof Uint8Array && value.length <= longest
const string = 'a string of at most 65535 bytes of UTF-8 without U+0000'
const bytes = 'a Uint8Array of at most 65535 bytes'
const isBit: Check = (value) => value === 0 || value === 1
const upTo =
  (most: number): Check =>
  (value) =>
    Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
const twoBytes = upTo(0xffff)
const fourBytes = upTo(0xffffffff)
const isPair: Check = (value) => Array.isArray(value) && value.length === 2 && value.every(isString)

// What each property is on the wire (MQTT 5, 2.2.2.2): a hook's mistake must show here, not when a packet is encoded.
const checks: { readonly [K in keyof Properties]-?: { readonly is: Check; readonly expected: string } } = {
  payloadFormatIndicator: { is: isBit, expected: '0 or 1' },
  messageExpiryInterval: { is: fourBytes, expected: 'seconds, a whole number up to 4294967295' },
  contentType: { is: isString, expected: string },
  // [MQTT-3.3.2-14]
  responseTopic: {
    is: (value) => typeof value === 'string' && topicNameError(value) === undefined,
    expected: 'a topic name without wildcards',
  },
  correlationData: { is: isBytes, expected: bytes },
  subscriptionIdentifiers: {
    is: (value) => Array.isArray(value) && value.every((id) => id !== 0 && upTo(268_435_455)(id)),
    expected: 'a list of numbers from 1 to 268435455',
  },
  sessionExpiryInterval: { is: fourBytes, expected: 'seconds, a whole number up to 4294967295' },
  assignedClientIdentifier: { is: isString, expected: string },
  serverKeepAlive: { is: twoBytes, expected: 'seconds, a whole number up to 65535' },
  authenticationMethod: { is: isString, expected: string },
  authenticationData: { is: isBytes, expected: bytes },
  requestProblemInformation: { is: isBit, expected: '0 or 1' },
  willDelayInterval: { is: fourBytes, expected: 'seconds, a whole number up to 4294967295' },
  requestResponseInformation: { is: isBit, expected: '0 or 1' },
  responseInformation: { is: isString, expected: string },
  serverReference: { is: isString, expected: string },
  reasonString: { is: isString, expected: string },
  receiveMaximum: { is: (value) => value !== 0 && twoBytes(value), expected: 'a whole number from 1 to 65535' },
  topicAliasMaximum: { is: twoBytes, expected: 'a whole number up to 65535' },
  topicAlias: { is: (value) => value !== 0 && twoBytes(value), expected: 'a whole number from 1 to 65535' },
  maximumQoS: { is: isBit, expected: '0 or 1' },
  retainAvailable: { is: isBit, expected: '0 or 1' },
  userProperties: {
    is: (value) => Array.isArray(value) && value.every(isPair),
    expected: `a list of [name, value] pairs, each ${string}`,
  },
  maximumPacketSize: {
    is: (value) => value !== 0 && fourBytes(value),
    expected: 'bytes, a whole number from 1 to 4294967295',
  },
  wildcardSubscriptionAvailable: { is: isBit, expected: '0 or 1' },
  subscriptionIdentifierAvailable: { is: isBit, expected: '0 or 1' },
  sharedSubscriptionAvailable: { is: isBit, expected: '0 or 1' },
}

/** The first property that is unknown, not of its kind, or not one that packets of this kind have, as a sentence. */
export function propertiesProblem(properties: object, holder: PropertyHolder): string | undefined {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue
    if (!Object.hasOwn(checks, name)) return `there is no property '${name}'`
    const check = checks[name as keyof Properties]
    if (!check.is(value)) return `property ${name} must be ${check.expected}`
    if (!isPropertyAllowed(name as keyof Properties, holder)) return `${holder} has no property ${name}`
    if (holder === 'publish' && name === 'topicAlias')
      return 'a topic alias belongs to one connection, not to a message'
  }
  return undefined
}
