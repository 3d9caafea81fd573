import { ReasonCode } from './reason-codes.ts'

/** Bytes that break the protocol. The connection that sent them is to be closed with `reasonCode`. */
export class MqttError extends Error {
  override readonly name = 'MqttError'
  /** MQTT 5 reason code for CONNACK or DISCONNECT. */
  readonly reasonCode: number
  /**
   * Only with 0x84: the level that the client asked for, when the protocol name was known; it tells in which form to
   * answer (5 and more: reason code 0x84, below: return code 1).
   */
  readonly protocolVersion: number | undefined

  constructor(reasonCode: number, message: string, protocolVersion?: number) {
    super(message)
    this.reasonCode = reasonCode
    this.protocolVersion = protocolVersion
  }
}

/** 0x81: the bytes cannot be read as a packet. */
export function malformed(message: string): MqttError {
  return new MqttError(ReasonCode.MalformedPacket, message)
}

/** 0x82: a readable packet that says something not allowed. */
export function protocolError(message: string): MqttError {
  return new MqttError(ReasonCode.ProtocolError, message)
}
