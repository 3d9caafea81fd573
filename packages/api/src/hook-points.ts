import type { Properties, SubscriptionOptions } from '@hookmq/mqtt'
import type { AuthorizeRequest, ClientInfo, ConnInfo, Credential, SessionInfo, TopicSubscription } from './client.ts'
import type { Message } from './message.ts'
import type { AuthenticateResult, AuthorizeResult, Disconnect, Drop, Reject } from './verdict.ts'

/** A point that folds: hooks decide or change. `refusal` lists the extra verdicts that it takes. */
export interface FoldPoint<Args, Accumulator, Refusal = never> {
  readonly kind: 'fold'
  readonly args: Args
  readonly accumulator: Accumulator
  readonly refusal: Refusal
}

/** A point that only tells. Nobody waits for its hooks. */
export interface NotificationPoint<Args> {
  readonly kind: 'notification'
  readonly args: Args
}

/** Every hook point: the closed list. A new one is one entry here, one in `hookPointTable`, and the line that runs it. */
export interface HookPoints {
  'client.connect': FoldPoint<{ readonly connInfo: ConnInfo }, Properties, Reject>
  'client.authenticate': FoldPoint<{ readonly client: Credential }, AuthenticateResult, Reject>
  'client.check_authn_complete': NotificationPoint<{
    readonly client: Credential
    readonly reasonCode: number
    readonly anonymous: boolean
  }>
  'client.post_authn': FoldPoint<{ readonly connInfo: ConnInfo }, ClientInfo, Reject>
  'client.connack': FoldPoint<
    { readonly connInfo: ConnInfo; readonly reasonCode: number; readonly reason: string },
    Properties
  >
  'client.connected': NotificationPoint<{ readonly client: ClientInfo; readonly connInfo: ConnInfo }>
  'client.disconnected': NotificationPoint<{
    readonly client: ClientInfo
    /** 'normal', 'tcp_closed', 'keepalive_timeout', 'takenover', 'discarded', 'kicked', or a reason code's name. */
    readonly reason: string
    readonly connInfo: ConnInfo
  }>
  'client.authorize': FoldPoint<AuthorizeRequest, AuthorizeResult>
  'client.check_authz_complete': NotificationPoint<
    AuthorizeRequest & { readonly result: 'allow' | 'deny'; readonly from: string }
  >
  'client.subscribe': FoldPoint<
    { readonly client: ClientInfo; readonly properties: Properties },
    readonly TopicSubscription[],
    Disconnect
  >
  'client.unsubscribe': FoldPoint<
    { readonly client: ClientInfo; readonly properties: Properties },
    readonly { readonly filter: string }[],
    Disconnect
  >
  'client.ping': NotificationPoint<{ readonly client: ClientInfo; readonly connInfo: ConnInfo }>

  'session.created': NotificationPoint<{ readonly client: ClientInfo; readonly session: SessionInfo }>
  'session.resumed': NotificationPoint<{ readonly client: ClientInfo; readonly session: SessionInfo }>
  'session.takenover': NotificationPoint<{ readonly client: ClientInfo; readonly session: SessionInfo }>
  'session.discarded': NotificationPoint<{ readonly client: ClientInfo; readonly session: SessionInfo }>
  'session.subscribed': NotificationPoint<{
    readonly client: ClientInfo
    readonly topic: string
    readonly options: SubscriptionOptions & { readonly subscriptionIdentifier?: number }
    readonly isNew: boolean
  }>
  'session.unsubscribed': NotificationPoint<{
    readonly client: ClientInfo
    readonly topic: string
    readonly options: SubscriptionOptions
  }>
  'session.disconnected': NotificationPoint<{ readonly client: ClientInfo; readonly session: SessionInfo }>
  'session.terminated': NotificationPoint<{
    readonly client: ClientInfo
    /** 'normal', 'tcp_closed', 'kicked', 'expired', or a reason code's name. */
    readonly reason: string
    readonly session: SessionInfo
  }>

  /** `client` is absent for messages that the broker or a plugin publishes. */
  'message.publish': FoldPoint<{ readonly client?: ClientInfo }, Message, Drop | Reject | Disconnect>
  /** QoS 1 only. The accumulator is the reason code of PUBACK. */
  'message.puback': FoldPoint<
    { readonly client: ClientInfo; readonly packetId: number; readonly message: Message; readonly routes: number },
    number
  >
  'message.dropped': NotificationPoint<{
    readonly message: Message
    /** 'no_subscribers', 'packet_identifier_inuse', 'receive_maximum_exceeded'. */
    readonly reason: string
  }>
  'message.delivered': FoldPoint<{ readonly client: ClientInfo }, Message, Drop>
  'message.acked': NotificationPoint<{
    readonly client: ClientInfo
    readonly message: Message
    /** Properties of PUBACK or PUBREC. */
    readonly properties: Properties
  }>
  /** The subscriber refused the delivery with a reason code; true = handled. */
  'message.nack': FoldPoint<
    { readonly client: ClientInfo; readonly message: Message; readonly reasonCode: number },
    boolean
  >
  'delivery.dropped': NotificationPoint<{
    readonly client: ClientInfo
    readonly message: Message
    /** 'no_local', 'queue_full', 'qos0_msg', 'expired', 'too_large', 'hook'. */
    readonly reason: string
  }>
  'delivery.completed': NotificationPoint<{
    readonly client: ClientInfo
    readonly message: Message
    /** Milliseconds since the epoch. */
    readonly sessionCreatedAt: number
  }>
}

export type HookPointName = keyof HookPoints
export type FoldPointName = { [P in HookPointName]: HookPoints[P] extends { kind: 'fold' } ? P : never }[HookPointName]
export type NotificationPointName = Exclude<HookPointName, FoldPointName>

export type HookArgs<P extends HookPointName> = HookPoints[P]['args']
export type HookAccumulator<P extends HookPointName> =
  HookPoints[P] extends FoldPoint<unknown, infer A, unknown> ? A : undefined
export type HookRefusal<P extends HookPointName> =
  HookPoints[P] extends FoldPoint<unknown, unknown, infer R> ? R : never
