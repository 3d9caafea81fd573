// mqtt-packet as a second opinion: its way of saying what our packets say.
import mqttPacket from 'mqtt-packet'
import {
  connackReturnCode,
  type Packet,
  type Properties,
  type ProtocolVersion,
  ReasonCode,
  reasonCodeOfReturnCode,
} from '../src/index.ts'

type Fields = Record<string, unknown>

const flags = new Set([
  'payloadFormatIndicator',
  'requestProblemInformation',
  'requestResponseInformation',
  'retainAvailable',
  'wildcardSubscriptionAvailable',
  'subscriptionIdentifierAvailable',
  'sharedSubscriptionAvailable',
])
const renamed: Record<string, string> = {
  subscriptionIdentifiers: 'subscriptionIdentifier',
  subscriptionIdentifierAvailable: 'subscriptionIdentifiersAvailable',
}
const original = Object.fromEntries(Object.entries(renamed).map(([ours, theirs]) => [theirs, ours]))

function theirProperties(properties: Properties): Fields {
  const result: Fields = {}
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'userProperties') {
      const grouped: Record<string, string[]> = Object.create(null)
      for (const [key, text] of properties.userProperties ?? []) {
        grouped[key] ??= []
        grouped[key].push(text)
      }
      result[name] = grouped
    } else if (name === 'subscriptionIdentifiers') {
      const list = properties.subscriptionIdentifiers ?? []
      result.subscriptionIdentifier = list.length === 1 ? list[0] : list
    } else {
      result[renamed[name] ?? name] = flags.has(name) ? value === 1 : value
    }
  }
  return result
}

function ourProperties(theirs: Fields | undefined): Properties {
  const result: Fields = {}
  for (const [theirName, value] of Object.entries(theirs ?? {})) {
    const name = original[theirName] ?? theirName
    if (name === 'userProperties') {
      const pairs: [string, string][] = []
      for (const [key, texts] of Object.entries(value as Record<string, string | string[]>)) {
        for (const text of [texts].flat()) pairs.push([key, text])
      }
      result[name] = pairs
    } else if (name === 'subscriptionIdentifiers') {
      result[name] = [value].flat()
    } else {
      result[name] = flags.has(name) ? Number(value) : value
    }
  }
  return result as Properties
}

function toTheirs(packet: Packet, version: ProtocolVersion): Fields {
  const properties = 'properties' in packet && version === 5 ? theirProperties(packet.properties) : undefined
  switch (packet.type) {
    case 'connect': {
      const { will, username, password } = packet
      return {
        cmd: 'connect',
        protocolId: packet.protocolName,
        protocolVersion: version,
        bridgeMode: packet.bridge,
        clean: packet.cleanStart,
        keepalive: packet.keepAlive,
        clientId: packet.clientId,
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
        ...(will && { will: { ...will, properties: theirProperties(will.properties) } }),
        properties,
      }
    }
    case 'connack': {
      const { sessionPresent, reasonCode } = packet
      return { cmd: 'connack', sessionPresent, reasonCode, returnCode: connackReturnCode(reasonCode), properties }
    }
    case 'publish':
      return { ...packet, cmd: 'publish', messageId: packet.packetId, properties }
    case 'subscribe': {
      const subscriptions = packet.subscriptions.map(({ filter, options }) => ({
        topic: filter,
        qos: options.qos,
        nl: options.noLocal,
        rap: options.retainAsPublished,
        rh: options.retainHandling,
      }))
      return { cmd: 'subscribe', messageId: packet.packetId, subscriptions, properties }
    }
    case 'unsubscribe':
      return { cmd: 'unsubscribe', messageId: packet.packetId, unsubscriptions: packet.filters, properties }
    case 'suback':
    case 'unsuback':
      return { cmd: packet.type, messageId: packet.packetId, granted: packet.reasonCodes, properties }
    case 'pingreq':
    case 'pingresp':
      return { cmd: packet.type }
    case 'disconnect':
    case 'auth':
      return { cmd: packet.type, reasonCode: packet.reasonCode, properties }
    default:
      return { cmd: packet.type, messageId: packet.packetId, reasonCode: packet.reasonCode, properties }
  }
}

