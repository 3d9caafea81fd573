import { MqttError, malformed, protocolError } from './error.ts'
import type { ConnackPacket, ConnectPacket, ProtocolVersion, QoS, Will } from './packets.ts'
import { noProperties } from './property-table.ts'
import type { PacketReader } from './reader.ts'
import { isReasonCodeAllowed, ReasonCode, reasonCodeOfReturnCode } from './reason-codes.ts'

/** Throws MqttError 0x84 with the level asked for when this is no version that we speak. */
function protocolVersion(name: string, level: number): ProtocolVersion {
  // Mosquitto's bridges set the top bit of the level in 3.1 and 3.1.1.
  if (name === 'MQIsdp' && (level & 0x7f) === 3) return 3
  if (name === 'MQTT' && (level & 0x7f) === 4) return 4
  if (name === 'MQTT' && level === 5) return 5
  // [MQTT-3.1.2-1] [MQTT-3.1.2-2] [MQTT-3.1.2-1 v3.1.1] [MQTT-3.1.2-2 v3.1.1]
  const known = name === 'MQTT' || name === 'MQIsdp'
  throw new MqttError(
    ReasonCode.UnsupportedProtocolVersion,
    known ? `protocol level ${level} of ${name} is not supported` : 'the protocol name is neither MQTT nor MQIsdp',
    known ? level & 0x7f : undefined,
  )
}

/** `versionKnown` is told the version as soon as it has been read: a refusal of what follows is written in its form. */
export function decodeConnect(reader: PacketReader, versionKnown?: (version: ProtocolVersion) => void): ConnectPacket {
  const nameLength = reader.uint16('the protocol name')
  // Whatever speaks here, a long name is not MQTT: do not read it as text.
  if (nameLength !== 4 && nameLength !== 6) {
    throw new MqttError(ReasonCode.UnsupportedProtocolVersion, 'the protocol name is neither MQTT nor MQIsdp')
  }
  reader.position -= 2
  const protocolName = reader.string('the protocol name')
  const level = reader.byte('the protocol level')
  const version = protocolVersion(protocolName, level)
  versionKnown?.(version)
  const flags = reader.byte('the connect flags')
  // 3.1 does not say what the reserved bit must be. [MQTT-3.1.2-3] [MQTT-3.1.2-3 v3.1.1]
  if ((flags & 1) !== 0 && version !== 3) throw malformed('the reserved connect flag is set')
  const willFlag = (flags & 4) !== 0
  const willQos = (flags >> 3) & 3
  // [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-13 v3.1.1] [MQTT-3.1.2-15 v3.1.1]
  if (!willFlag && (flags & 0x38) !== 0 && version !== 3)
    throw malformed('will QoS or will retain without the will flag')
  // [MQTT-3.1.2-12] [MQTT-3.1.2-14 v3.1.1]
  if (willFlag && willQos === 3) throw malformed('will QoS 3')
  // MQTT 5 alone allows a password without a user name. [MQTT-3.1.2-22 v3.1.1]
  if (version !== 5 && (flags & 0xc0) === 0x40) throw malformed('password flag without user name flag')

  const keepAlive = reader.uint16('the keep alive')
  const properties = version === 5 ? reader.properties('connect') : noProperties
  if (properties.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw protocolError('authentication data without authentication method')
  }
  // The payload's order is fixed. [MQTT-3.1.3-1] [MQTT-3.1.3-1 v3.1.1]; the id is UTF-8: [MQTT-3.1.3-4]
  const clientId = reader.string('the client identifier')
  let will: Will | undefined
  if (willFlag) {
    const willProperties = version === 5 ? reader.properties('will') : noProperties
    // [MQTT-3.1.3-11] [MQTT-3.1.3-10 v3.1.1]
    const topic = reader.string('the will topic')
    const payload = reader.binary('the will payload')
    will = { topic, payload, qos: willQos as QoS, retain: (flags & 0x20) !== 0, properties: willProperties }
  }
  // In 3.1 the packet's length counts more than these two flags.
  const packet: ConnectPacket = {
    type: 'connect',
    protocolName,
    protocolVersion: version,
    bridge: version !== 5 && (level & 0x80) !== 0,
    cleanStart: (flags & 2) !== 0,
    keepAlive,
    clientId,
    username: undefined,
    password: undefined,
    will,
    properties,
  }
  // [MQTT-3.1.2-17] [MQTT-3.1.3-12] [MQTT-3.1.2-19 v3.1.1] [MQTT-3.1.3-11 v3.1.1]
  if ((flags & 0x80) !== 0 && (version !== 3 || reader.remaining > 0)) packet.username = reader.string('the user name')
  // [MQTT-3.1.2-19] [MQTT-3.1.2-21 v3.1.1]
  if ((flags & 0x40) !== 0 && (version !== 3 || reader.remaining > 0)) packet.password = reader.binary('the password')
  // [MQTT-3.1.2-16] [MQTT-3.1.2-18] [MQTT-3.1.2-18 v3.1.1] [MQTT-3.1.2-20 v3.1.1]
  reader.finish('CONNECT')
  return packet
}

export function decodeConnack(reader: PacketReader, version: ProtocolVersion): ConnackPacket {
  const flags = reader.byte('the acknowledge flags')
  const code = reader.byte('the reason code')
  // A server that does not know MQTT 5 answers in the form of 3.1.1.
  if (version !== 5 || reader.remaining === 0) {
    const reasonCode = reasonCodeOfReturnCode(code)
    if (reasonCode === undefined) throw malformed(`CONNACK with return code ${code}`)
    // In 3.1 the whole byte is reserved. [MQTT-3.2.2-1 v3.1.1]
    if (version !== 3 && flags > 1) throw malformed('reserved bits of the acknowledge flags are set')
    const sessionPresent = version !== 3 && flags === 1
    // [MQTT-3.2.2-4 v3.1.1]
    if (sessionPresent && code !== 0) throw protocolError('CONNACK refuses, but says that a session is present')
    reader.finish('CONNACK')
    return { type: 'connack', sessionPresent, reasonCode, properties: noProperties }
  }
  // [MQTT-3.2.2-1]
  if (flags > 1) throw malformed('reserved bits of the acknowledge flags are set')
  // [MQTT-3.2.2-8]
  if (!isReasonCodeAllowed('connack', code)) throw protocolError(`CONNACK with reason code ${code}`)
  // [MQTT-3.2.2-6]
  if (flags === 1 && code !== 0) throw protocolError('CONNACK refuses, but says that a session is present')
  const properties = reader.properties('connack')
  reader.finish('CONNACK')
  return { type: 'connack', sessionPresent: flags === 1, reasonCode: code, properties }
}
