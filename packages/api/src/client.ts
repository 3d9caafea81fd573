import type { Properties, ProtocolVersion, QoS, SubscriptionOptions } from '@hookmq/mqtt'

/** A connection as its CONNECT described it, before any rewriting. */
export interface ConnInfo {
  /** 'tcp', 'ssl', 'ws', 'wss', 'unix', 'link'. */
  readonly socketType: string
  /** Name of the listener, such as 'tcp:external'. */
  readonly listener: string
  readonly peerhost: string
  readonly peerport: number
  readonly sockhost: string
  readonly sockport: number
  /** 'MQTT' or 'MQIsdp'. */
  readonly protocolName: string
  readonly protocolVersion: ProtocolVersion
  readonly cleanStart: boolean
  /** As in CONNECT: empty when the client asked for an assigned one. */
  readonly clientId: string
  readonly username?: string
  /** Seconds, as asked for in CONNECT. */
  readonly keepAlive: number
  /** Properties of CONNECT. */
  readonly properties: Properties
  /** Seconds; 0xFFFFFFFF = never. */
  readonly sessionExpiryInterval: number
  readonly receiveMaximum: number
  /** Milliseconds since the epoch; 0 until connected. */
  readonly connectedAt: number
  /** Milliseconds since the epoch; set in client.disconnected. */
  readonly disconnectedAt?: number
}

/** A client as the broker knows it once CONNECT has been understood. */
export interface ClientInfo {
  readonly clientId: string
  readonly username?: string
  readonly protocol: string
  readonly protocolVersion: ProtocolVersion
  readonly listener: string
  readonly peerhost: string
  readonly peerport: number
  readonly sockport: number
  /** Prefix that the listener puts before the topics of this client; '' for none. */
  readonly mountpoint: string
  readonly superuser: boolean
  /** true when nobody vouched for the client and `allow_anonymous` let it in. */
  readonly anonymous: boolean
  readonly bridge: boolean
  /** Common name and subject of the TLS client certificate. */
  readonly cn?: string
  readonly dn?: string
  /** Set by authenticators; free for plugins to read. */
  readonly attributes: Readonly<Record<string, string>>
  /** Milliseconds since the epoch: the client is disconnected then. */
  readonly expiresAt?: number
}

/** What client.authenticate sees. The password is here and nowhere else. */
export interface Credential extends ClientInfo {
  readonly password?: Uint8Array
  /** Enhanced authentication of MQTT 5: from CONNECT or AUTH. */
  readonly authenticationMethod?: string
  readonly authenticationData?: Uint8Array
  /** 'connect' = CONNECT, 'continue' = an AUTH packet of a running exchange, 'reauthenticate' = AUTH 0x19. */
  readonly step: 'connect' | 'continue' | 'reauthenticate'
  /** Whatever an earlier step of this exchange left in its `continue` result. */
  readonly state?: unknown
}

export interface SessionInfo {
  readonly clientId: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Survives its connection (session expiry interval > 0). */
  readonly persistent: boolean
  /** Seconds. */
  readonly expiryInterval: number
  readonly subscriptions: ReadonlyMap<string, SubscriptionOptions>
  readonly inflight: number
  readonly queued: number
  readonly awaitingRel: number
}

/** One filter of a SUBSCRIBE. `filter` keeps its `$share/group/` prefix. */
export interface TopicSubscription {
  readonly filter: string
  readonly options: SubscriptionOptions & { readonly subscriptionIdentifier?: number }
}

/** What is being asked for in client.authorize. */
export interface AuthorizeRequest {
  readonly client: ClientInfo
  readonly action: 'publish' | 'subscribe'
  /** A topic name for publish, a filter (without share prefix) for subscribe. */
  readonly topic: string
  readonly qos: QoS
  /** Only for publish. */
  readonly retain: boolean
}
