// The packets of MQTT 3.1, 3.1.1 and 5 as values. Names are the specification's, in camelCase.

/** 3 = MQTT 3.1 (MQIsdp), 4 = MQTT 3.1.1, 5 = MQTT 5.0: the number that stands in CONNECT. */
export type ProtocolVersion = 3 | 4 | 5
export type QoS = 0 | 1 | 2

/** Name and value, in the order in which they arrived; names may repeat. */
export type UserProperties = readonly (readonly [name: string, value: string])[]

/** All properties of MQTT 5 (specification 2.2.2.2). Which packet may carry which is checked by the parser. */
export interface Properties {
  payloadFormatIndicator?: 0 | 1
  /** Seconds. */
  messageExpiryInterval?: number
  contentType?: string
  responseTopic?: string
  correlationData?: Uint8Array
  /** In PUBLISH there may be several; in SUBSCRIBE one. */
  subscriptionIdentifiers?: readonly number[]
  /** Seconds; 0xFFFFFFFF = never. */
  sessionExpiryInterval?: number
  assignedClientIdentifier?: string
  /** Seconds. */
  serverKeepAlive?: number
  authenticationMethod?: string
  authenticationData?: Uint8Array
  requestProblemInformation?: 0 | 1
  /** Seconds. */
  willDelayInterval?: number
  requestResponseInformation?: 0 | 1
  responseInformation?: string
  serverReference?: string
  reasonString?: string
  receiveMaximum?: number
  topicAliasMaximum?: number
  topicAlias?: number
  maximumQoS?: 0 | 1
  retainAvailable?: 0 | 1
  userProperties?: UserProperties
  /** Bytes. */
  maximumPacketSize?: number
  wildcardSubscriptionAvailable?: 0 | 1
  subscriptionIdentifierAvailable?: 0 | 1
  sharedSubscriptionAvailable?: 0 | 1
}

export interface Will {
  topic: string
  payload: Uint8Array
  qos: QoS
  retain: boolean
  properties: Properties
}

export interface ConnectPacket {
  type: 'connect'
  /** 'MQTT' or 'MQIsdp'. */
  protocolName: string
  protocolVersion: ProtocolVersion
  /** The bridge bit (0x80 of the version byte) that Mosquitto bridges set in 3.1 and 3.1.1. */
  bridge: boolean
  cleanStart: boolean
  /** Seconds; 0 = off. */
  keepAlive: number
  clientId: string
  username?: string
  password?: Uint8Array
  will?: Will
  properties: Properties
}

export interface ConnackPacket {
  type: 'connack'
  sessionPresent: boolean
  /** MQTT 5 reason code; the encoder turns it into the return code of 3.1 and 3.1.1. */
  reasonCode: number
  properties: Properties
}

export interface PublishPacket {
  type: 'publish'
  topic: string
  payload: Uint8Array
  qos: QoS
  retain: boolean
  dup: boolean
  /** Absent at QoS 0. */
  packetId?: number
  properties: Properties
}

/** PUBACK, PUBREC, PUBREL and PUBCOMP have one shape. */
export interface AckPacket {
  type: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp'
  packetId: number
  reasonCode: number
  properties: Properties
}

/** The options of one subscription, as in SUBSCRIBE. In 3.1 and 3.1.1 only qos is on the wire. */
export interface SubscriptionOptions {
  qos: QoS
  noLocal: boolean
  retainAsPublished: boolean
  /** 0 = send retained messages at each SUBSCRIBE, 1 = only when the subscription is new, 2 = never. */
  retainHandling: 0 | 1 | 2
}

export interface SubscribePacket {
  type: 'subscribe'
  packetId: number
  subscriptions: { filter: string; options: SubscriptionOptions }[]
  properties: Properties
}

export interface SubackPacket {
  type: 'suback'
  packetId: number
  /** MQTT 5 codes; the encoder writes 0x80 for each failure in 3.1 and 3.1.1. */
  reasonCodes: number[]
  properties: Properties
}

export interface UnsubscribePacket {
  type: 'unsubscribe'
  packetId: number
  filters: string[]
  properties: Properties
}

export interface UnsubackPacket {
  type: 'unsuback'
  packetId: number
  /** Not on the wire in 3.1 and 3.1.1. */
  reasonCodes: number[]
  properties: Properties
}

export interface PingreqPacket {
  type: 'pingreq'
}

export interface PingrespPacket {
  type: 'pingresp'
}

export interface DisconnectPacket {
  type: 'disconnect'
  reasonCode: number
  properties: Properties
}

export interface AuthPacket {
  type: 'auth'
  reasonCode: number
  properties: Properties
}

/** Every packet but PUBLISH. */
export type ControlPacket =
  | ConnectPacket
  | ConnackPacket
  | AckPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket

export type Packet = ControlPacket | PublishPacket
export type PacketType = Packet['type']