function fromTheirs(theirs: Fields, version: ProtocolVersion): Packet {
  const properties = ourProperties(theirs.properties as Fields | undefined)
  const packetId = theirs.messageId
  const reasonCode = theirs.reasonCode ?? 0
  const type = theirs.cmd
  switch (type) {
    case 'connect': {
      const will = theirs.will as Fields | undefined
      return {
        type,
        protocolName: theirs.protocolId,
        protocolVersion: theirs.protocolVersion,
        bridge: theirs.bridgeMode === true,
        cleanStart: theirs.clean,
        keepAlive: theirs.keepalive,
        clientId: theirs.clientId,
        username: theirs.username,
        password: theirs.password,
        will: will && { ...will, properties: ourProperties(will.properties as Fields | undefined) },
        properties,
      } as Packet
    }
    case 'connack': {
      const code = version === 5 ? reasonCode : reasonCodeOfReturnCode(theirs.returnCode as number)
      return { type, sessionPresent: theirs.sessionPresent, reasonCode: code, properties } as Packet
    }
    case 'publish': {
      const { topic, payload, qos, retain, dup } = theirs
      return { type, topic, payload, qos, retain, dup, packetId, properties } as Packet
    }
    case 'subscribe': {
      const subscriptions = (theirs.subscriptions as Fields[]).map((one) => ({
        filter: one.topic,
        options: {
          qos: one.qos,
          noLocal: one.nl ?? false,
          retainAsPublished: one.rap ?? false,
          retainHandling: one.rh ?? 0,
        },
      }))
      return { type, packetId, subscriptions, properties } as Packet
    }
    case 'unsubscribe':
      return { type, packetId, filters: theirs.unsubscriptions, properties } as Packet
    case 'suback':
    case 'unsuback':
      return { type, packetId, reasonCodes: theirs.granted ?? [], properties } as Packet
    case 'pingreq':
    case 'pingresp':
      return { type } as Packet
    case 'disconnect':
    case 'auth':
      return { type, reasonCode, properties } as Packet
    default:
      return { type, packetId, reasonCode, properties } as Packet
  }
}

/** How mqtt-packet writes the packet. */
export function oracleEncode(packet: Packet, version: ProtocolVersion): Buffer {
  const theirs = toTheirs(packet, version) as unknown as mqttPacket.Packet
  return mqttPacket.generate(theirs, { protocolVersion: version })
}

/** MQTT 5 allows a password without a user name; mqtt-packet reads that, but does not write it. */
export function oracleCannotWrite(packet: Packet, version: ProtocolVersion): boolean {
  return version === 5 && packet.type === 'connect' && packet.password !== undefined && packet.username === undefined
}

/** Section 2.4 lists 0x8C (bad authentication method) for DISCONNECT, the table of 3.14.2.1, which mqtt-packet follows, does not. */
export function oracleCannotRead(packet: Packet): boolean {
  return packet.type === 'disconnect' && packet.reasonCode === ReasonCode.BadAuthenticationMethod
}

/** How mqtt-packet reads the bytes: the packet, or an error. */
export function oracleDecode(bytes: Buffer, version: ProtocolVersion): Packet | Error {
  const parser = mqttPacket.parser({ protocolVersion: version })
  const results: (Packet | Error)[] = []
  parser.on('packet', (packet) => results.push(fromTheirs(packet as unknown as Fields, version)))
  parser.on('error', (error) => results.push(error))
  parser.parse(bytes)
  const error = results.find((result) => result instanceof Error)
  return error ?? results[0] ?? new Error('no packet came out')
}

/**
 * The packet with its user properties sorted by name: mqtt-packet keeps them in an object, which loses the order between
 * different names (and the first of several values of one name when that is empty). Empty property lists and absent ones are the same.
 */
export function withoutOrder(packet: Packet): Packet {
  if (!('properties' in packet)) return packet
  const sorted = { ...packet, properties: sortPairs(packet.properties) } as Packet
  if (sorted.type === 'connect' && sorted.will) {
    sorted.will = { ...sorted.will, properties: sortPairs(sorted.will.properties) }
  }
  return sorted
}

function sortPairs(properties: Properties): Properties {
  const { userProperties } = properties
  if (userProperties === undefined) return properties
  const byName = (a: readonly [string, string], b: readonly [string, string]) =>
    a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0
  return { ...properties, userProperties: userProperties.toSorted(byName) }
}
