import type { PacketType, Properties } from './packets.ts'

/** Where a property list can stand. */
export type PropertyHolder = PacketType | 'will'

export const PropertyType = {
  Byte: 1,
  /** A byte that must be 0 or 1. */
  Flag: 2,
  TwoByte: 3,
  FourByte: 4,
  VariableInteger: 5,
  String: 6,
  Binary: 7,
  StringPair: 8,
} as const

// One bit per place where properties can stand; PUBLISH has two, because only a server may put a subscription identifier in.
const Connect = 1
const Connack = 2
const PublishFromClient = 4
const PublishFromServer = 8
const Publish = PublishFromClient | PublishFromServer
const Will = 16
const Puback = 32
const Pubrec = 64
const Pubrel = 128
const Pubcomp = 256
const Subscribe = 512
const Suback = 1024
const Unsubscribe = 2048
const Unsuback = 4096
const Disconnect = 8192
const Auth = 16384
const Acknowledgements = Puback | Pubrec | Pubrel | Pubcomp | Suback | Unsuback

export const holderMask: { readonly [H in PropertyHolder]: number } = {
  connect: Connect,
  connack: Connack,
  publish: PublishFromServer,
  will: Will,
  puback: Puback,
  pubrec: Pubrec,
  pubrel: Pubrel,
  pubcomp: Pubcomp,
  subscribe: Subscribe,
  suback: Suback,
  unsubscribe: Unsubscribe,
  unsuback: Unsuback,
  disconnect: Disconnect,
  auth: Auth,
  pingreq: 0,
  pingresp: 0,
}
export const publishFromClientMask: number = PublishFromClient

export interface PropertyDescription {
  readonly id: number
  readonly name: keyof Properties
  readonly type: number
  readonly holders: number
  /** May not be 0. */
  readonly nonZero: boolean
  /** A topic: no wildcard, not empty. */
  readonly topic: boolean
  /** Distinguishes it in the set of those seen; 0 where repeating is allowed. */
  readonly bit: number
}

const rows: readonly [id: number, name: keyof Properties, type: number, holders: number][] = [
  [0x01, 'payloadFormatIndicator', PropertyType.Flag, Publish | Will],
  [0x02, 'messageExpiryInterval', PropertyType.FourByte, Publish | Will],
  [0x03, 'contentType', PropertyType.String, Publish | Will],
  [0x08, 'responseTopic', PropertyType.String, Publish | Will],
  [0x09, 'correlationData', PropertyType.Binary, Publish | Will],
  [0x0b, 'subscriptionIdentifiers', PropertyType.VariableInteger, PublishFromServer | Subscribe],
  [0x11, 'sessionExpiryInterval', PropertyType.FourByte, Connect | Connack | Disconnect],
  [0x12, 'assignedClientIdentifier', PropertyType.String, Connack],
  [0x13, 'serverKeepAlive', PropertyType.TwoByte, Connack],
  [0x15, 'authenticationMethod', PropertyType.String, Connect | Connack | Auth],
  [0x16, 'authenticationData', PropertyType.Binary, Connect | Connack | Auth],
  [0x17, 'requestProblemInformation', PropertyType.Flag, Connect],
  [0x18, 'willDelayInterval', PropertyType.FourByte, Will],
  [0x19, 'requestResponseInformation', PropertyType.Flag, Connect],
  [0x1a, 'responseInformation', PropertyType.String, Connack],
  [0x1c, 'serverReference', PropertyType.String, Connack | Disconnect],
  [0x1f, 'reasonString', PropertyType.String, Connack | Acknowledgements | Disconnect | Auth],
  [0x21, 'receiveMaximum', PropertyType.TwoByte, Connect | Connack],
  [0x22, 'topicAliasMaximum', PropertyType.TwoByte, Connect | Connack],
  [0x23, 'topicAlias', PropertyType.TwoByte, Publish],
  [0x24, 'maximumQoS', PropertyType.Flag, Connack],
  [0x25, 'retainAvailable', PropertyType.Flag, Connack],
  [0x26, 'userProperties', PropertyType.StringPair, 0x7fff],
  [0x27, 'maximumPacketSize', PropertyType.FourByte, Connect | Connack],
  [0x28, 'wildcardSubscriptionAvailable', PropertyType.Flag, Connack],
  [0x29, 'subscriptionIdentifierAvailable', PropertyType.Flag, Connack],
  [0x2a, 'sharedSubscriptionAvailable', PropertyType.Flag, Connack],
]

const nonZero: ReadonlySet<string> = new Set([
  'subscriptionIdentifiers',
  'receiveMaximum',
  'topicAlias',
  'maximumPacketSize',
])

/** By identifier; undefined for a number that is none. */
export const propertiesById: readonly (PropertyDescription | undefined)[] = (() => {
  const table: (PropertyDescription | undefined)[] = new Array(128).fill(undefined)
  rows.forEach(([id, name, type, holders], index) => {
    table[id] = {
      id,
      name,
      type,
      holders,
      nonZero: nonZero.has(name),
      topic: name === 'responseTopic',
      bit: name === 'userProperties' ? 0 : 1 << index,
    }
  })
  return table
})()

/** By the name in `Properties`. */
export const propertiesByName: ReadonlyMap<string, PropertyDescription> = new Map(
  propertiesById.flatMap((description) => (description === undefined ? [] : [[description.name, description]])),
)

/** Whether a packet of this kind may carry the property. */
export function isPropertyAllowed(name: keyof Properties, holder: PropertyHolder): boolean {
  return ((propertiesByName.get(name)?.holders ?? 0) & holderMask[holder]) !== 0
}

export const noProperties: Properties = Object.freeze({})
