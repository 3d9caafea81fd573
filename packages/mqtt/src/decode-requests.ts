import { malformed, protocolError } from './error.ts'
import type {
  AckPacket,
  AuthPacket,
  DisconnectPacket,
  ProtocolVersion,
  QoS,
  SubackPacket,
  SubscribePacket,
  SubscriptionOptions,
  UnsubackPacket,
  UnsubscribePacket,
} from './packets.ts'
import { noProperties } from './property-table.ts'
import type { PacketReader } from './reader.ts'
import { isReasonCodeAllowed, ReasonCode } from './reason-codes.ts'

/** PUBACK, PUBREC, PUBREL, PUBCOMP. */
export function decodeAck(type: AckPacket['type'], reader: PacketReader, version: ProtocolVersion): AckPacket {
  const packetId = reader.packetId()
  let reasonCode = 0
  let properties = noProperties
  if (version === 5 && reader.remaining > 0) {
    reasonCode = reader.byte('the reason code')
    // [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1]
    if (!isReasonCodeAllowed(type, reasonCode)) throw protocolError(`${type} with reason code ${reasonCode}`)
    // A remaining length below 4 means no properties: 3.4.2.2.1.
    if (reader.remaining > 0) properties = reader.properties(type)
  }
  reader.finish(type)
  return { type, packetId, reasonCode, properties }
}

function subscriptionOptions(byte: number, filter: string, version: ProtocolVersion): SubscriptionOptions {
  const qos = byte & 3
  // [MQTT-3.8.3-4 v3.1.1]
  if (qos === 3) throw version === 5 ? protocolError('subscription with QoS 3') : malformed('subscription with QoS 3')
  if (version !== 5) {
    // 3.1 calls the other bits unused, 3.1.1 reserved. [MQTT-3.8.3-4 v3.1.1]
    if (version === 4 && byte > 3) throw malformed('reserved bits of the requested QoS are set')
    return { qos: qos as QoS, noLocal: false, retainAsPublished: false, retainHandling: 0 }
  }
  // [MQTT-3.8.3-5]
  if (byte > 0x3f) throw malformed('reserved bits of the subscription options are set')
  const retainHandling = byte >> 4
  if (retainHandling === 3) throw protocolError('subscription with retain handling 3')
  const noLocal = (byte & 4) !== 0
  // [MQTT-3.8.3-4]
  if (noLocal && filter.startsWith('$share/')) throw protocolError('a shared subscription may not ask for no local')
  return {
    qos: qos as QoS,
    noLocal,
    retainAsPublished: (byte & 8) !== 0,
    retainHandling: retainHandling as SubscriptionOptions['retainHandling'],
  }
}

export function decodeSubscribe(reader: PacketReader, version: ProtocolVersion): SubscribePacket {
  const packetId = reader.packetId()
  const properties = version === 5 ? reader.properties('subscribe') : noProperties
  // [MQTT-3.8.3-2] [MQTT-3.8.3-3 v3.1.1]
  if (reader.remaining === 0) throw protocolError('SUBSCRIBE without a topic filter')
  const subscriptions: SubscribePacket['subscriptions'] = []
  while (reader.remaining > 0) {
    // [MQTT-3.8.3-1] [MQTT-3.8.3-1 v3.1.1]
    const filter = reader.string('a topic filter')
    const options = subscriptionOptions(reader.byte('the subscription options'), filter, version)
    subscriptions.push({ filter, options })
  }
  return { type: 'subscribe', packetId, subscriptions, properties }
}

export function decodeUnsubscribe(reader: PacketReader, version: ProtocolVersion): UnsubscribePacket {
  const packetId = reader.packetId()
  const properties = version === 5 ? reader.properties('unsubscribe') : noProperties
  // [MQTT-3.10.3-2] [MQTT-3.10.3-2 v3.1.1]
  if (reader.remaining === 0) throw protocolError('UNSUBSCRIBE without a topic filter')
  const filters: string[] = []
  // [MQTT-3.10.3-1] [MQTT-3.10.3-1 v3.1.1]
  while (reader.remaining > 0) filters.push(reader.string('a topic filter'))
  return { type: 'unsubscribe', packetId, filters, properties }
}

