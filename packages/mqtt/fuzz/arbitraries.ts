import fc, { type Arbitrary } from 'fast-check'
import {
  type ConnectPacket,
  isReasonCodeAllowed,
  type Packet,
  type PacketType,
  type Properties,
  type ProtocolVersion,
  type QoS,
  type SubscriptionOptions,
} from '../src/index.ts'
import { holderMask, type PropertyHolder, PropertyType, propertiesById } from '../src/property-table.ts'

/** Strings that MQTT can carry, most of them short, some beyond ASCII, some longer than a one-byte length. */
const text = fc.oneof(
  { weight: 6, arbitrary: fc.string({ unit: 'grapheme-ascii', maxLength: 12 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }).map((value) => value.replaceAll('\0', '0')) },
  { weight: 1, arbitrary: fc.nat(400).map((length) => 'long/ü'.repeat(length).slice(0, length)) },
)
const someText = text.map((value) => value || 'x')
const topic = someText.map((value) => value.replaceAll('+', '-').replaceAll('#', '-'))
const filter = fc.constantFrom('#', '+', 'a/+/b', 'a/#', '$SYS/#', '$share/g/t', '+/+/#', '/', 'a//b')
const data = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 100, maxLength: 400 }))
const buffer: Arbitrary<Buffer> = data.map((bytes) => Buffer.from(bytes))
const qos = fc.constantFrom<QoS>(0, 1, 2)
const packetId = fc.integer({ min: 1, max: 65535 })
const flag = fc.constantFrom<0 | 1>(0, 1)
const pair = fc.tuple(text, someText)

function reasonCode(type: PacketType): Arbitrary<number> {
  const codes = Array.from({ length: 256 }, (_, code) => code).filter((code) => isReasonCodeAllowed(type, code))
  return fc.constantFrom(...codes)
}

/** Any set of the properties that may stand in this place. */
export function properties(holder: PropertyHolder): Arbitrary<Properties> {
  const fields: Record<string, Arbitrary<unknown>> = {}
  for (const property of propertiesById) {
    if (property === undefined || (property.holders & holderMask[holder]) === 0) continue
    const min = property.nonZero ? 1 : 0
    switch (property.type) {
      case PropertyType.Flag:
        fields[property.name] = flag
        break
      case PropertyType.TwoByte:
        fields[property.name] = fc.integer({ min, max: 0xffff })
        break
      case PropertyType.FourByte:
        fields[property.name] = fc.integer({ min, max: 0xffffffff })
        break
      case PropertyType.VariableInteger: {
        const identifier = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 268_435_455 }))
        fields[property.name] = fc.array(identifier, { minLength: 1, maxLength: holder === 'publish' ? 3 : 1 })
        break
      }
      case PropertyType.String:
        fields[property.name] = property.topic ? topic : text
        break
      case PropertyType.Binary:
        fields[property.name] = buffer
        break
      default:
        fields[property.name] = fc.array(pair, { minLength: 1, maxLength: 4 })
    }
  }
  return fc.record(fields, { requiredKeys: [], noNullPrototype: true }) as Arbitrary<Properties>
}

/** Data without a method is not allowed. */
function withMethod(list: Properties): Properties {
  if (list.authenticationData === undefined || list.authenticationMethod !== undefined) return list
  return { ...list, authenticationMethod: 'method' }
}

function connect(version: ProtocolVersion): Arbitrary<ConnectPacket> {
  const none = fc.constant<Properties>({})
  const will = fc.record(
    { topic, payload: buffer, qos, retain: fc.boolean(), properties: version === 5 ? properties('will') : none },
    { noNullPrototype: true },
  )
  return fc
    .record(
      {
        bridge: version === 5 ? fc.constant(false) : fc.boolean(),
        cleanStart: fc.boolean(),
        keepAlive: fc.nat(65535),
        clientId: someText,
        username: fc.option(text, { nil: undefined }),
        password: fc.option(buffer, { nil: undefined }),
        will: fc.option(will, { nil: undefined }),
        properties: version === 5 ? properties('connect').map(withMethod) : none,
      },
      { noNullPrototype: true },
    )
    .map((fields) => ({
      type: 'connect',
      protocolName: version === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion: version,
      ...fields,
      password: version !== 5 && fields.username === undefined ? undefined : fields.password,
    }))
}

function options(version: ProtocolVersion): Arbitrary<SubscriptionOptions> {
  return fc
    .tuple(qos, fc.boolean(), fc.boolean(), fc.constantFrom<0 | 1 | 2>(0, 1, 2))
    .map(([qos, noLocal, retainAsPublished, retainHandling]) =>
      version === 5
        ? { qos, noLocal, retainAsPublished, retainHandling }
        : { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 },
    )
}

