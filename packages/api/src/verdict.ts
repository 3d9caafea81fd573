/**
 * The answers that a hook can give. See docs/reference/hooks.md for what each means on each point; the table there is made
 * from the one that the core runs on.
 */

/** Ignore: go on, nothing changed. A hook that returns nothing says the same. */
export type Continue = 'ok' | undefined | void

/** Go on with a new accumulator. */
export interface Ok<Accumulator> {
  readonly ok: Accumulator
}

/** End the chain; the accumulator stays as it is. */
export type Stop = 'stop'

/** End the chain with this accumulator. */
export interface StopWith<Accumulator> {
  readonly stop: Accumulator
}

/** message.publish, message.delivered: the message goes no further; the publisher is acknowledged as usual. */
export interface Drop {
  readonly drop: true
  /** Short word for metrics and logs. */
  readonly reason?: string
}

/** Refuse with an MQTT 5 reason code; older clients get what their version has for it. */
export interface Reject {
  readonly reject: number
  /** Reason String for MQTT 5 clients. */
  readonly reason?: string
  /** client.connect only: Server Reference, with reason 0x9C or 0x9D. */
  readonly serverReference?: string
}

/** Close the client's connection; an MQTT 5 client gets DISCONNECT with this reason code. */
export interface Disconnect {
  readonly disconnect: number
  readonly reason?: string
}

export type Verdict<Accumulator, Refusal = never> = Continue | Ok<Accumulator> | Stop | StopWith<Accumulator> | Refusal

/** What client.authenticate folds over. */
export type AuthenticateResult =
  /** Nobody has decided. */
  | { readonly result: 'ignore' }
  | {
      readonly result: 'allow'
      readonly superuser?: boolean
      /** Let in by allow_anonymous, not by somebody who knows the client. */
      readonly anonymous?: boolean
      /** Replaces the client id / user name of CONNECT. */
      readonly clientId?: string
      readonly username?: string
      readonly attributes?: Readonly<Record<string, string>>
      /** Milliseconds since the epoch. */
      readonly expiresAt?: number
      /** Authentication Data for the client in CONNACK or AUTH. */
      readonly data?: Uint8Array
    }
  | {
      readonly result: 'deny'
      /** MQTT 5 reason code, default 0x87 not authorized. */
      readonly reasonCode?: number
      readonly reasonString?: string
      readonly serverReference?: string
    }
  /** Enhanced authentication goes on: the client gets AUTH 0x18 with this data. */
  | { readonly result: 'continue'; readonly data?: Uint8Array; readonly state?: unknown }

/** What client.authorize folds over. */
export interface AuthorizeResult {
  readonly result: 'allow' | 'deny'
  /** Who decided: 'default', 'superuser', 'cache', a plugin's name. */
  readonly from: string
  /** Default true. */
  readonly cacheable?: boolean
}