export function decodeSuback(reader: PacketReader, version: ProtocolVersion): SubackPacket {
  const packetId = reader.packetId()
  const properties = version === 5 ? reader.properties('suback') : noProperties
  if (reader.remaining === 0) throw malformed('SUBACK without a reason code')
  const reasonCodes: number[] = []
  while (reader.remaining > 0) {
    const code = reader.byte('a reason code')
    // [MQTT-3.9.3-2] [MQTT-3.9.3-2 v3.1.1]
    const allowed = version === 5 ? isReasonCodeAllowed('suback', code) : code <= 2 || code === 0x80
    if (!allowed) throw protocolError(`SUBACK with reason code ${code}`)
    reasonCodes.push(code)
  }
  return { type: 'suback', packetId, reasonCodes, properties }
}

export function decodeUnsuback(reader: PacketReader, version: ProtocolVersion): UnsubackPacket {
  const packetId = reader.packetId()
  const reasonCodes: number[] = []
  if (version !== 5) {
    reader.finish('UNSUBACK')
    return { type: 'unsuback', packetId, reasonCodes, properties: noProperties }
  }
  const properties = reader.properties('unsuback')
  if (reader.remaining === 0) throw malformed('UNSUBACK without a reason code')
  while (reader.remaining > 0) {
    const code = reader.byte('a reason code')
    // [MQTT-3.11.3-2]
    if (!isReasonCodeAllowed('unsuback', code)) throw protocolError(`UNSUBACK with reason code ${code}`)
    reasonCodes.push(code)
  }
  return { type: 'unsuback', packetId, reasonCodes, properties }
}

/** Reasons that only a server can have, table 3-10 of the specification. */
const serverOnly: ReadonlySet<number> = new Set([
  0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
])

export function decodeDisconnect(
  reader: PacketReader,
  version: ProtocolVersion,
  fromServer: boolean,
): DisconnectPacket {
  let reasonCode = 0
  let properties = noProperties
  if (version === 5 && reader.remaining > 0) {
    reasonCode = reader.byte('the reason code')
    // [MQTT-3.14.2-1]
    if (!isReasonCodeAllowed('disconnect', reasonCode) || (!fromServer && serverOnly.has(reasonCode)))
      throw protocolError(`DISCONNECT with reason code ${reasonCode}`)
    // A remaining length below 2 means no properties: 3.14.2.2.1.
    if (reader.remaining > 0) properties = reader.properties('disconnect')
    if (!fromServer && properties.serverReference !== undefined)
      throw protocolError('a client may not send a server reference')
    // [MQTT-3.14.2-2]
    if (fromServer && properties.sessionExpiryInterval !== undefined) {
      throw protocolError('a server may not send a session expiry interval in DISCONNECT')
    }
  }
  reader.finish('DISCONNECT')
  return { type: 'disconnect', reasonCode, properties }
}

export function decodeAuth(reader: PacketReader, fromServer: boolean): AuthPacket {
  let reasonCode: number = ReasonCode.Success
  let properties = noProperties
  if (reader.remaining > 0) {
    reasonCode = reader.byte('the reason code')
    properties = reader.properties('auth')
    // 3.15.2.2.2; only the empty form, which stands for success, goes without.
    if (properties.authenticationMethod === undefined) throw protocolError('AUTH without authentication method')
  }
  // Success is the server's to say, re-authentication the client's. [MQTT-3.15.2-1]
  const other = fromServer ? ReasonCode.Success : ReasonCode.ReAuthenticate
  if (reasonCode !== ReasonCode.ContinueAuthentication && reasonCode !== other) {
    throw protocolError(`AUTH with reason code ${reasonCode}`)
  }
  reader.finish('AUTH')
  return { type: 'auth', reasonCode, properties }
}
