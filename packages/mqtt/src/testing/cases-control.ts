import type { Packet, ProtocolVersion, SubscriptionOptions } from '../packets.ts'
import type { PacketCase } from './packet-cases.ts'

const none = {}
const plain: SubscriptionOptions = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }
const acks = [
  ['puback', '40', '[MQTT-3.4.2-1]'],
  ['pubrec', '50', '[MQTT-3.5.2-1]'],
  ['pubrel', '62', '[MQTT-3.6.2-1]'],
  ['pubcomp', '70', '[MQTT-3.7.2-1]'],
] as const

function ackCases(type: (typeof acks)[number][0], first: string, clause: string): PacketCase[] {
  const name = type.toUpperCase()
  const release = type === 'pubrel' || type === 'pubcomp'
  const code = release ? '92' : '10'
  const reasonCode = release ? 0x92 : 0x10
  const cases: PacketCase[] = []
  for (const from of ['client', 'server'] as const) {
    for (const version of [3, 4, 5] as const) {
      const packet: Packet = { type, packetId: 0x1234, reasonCode: 0, properties: none }
      cases.push({ name, version, from, wire: `${first} | 1234`, packet })
    }
  }
  const packet: Packet = { type, packetId: 1, reasonCode, properties: none }
  const success: Packet = { type, packetId: 1, reasonCode: 0, properties: none }
  const properties = { reasonString: 'why', userProperties: [['k', 'v']] as const }
  cases.push(
    { name: `${name} with reason code`, version: 5, from: 'client', wire: `${first} | 0001 ${code}`, packet },
    {
      name: `${name} with an empty property list`,
      version: 5,
      from: 'client',
      wire: `${first} | 0001 ${code} {}`,
      packet,
      oneWay: true,
    },
    {
      name: `${name} with reason code 0 written out`,
      version: 5,
      from: 'client',
      wire: `${first} | 0001 00`,
      packet: success,
      oneWay: true,
    },
    {
      name: `${name} with properties`,
      version: 5,
      from: 'client',
      wire: `${first} | 0001 ${code} { 1f "why" 26 "k" "v" }`,
      packet: { ...packet, properties },
    },
    {
      name: `${name} success with properties`,
      version: 5,
      from: 'client',
      wire: `${first} | 0001 00 { 1f "why" }`,
      packet: { ...success, properties: { reasonString: 'why' } },
    },
    { name: `${name} packet identifier 0`, version: 4, from: 'client', wire: `${first} | 0000`, error: 0x81 },
    { name: `${name} packet identifier 0`, version: 5, from: 'client', wire: `${first} | 0000 00`, error: 0x81 },
    { name: `${name} byte too many`, version: 4, from: 'client', wire: `${first} | 0001 00`, error: 0x81 },
    { name: `${name} half a packet identifier`, version: 4, from: 'client', wire: `${first} | 00`, error: 0x81 },
    { name: `${name} without anything`, version: 5, from: 'client', wire: `${first} 00`, error: 0x81 },
    { name: `${name} bytes too many`, version: 5, from: 'client', wire: `${first} | 0001 00 {} 00`, error: 0x81 },
    {
      name: `${name} reason code of another packet`,
      version: 5,
      from: 'client',
      wire: `${first} | 0001 8d`,
      error: 0x82,
      clause,
    },
    {
      name: `${name} unknown reason code`,
      version: 5,
      from: 'client',
      wire: `${first} | 0001 7f {}`,
      error: 0x82,
      clause,
    },
    {
      name: `${name} with two reason strings`,
      version: 5,
      from: 'client',
      wire: `${first} | 0001 ${code} { 1f "a" 1f "b" }`,
      error: 0x82,
    },
    {
      name: `${name} property list longer than the packet`,
      version: 5,
      from: 'client',
      wire: `${first} | 0001 ${code} 09 1f "a"`,
      error: 0x81,
    },
  )
  const otherFlags = ((Number.parseInt(first, 16) & 0xf0) | (type === 'pubrel' ? 0 : 2)).toString(16)
  for (const version of [4, 5] as const) {
    cases.push({
      name: `${name} with other flags`,
      version,
      from: 'client',
      wire: `${otherFlags} | 0001`,
      error: 0x81,
      clause: version === 5 ? '[MQTT-2.1.3-1] [MQTT-3.6.1-1]' : '[MQTT-2.2.2-2 v3.1.1] [MQTT-3.6.1-1 v3.1.1]',
    })
  }
  return cases
}

function subscribe(options: SubscriptionOptions[], properties = none, packetId = 10): Packet {
  const filters = ['a/b', '+/#', '$share/g/t']
  return {
    type: 'subscribe',
    packetId,
    subscriptions: options.map((one, index) => ({ filter: filters[index], options: one })),
    properties,
  }
}

