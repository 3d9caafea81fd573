import type { Properties, QoS } from '@hookmq/mqtt'

/** What travels with a message inside the broker, beside what MQTT puts on the wire. */
export interface MessageHeaders {
  /** User name of the publisher, when it has one. */
  readonly username?: string
  /** 'mqtt', 'stomp', 'coap' …; for messages that the broker makes: 'internal'. */
  readonly protocol?: string
  /** IP address of the publisher. */
  readonly peerhost?: string
  /** false: routed to nobody; the publisher gets an ordinary acknowledgement. EMQX's `allow_publish`. */
  readonly allowPublish?: boolean
  /** true: the publisher is disconnected (reason 0x83) after the chain. EMQX's `should_disconnect`. */
  readonly shouldDisconnect?: boolean
  /** A message of the broker about itself ($SYS): not counted in the message metrics. */
  readonly system?: boolean
  /** Milliseconds since the epoch: to be published then. What delays messages takes it out of the chain, behind all checks. */
  readonly delayedUntil?: number
  /** This copy is sent because it was retained. */
  readonly retained?: boolean
}

/**
 * A message inside the broker. Hooks get it read-only and return a changed copy:
 * `return { ok: { ...message, payload: Buffer.from('new') } }`.
 */
export interface Message {
  /** 32 upper-case hex digits, unique, sortable by time. Made when first asked for. */
  readonly id: string
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: QoS
  readonly retain: boolean
  readonly dup: boolean
  /** Client id of the publisher; a bare name for messages that the broker or a plugin makes. */
  readonly from: string
  /** When the broker accepted it, milliseconds since the epoch. */
  readonly timestamp: number
  /** PUBLISH properties of MQTT 5 (no topic alias, no subscription identifiers). */
  readonly properties: Properties
  readonly headers: MessageHeaders
}

/** What a caller must give to publish; the rest gets defaults. */
export interface MessageInit {
  topic: string
  /** A string is sent as UTF-8. Default: empty. */
  payload?: Uint8Array | string
  /** Default 0. */
  qos?: QoS
  retain?: boolean
  from?: string
  properties?: Properties
  headers?: MessageHeaders
}
