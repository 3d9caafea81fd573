import type { Properties, ProtocolVersion, QoS } from '@hookmq/mqtt'

/** A message as a client sends or receives it. */
export interface ClientMessage {
  topic: string
  payload: Uint8Array
  qos: QoS
  retain: boolean
  dup: boolean
  properties: Properties
}

export interface ClientWill {
  topic: string
  payload?: Uint8Array | string
  qos?: QoS
  retain?: boolean
  properties?: Properties
}

export interface ClientOptions {
  /** Default '': the broker assigns one (MQTT 3.1: made here). */
  clientId?: string
  username?: string
  password?: string | Uint8Array
  /** 3 = MQTT 3.1, 4 = 3.1.1, 5. Default 5. */
  protocolVersion?: ProtocolVersion
  /** Default true. */
  cleanStart?: boolean
  /** Seconds; 0 = off. Default 60. */
  keepAlive?: number
  will?: ClientWill
  /** CONNECT properties, MQTT 5. */
  properties?: Properties
  /** Enhanced authentication, MQTT 5: `answer` gets the broker's data and gives the next, or nothing when it was the last. */
  authentication?: {
    method: string
    start(): Uint8Array | undefined
    answer(data: Uint8Array | undefined): Uint8Array | undefined
  }
  /** Messages that no subscription's own `receive` took, such as those of a resumed session. */
  receive?: (message: ClientMessage) => void
  /** Milliseconds until CONNACK. Default 30000. */
  connectTimeout?: number
}

export interface ClientEnd {
  /** 'closed' when this side asked for it. */
  reason: string
  /** Of the broker's DISCONNECT. */
  reasonCode?: number
}