type Row = [
  name: string,
  version: ProtocolVersion,
  wire: string,
  result: Packet | number,
  clause?: string,
  oneWay?: true,
]

const fromClient: Row[] = [
  ['SUBSCRIBE', 3, '82 | 000a "a/b" 00', subscribe([plain])],
  ['SUBSCRIBE with DUP', 3, '8a | 000a "a/b" 01', subscribe([{ ...plain, qos: 1 }]), undefined, true],
  ['SUBSCRIBE with unused bits', 3, '82 | 000a "a/b" fd', subscribe([{ ...plain, qos: 1 }]), undefined, true],
  [
    'SUBSCRIBE of two filters',
    4,
    '82 | 000a "a/b" 01 "+/#" 02',
    subscribe([
      { ...plain, qos: 1 },
      { ...plain, qos: 2 },
    ]),
  ],
  [
    'SUBSCRIBE with all options and properties',
    5,
    '82 | 000a { 0b 8001 26 "k" "v" } "a/b" 01 "+/#" 1e "$share/g/t" 28',
    subscribe(
      [
        { ...plain, qos: 1 },
        { qos: 2, noLocal: true, retainAsPublished: true, retainHandling: 1 },
        { qos: 0, noLocal: false, retainAsPublished: true, retainHandling: 2 },
      ],
      { subscriptionIdentifiers: [128], userProperties: [['k', 'v']] },
    ),
  ],
  ['SUBSCRIBE of nothing', 3, '82 | 000a', 0x82],
  ['SUBSCRIBE of nothing', 4, '82 | 000a', 0x82, '[MQTT-3.8.3-3 v3.1.1]'],
  ['SUBSCRIBE of nothing', 5, '82 | 000a {}', 0x82, '[MQTT-3.8.3-2]'],
  ['SUBSCRIBE flags 0', 3, '80 | 000a "a" 00', 0x81],
  ['SUBSCRIBE flags 0', 4, '80 | 000a "a" 00', 0x81, '[MQTT-3.8.1-1 v3.1.1]'],
  ['SUBSCRIBE flags 0', 5, '80 | 000a {} "a" 00', 0x81, '[MQTT-3.8.1-1]'],
  ['SUBSCRIBE with DUP', 4, '8a | 000a "a" 00', 0x81, '[MQTT-3.8.1-1 v3.1.1]'],
  ['SUBSCRIBE packet identifier 0', 4, '82 | 0000 "a" 00', 0x81, '[MQTT-2.3.1-1 v3.1.1]'],
  ['SUBSCRIBE packet identifier 0', 5, '82 | 0000 {} "a" 00', 0x81, '[MQTT-2.2.1-3]'],
  ['SUBSCRIBE QoS 3', 3, '82 | 000a "a" 03', 0x81],
  ['SUBSCRIBE QoS 3', 4, '82 | 000a "a" 03', 0x81, '[MQTT-3.8.3-4 v3.1.1]'],
  ['SUBSCRIBE QoS 3', 5, '82 | 000a {} "a" 03', 0x82],
  ['SUBSCRIBE reserved bits', 4, '82 | 000a "a" 04', 0x81, '[MQTT-3.8.3-4 v3.1.1]'],
  ['SUBSCRIBE reserved bits', 5, '82 | 000a {} "a" 40', 0x81, '[MQTT-3.8.3-5]'],
  ['SUBSCRIBE retain handling 3', 5, '82 | 000a {} "a" 30', 0x82],
  ['SUBSCRIBE shared and no local', 5, '82 | 000a {} "$share/g/t" 04', 0x82, '[MQTT-3.8.3-4]'],
  ['SUBSCRIBE filter without options', 4, '82 | 000a "a"', 0x81],
  ['SUBSCRIBE filter longer than the packet', 4, "82 | 000a 0009 'a' 00", 0x81],
  ['SUBSCRIBE filter that is not UTF-8', 4, '82 | 000a 0001 ff 00', 0x81, '[MQTT-3.8.3-1 v3.1.1]'],
  ['SUBSCRIBE filter that is not UTF-8', 5, '82 | 000a {} 0001 ff 00', 0x81, '[MQTT-3.8.3-1]'],
  ['SUBSCRIBE filter with U+0000', 5, '82 | 000a {} 0003 610062 00', 0x81, '[MQTT-4.7.3-2]'],
  ['SUBSCRIBE subscription identifier 0', 5, '82 | 000a { 0b 00 } "a" 00', 0x82],
  ['SUBSCRIBE two subscription identifiers', 5, '82 | 000a { 0b 01 0b 02 } "a" 00', 0x82],
  ['UNSUBSCRIBE', 3, 'a2 | 000a "a/b"', { type: 'unsubscribe', packetId: 10, filters: ['a/b'], properties: none }],
  [
    'UNSUBSCRIBE of two filters',
    4,
    'a2 | 000a "a/b" "#"',
    { type: 'unsubscribe', packetId: 10, filters: ['a/b', '#'], properties: none },
  ],
  [
    'UNSUBSCRIBE with properties',
    5,
    'a2 | 000a { 26 "k" "v" } "a/b"',
    { type: 'unsubscribe', packetId: 10, filters: ['a/b'], properties: { userProperties: [['k', 'v']] } },
  ],
  ['UNSUBSCRIBE of nothing', 4, 'a2 | 000a', 0x82, '[MQTT-3.10.3-2 v3.1.1]'],
  ['UNSUBSCRIBE of nothing', 5, 'a2 | 000a {}', 0x82, '[MQTT-3.10.3-2]'],
  ['UNSUBSCRIBE flags 0', 4, 'a0 | 000a "a"', 0x81, '[MQTT-3.10.1-1 v3.1.1]'],
  ['UNSUBSCRIBE flags 0', 5, 'a0 | 000a {} "a"', 0x81, '[MQTT-3.10.1-1]'],
  ['UNSUBSCRIBE packet identifier 0', 5, 'a2 | 0000 {} "a"', 0x81, '[MQTT-2.2.1-3]'],
  ['UNSUBSCRIBE filter that is not UTF-8', 4, 'a2 | 000a 0001 ff', 0x81, '[MQTT-3.10.3-1 v3.1.1]'],
  ['UNSUBSCRIBE filter that is not UTF-8', 5, 'a2 | 000a {} 0001 ff', 0x81, '[MQTT-3.10.3-1]'],
  ['PINGREQ', 3, 'c000', { type: 'pingreq' }],
  ['PINGREQ', 4, 'c000', { type: 'pingreq' }],
  ['PINGREQ', 5, 'c000', { type: 'pingreq' }],
  ['PINGREQ with flags, which 3.1 does not use', 3, 'c100', { type: 'pingreq' }, undefined, true],
  ['PINGREQ with flags', 4, 'c100', 0x81, '[MQTT-2.2.2-2 v3.1.1]'],
  ['PINGREQ with flags', 5, 'c800', 0x81, '[MQTT-2.1.3-1]'],
  ['PINGREQ with a body', 4, 'c0 | 00', 0x81],
  ['PINGRESP from a client', 4, 'd000', 0x82],
  ['SUBACK from a client', 4, '90 | 000a 00', 0x82],
  ['UNSUBACK from a client', 5, 'b0 | 000a {} 00', 0x82],
  ['DISCONNECT', 3, 'e000', { type: 'disconnect', reasonCode: 0, properties: none }],
  ['DISCONNECT', 4, 'e000', { type: 'disconnect', reasonCode: 0, properties: none }],
  ['DISCONNECT', 5, 'e000', { type: 'disconnect', reasonCode: 0, properties: none }],
  ['DISCONNECT with will', 5, 'e0 | 04', { type: 'disconnect', reasonCode: 4, properties: none }],
  [
    'DISCONNECT with properties',
    5,
    'e0 | 00 { 11 0000000a 1f "bye" 26 "k" "v" }',
    {
      type: 'disconnect',
      reasonCode: 0,
      properties: { sessionExpiryInterval: 10, reasonString: 'bye', userProperties: [['k', 'v']] },
    },
  ],
  [
    'DISCONNECT with reason code 0 and an empty property list',
    5,
    'e0 | 00 {}',
    { type: 'disconnect', reasonCode: 0, properties: none },
    undefined,
    true,
  ],
  ['DISCONNECT with a body', 4, 'e0 | 00', 0x81],
  ['DISCONNECT with flags', 4, 'e1 00', 0x81, '[MQTT-3.14.1-1 v3.1.1]'],
  ['DISCONNECT with flags', 5, 'e1 00', 0x81, '[MQTT-3.14.1-1]'],
  ['DISCONNECT reason code of another packet', 5, 'e0 | 10', 0x82, '[MQTT-3.14.2-1]'],
  ['DISCONNECT reason code of a server', 5, 'e0 | 8b', 0x82, '[MQTT-3.14.2-1]'],
  ['DISCONNECT with a server reference', 5, 'e0 | 00 { 1c "x" }', 0x82],
  ['DISCONNECT bytes too many', 5, 'e0 | 00 {} 00', 0x81],
  [
    'AUTH continue',
    5,
    'f0 | 18 { 15 "m" 16 0001 2a }',
    {
      type: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: 'm', authenticationData: Buffer.from('*') },
    },
  ],
  [
    'AUTH again, with reason string and user property',
    5,
    'f0 | 19 { 15 "m" 1f "r" 26 "k" "v" }',
    {
      type: 'auth',
      reasonCode: 0x19,
      properties: { authenticationMethod: 'm', reasonString: 'r', userProperties: [['k', 'v']] },
    },
  ],
  ['AUTH in 3.1.1', 4, 'f0 | 18 { 15 "m" }', 0x81],
  ['AUTH in 3.1', 3, 'f000', 0x81],
  ['AUTH without method', 5, 'f0 | 18 {}', 0x82],
  ['AUTH without property list', 5, 'f0 | 18', 0x81],
  ['AUTH success from a client', 5, 'f0 | 00 { 15 "m" }', 0x82, '[MQTT-3.15.2-1]'],
  ['AUTH with another reason code', 5, 'f0 | 87 { 15 "m" }', 0x82, '[MQTT-3.15.2-1]'],
  ['AUTH with flags', 5, 'f1 | 18 { 15 "m" }', 0x81, '[MQTT-3.15.1-1]'],
  ['Packet of the reserved type 0', 4, '00 00', 0x81],
  ['Packet of the reserved type 0', 5, '0f 00', 0x81],
]

