import type { PacketCase } from './packet-cases.ts'

/** One valid value of each property, as it stands in a list. */
const samples: readonly [name: string, wire: string, holders: string][] = [
  ['payloadFormatIndicator', '01 01', 'publish will'],
  ['messageExpiryInterval', '02 00000001', 'publish will'],
  ['contentType', '03 "t"', 'publish will'],
  ['responseTopic', '08 "t"', 'publish will'],
  ['correlationData', '09 0001 00', 'publish will'],
  ['subscriptionIdentifiers', '0b 01', 'subscribe'],
  ['sessionExpiryInterval', '11 00000001', 'connect disconnect connack'],
  ['assignedClientIdentifier', '12 "c"', 'connack'],
  ['serverKeepAlive', '13 0001', 'connack'],
  ['authenticationMethod', '15 "m"', 'connect connack auth'],
  ['authenticationData', '16 0001 00', 'connect connack auth'],
  ['requestProblemInformation', '17 01', 'connect'],
  ['willDelayInterval', '18 00000001', 'will'],
  ['requestResponseInformation', '19 01', 'connect'],
  ['responseInformation', '1a "r"', 'connack'],
  ['serverReference', '1c "s"', 'connack disconnect'],
  ['reasonString', '1f "r"', 'connack puback pubrec pubrel pubcomp suback unsuback disconnect auth'],
  ['receiveMaximum', '21 0001', 'connect connack'],
  ['topicAliasMaximum', '22 0001', 'connect connack'],
  ['topicAlias', '23 0001', 'publish'],
  ['maximumQoS', '24 01', 'connack'],
  ['retainAvailable', '25 01', 'connack'],
  [
    'userProperties',
    '26 "k" "v"',
    'connect connack publish will puback pubrec pubrel pubcomp subscribe suback unsubscribe unsuback disconnect auth',
  ],
  ['maximumPacketSize', '27 00000001', 'connect connack'],
  ['wildcardSubscriptionAvailable', '28 01', 'connack'],
  ['subscriptionIdentifierAvailable', '29 01', 'connack'],
  ['sharedSubscriptionAvailable', '2a 01', 'connack'],
]

const frames: Record<string, { wire: (list: string) => string; from: PacketCase['from']; opening?: boolean }> = {
  connect: { wire: (list) => `10 | "MQTT" 05 02 003c {${list}} "c"`, from: 'client', opening: true },
  connack: { wire: (list) => `20 | 00 00 {${list}}`, from: 'server', opening: true },
  publish: { wire: (list) => `30 | "t" {${list}}`, from: 'client' },
  will: { wire: (list) => `10 | "MQTT" 05 06 003c {} "c" {${list}} "w" 0000`, from: 'client', opening: true },
  puback: { wire: (list) => `40 | 0001 00 {${list}}`, from: 'client' },
  pubrec: { wire: (list) => `50 | 0001 00 {${list}}`, from: 'client' },
  pubrel: { wire: (list) => `62 | 0001 00 {${list}}`, from: 'client' },
  pubcomp: { wire: (list) => `70 | 0001 00 {${list}}`, from: 'client' },
  subscribe: { wire: (list) => `82 | 0001 {${list}} "t" 00`, from: 'client' },
  suback: { wire: (list) => `90 | 0001 {${list}} 00`, from: 'server' },
  unsubscribe: { wire: (list) => `a2 | 0001 {${list}} "t"`, from: 'client' },
  unsuback: { wire: (list) => `b0 | 0001 {${list}} 00`, from: 'server' },
  disconnect: { wire: (list) => `e0 | 00 {${list}}`, from: 'client' },
  auth: { wire: (list) => `f0 | 18 {${list}}`, from: 'client' },
}

function inFrame(holder: string, list: string): Pick<PacketCase, 'version' | 'from' | 'opening' | 'wire'> {
  const { wire, from, opening } = frames[holder]
  return { version: 5, from, opening, wire: wire(list) }
}

const wrongPlace: PacketCase[] = []
const repeated: PacketCase[] = []
const cutOff: PacketCase[] = []

for (const [name, wire, places] of samples) {
  const holders = places.split(' ')
  for (const holder of Object.keys(frames)) {
    // A method stands before its data, so that only the property in question is wrong.
    const method = holder === 'auth' && name !== 'authenticationMethod' ? '15 "m" ' : ''
    if (!holders.includes(holder)) {
      const error = name === 'subscriptionIdentifiers' && holder === 'publish' ? 0x82 : 0x81
      wrongPlace.push({
        name: `${holder.toUpperCase()} with property ${name}`,
        ...inFrame(holder, `${method}${wire}`),
        error,
        clause: error === 0x82 ? '[MQTT-3.3.4-6]' : undefined,
      })
    } else if (name !== 'userProperties') {
      repeated.push({
        name: `${holder.toUpperCase()} with property ${name} twice`,
        ...inFrame(holder, `${method}${wire} ${wire}`),
        error: 0x82,
      })
    }
  }
  const bare = wire.slice(0, 2)
  cutOff.push({ name: `Property ${name} without its value`, ...inFrame(holders[0], bare), error: 0x81 })
}

const values: [name: string, holder: string, wire: string, error: number, clause?: string][] = [
  ['receiveMaximum 0', 'connect', '21 0000', 0x82],
  ['maximumPacketSize 0', 'connect', '27 00000000', 0x82],
  ['receiveMaximum 0', 'connack', '21 0000', 0x82],
  ['requestProblemInformation 2', 'connect', '17 02', 0x82],
  ['requestResponseInformation 2', 'connect', '19 02', 0x82],
  ['maximumQoS 2', 'connack', '24 02', 0x82],
  ['retainAvailable 2', 'connack', '25 02', 0x82],
  ['wildcardSubscriptionAvailable 2', 'connack', '28 02', 0x82],
  ['payloadFormatIndicator 2', 'will', '01 02', 0x82],
  ['an identifier that does not exist', 'connect', '7f 00', 0x81],
  ['an identifier of two bytes', 'connect', '8001 00', 0x81],
  ['a string longer than the list', 'puback', "1f 0009 'abc'", 0x81],
  ['binary data longer than the list', 'publish', '09 0009 00', 0x81],
  ['a user property without its value', 'publish', '26 "k"', 0x81],
  ['a user property whose value is cut off', 'publish', '26 "k" 0009 \'v\'', 0x81],
  ['a user property with U+0000', 'publish', '26 0001 00 "v"', 0x81, '[MQTT-1.5.7-1]'],
  ['a reason string that is not UTF-8', 'puback', '1f 0001 ff', 0x81, '[MQTT-1.5.4-1]'],
  ['half a four byte integer', 'disconnect', '11 0000', 0x81],
  ['a subscription identifier of five bytes', 'subscribe', '0b ffffffff01', 0x81],
  ['a subscription identifier not in its shortest form', 'subscribe', '0b 8100', 0x81, '[MQTT-1.5.5-1]'],
]

export const propertyCases: readonly PacketCase[] = [
  ...wrongPlace,
  ...repeated,
  ...cutOff,
  ...values.map(
    ([name, holder, wire, error, clause]): PacketCase => ({
      name: `${holder.toUpperCase()} with ${name}`,
      ...inFrame(holder, wire),
      error,
      clause,
    }),
  ),
]