/** The reasons of 3.14.2.1; a client has only some of them. */
function disconnectCode(version: ProtocolVersion, from: 'client' | 'server'): Arbitrary<number> {
  if (version !== 5) return fc.constant(0)
  if (from === 'server') return reasonCode('disconnect')
  return fc.constantFrom(0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99)
}

/** Any packet that this side may send in this version; CONNECT and CONNACK only when `opening`, and then nothing else. */
export function packet(version: ProtocolVersion, from: 'client' | 'server', opening: boolean): Arbitrary<Packet> {
  const list = (holder: PropertyHolder) => (version === 5 ? properties(holder) : fc.constant<Properties>({}))
  const code = (type: PacketType) => (version === 5 ? reasonCode(type) : fc.constant(0))
  if (opening) {
    if (from === 'client') return connect(version)
    const codes = version === 5 ? reasonCode('connack') : fc.constantFrom(0, 0x84, 0x85, 0x86, 0x87, 0x88)
    return fc.tuple(fc.boolean(), codes, list('connack')).map(([present, reasonCode, properties]) => ({
      type: 'connack',
      sessionPresent: present && reasonCode === 0 && version !== 3,
      reasonCode,
      properties,
    }))
  }

  const publish = fc
    .tuple(topic, buffer, qos, fc.boolean(), fc.boolean(), packetId, list('publish'))
    .map(([topic, payload, qos, retain, dup, id, properties]): Packet => {
      const mine = { ...properties }
      if (from === 'client') delete mine.subscriptionIdentifiers
      const packetId = qos === 0 ? undefined : id
      return { type: 'publish', topic, payload, qos, retain, dup: dup && qos !== 0, packetId, properties: mine }
    })
  const kinds: Arbitrary<Packet>[] = [publish]
  for (const type of ['puback', 'pubrec', 'pubrel', 'pubcomp'] as const) {
    kinds.push(
      fc
        .tuple(packetId, code(type), list(type))
        .map(([packetId, reasonCode, properties]) => ({ type, packetId, reasonCode, properties })),
    )
  }
  if (from === 'client') {
    const subscription = fc.record({ filter, options: options(version) }, { noNullPrototype: true })
    kinds.push(
      fc
        .tuple(packetId, fc.array(subscription, { minLength: 1, maxLength: 5 }), list('subscribe'))
        .map(([packetId, subscriptions, properties]) => {
          for (const { filter, options } of subscriptions) if (filter.startsWith('$share/')) options.noLocal = false
          return { type: 'subscribe', packetId, subscriptions, properties }
        }),
      fc
        .tuple(packetId, fc.array(filter, { minLength: 1, maxLength: 5 }), list('unsubscribe'))
        .map(([packetId, filters, properties]) => ({ type: 'unsubscribe', packetId, filters, properties })),
      fc.constant({ type: 'pingreq' }),
    )
  } else {
    const granted = version === 5 ? reasonCode('suback') : fc.constantFrom(0, 1, 2, 0x80)
    kinds.push(
      fc
        .tuple(packetId, fc.array(granted, { minLength: 1, maxLength: 5 }), list('suback'))
        .map(([packetId, reasonCodes, properties]) => ({ type: 'suback', packetId, reasonCodes, properties })),
      fc
        .tuple(packetId, fc.array(reasonCode('unsuback'), { minLength: 1, maxLength: 5 }), list('unsuback'))
        .map(([packetId, codes, properties]) => {
          return { type: 'unsuback', packetId, reasonCodes: version === 5 ? codes : [], properties }
        }),
      fc.constant({ type: 'pingresp' }),
    )
  }
  if (version === 5 || from === 'client') {
    kinds.push(
      fc.tuple(disconnectCode(version, from), list('disconnect')).map(([reasonCode, properties]) => {
        const mine = { ...properties }
        if (from === 'server') delete mine.sessionExpiryInterval
        else delete mine.serverReference
        return { type: 'disconnect', reasonCode, properties: mine }
      }),
    )
  }
  if (version === 5) {
    const codes = from === 'client' ? fc.constantFrom(0x18, 0x19) : fc.constantFrom(0, 0x18)
    kinds.push(
      fc.tuple(codes, list('auth')).map(([reasonCode, properties]) => ({
        type: 'auth',
        reasonCode,
        properties: { authenticationMethod: 'method', ...properties },
      })),
    )
  }
  return fc.oneof(...kinds)
}