const fromServer: Row[] = [
  ['SUBACK', 3, '90 | 000a 00', { type: 'suback', packetId: 10, reasonCodes: [0], properties: none }],
  [
    'SUBACK',
    4,
    '90 | 000a 00 01 02 80',
    { type: 'suback', packetId: 10, reasonCodes: [0, 1, 2, 0x80], properties: none },
    '[MQTT-3.9.3-1 v3.1.1]',
  ],
  [
    'SUBACK',
    5,
    '90 | 000a { 1f "r" 26 "k" "v" } 02 87 a2',
    {
      type: 'suback',
      packetId: 10,
      reasonCodes: [2, 0x87, 0xa2],
      properties: { reasonString: 'r', userProperties: [['k', 'v']] },
    },
    '[MQTT-3.9.3-1]',
  ],
  ['SUBACK of nothing', 4, '90 | 000a', 0x81],
  ['SUBACK of nothing', 5, '90 | 000a {}', 0x81],
  ['SUBACK with a code of MQTT 5', 4, '90 | 000a 87', 0x82, '[MQTT-3.9.3-2 v3.1.1]'],
  ['SUBACK reason code of another packet', 5, '90 | 000a {} 10', 0x82, '[MQTT-3.9.3-2]'],
  ['UNSUBACK', 3, 'b0 | 000a', { type: 'unsuback', packetId: 10, reasonCodes: [], properties: none }],
  ['UNSUBACK', 4, 'b0 | 000a', { type: 'unsuback', packetId: 10, reasonCodes: [], properties: none }],
  [
    'UNSUBACK',
    5,
    'b0 | 000a {} 00 11',
    { type: 'unsuback', packetId: 10, reasonCodes: [0, 0x11], properties: none },
    '[MQTT-3.11.3-1]',
  ],
  ['UNSUBACK with codes', 4, 'b0 | 000a 00', 0x81],
  ['UNSUBACK of nothing', 5, 'b0 | 000a {}', 0x81],
  ['UNSUBACK reason code of another packet', 5, 'b0 | 000a {} 01', 0x82, '[MQTT-3.11.3-2]'],
  ['PINGRESP', 4, 'd000', { type: 'pingresp' }],
  ['PINGRESP with a body', 4, 'd0 | 00', 0x81],
  ['PINGREQ from a server', 4, 'c000', 0x82],
  ['SUBSCRIBE from a server', 4, '82 | 000a "a" 00', 0x82],
  ['UNSUBSCRIBE from a server', 5, 'a2 | 000a {} "a"', 0x82],
  ['DISCONNECT from a server', 4, 'e000', 0x82],
  [
    'DISCONNECT from a server',
    5,
    'e0 | 9d { 1c "other" 1f "moved" }',
    { type: 'disconnect', reasonCode: 0x9d, properties: { serverReference: 'other', reasonString: 'moved' } },
  ],
  ['DISCONNECT from a server with a session expiry interval', 5, 'e0 | 00 { 11 0000000a }', 0x82, '[MQTT-3.14.2-2]'],
  ['AUTH success', 5, 'f0 | 00 { 15 "m" }', { type: 'auth', reasonCode: 0, properties: { authenticationMethod: 'm' } }],
  ['AUTH success in its short form', 5, 'f000', { type: 'auth', reasonCode: 0, properties: none }],
  ['AUTH again from a server', 5, 'f0 | 19 { 15 "m" }', 0x82, '[MQTT-3.15.2-1]'],
]

function toCase(from: PacketCase['from']) {
  return ([name, version, wire, result, clause, oneWay]: Row): PacketCase =>
    typeof result === 'number'
      ? { name, version, from, wire, error: result, clause }
      : { name, version, from, wire, packet: result, clause, oneWay }
}

export const controlCases: readonly PacketCase[] = [
  ...acks.flatMap(([type, first, clause]) => ackCases(type, first, clause)),
  ...fromClient.map(toCase('client')),
  ...fromServer.map(toCase('server')),
]
