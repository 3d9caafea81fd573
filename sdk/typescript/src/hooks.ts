import type { v3 } from '@hookmq/exhook-proto'
import type { Message } from './message.ts'
import type { MessageChange, Verdict } from './verdict.ts'

type Answer<T> = T | Promise<T>

/** What a hook is called with: the thing that it is about, then the whole request. */
export type HookHandler<Subject, Request, Result> = (subject: Subject, request: Request) => Answer<Result>

export interface MessagePublishRequest {
  readonly message: Message
  readonly meta: v3.RequestMeta
  /** MQTT 5 properties of the PUBLISH. Empty when a broker of the v2 protocol asks. */
  readonly props: readonly v3.Property[]
  readonly userProps: readonly v3.Property[]
}

/** message.delivered and message.acked: `clientinfo` is who receives. */
export interface MessageReceivedRequest {
  readonly message: Message
  readonly clientinfo: v3.ClientInfo
  readonly meta: v3.RequestMeta
}

export interface MessageDroppedRequest {
  readonly message: Message
  /** Such as no_subscribers. */
  readonly reason: string
  readonly meta: v3.RequestMeta
}

type Notified<Subject, Request> = HookHandler<Subject, Request, void>
type OnTopics<Handler> = Handler | { readonly topics?: readonly string[]; readonly handle: Handler }

/**
 * The hooks of a provider, by name. Only the three whose result is a `Verdict` decide something; the others are told. Those about
 * messages may name topic filters: `{ topics: ['sensors/#'], handle(message) {} }`.
 */
export interface Hooks {
  /** CONNECT has been read; nothing has been checked. */
  readonly 'client.connect'?: Notified<v3.ConnInfo, v3.ClientConnectRequest>
  /** CONNACK is about to be written; `request.resultCode` is success, not_authorized … */
  readonly 'client.connack'?: Notified<v3.ConnInfo, v3.ClientConnackRequest>
  readonly 'client.connected'?: Notified<v3.ClientInfo, v3.ClientConnectedRequest>
  readonly 'client.disconnected'?: Notified<v3.ClientInfo, v3.ClientDisconnectedRequest>
  /** true lets the client in. Only here `clientinfo.password` is filled. `request.result` is what has been decided so far. */
  readonly 'client.authenticate'?: HookHandler<v3.ClientInfo, v3.ClientAuthenticateRequest, Verdict<boolean>>
  /** true allows one publish or one subscription: `request.type` (0 publish, 1 subscribe) and `request.topic`. */
  readonly 'client.authorize'?: HookHandler<v3.ClientInfo, v3.ClientAuthorizeRequest, Verdict<boolean>>
  readonly 'client.subscribe'?: Notified<v3.ClientInfo, v3.ClientSubscribeRequest>
  readonly 'client.unsubscribe'?: Notified<v3.ClientInfo, v3.ClientUnsubscribeRequest>
  readonly 'session.created'?: Notified<v3.ClientInfo, v3.SessionCreatedRequest>
  readonly 'session.subscribed'?: Notified<v3.ClientInfo, v3.SessionSubscribedRequest>
  readonly 'session.unsubscribed'?: Notified<v3.ClientInfo, v3.SessionUnsubscribedRequest>
  readonly 'session.resumed'?: Notified<v3.ClientInfo, v3.SessionResumedRequest>
  readonly 'session.discarded'?: Notified<v3.ClientInfo, v3.SessionDiscardedRequest>
  readonly 'session.takenover'?: Notified<v3.ClientInfo, v3.SessionTakenoverRequest>
  readonly 'session.terminated'?: Notified<v3.ClientInfo, v3.SessionTerminatedRequest>
  /** Before a message is routed: may change it, or keep it from being routed. */
  readonly 'message.publish'?: OnTopics<HookHandler<Message, MessagePublishRequest, Verdict<MessageChange>>>
  readonly 'message.delivered'?: OnTopics<Notified<Message, MessageReceivedRequest>>
  readonly 'message.dropped'?: OnTopics<Notified<Message, MessageDroppedRequest>>
  readonly 'message.acked'?: OnTopics<Notified<Message, MessageReceivedRequest>>
}

export type HookName = keyof Hooks
