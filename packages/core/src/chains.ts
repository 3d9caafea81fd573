import type { HookEngine } from './hooks/index.ts'

/** Every chain in a field of its own, so that running one is no look-up. */
export class Chains {
  readonly clientConnect
  readonly clientAuthenticate
  readonly clientCheckAuthnComplete
  readonly clientPostAuthn
  readonly clientConnack
  readonly clientConnected
  readonly clientDisconnected
  readonly clientAuthorize
  readonly clientCheckAuthzComplete
  readonly clientSubscribe
  readonly clientUnsubscribe
  readonly clientPing
  readonly sessionCreated
  readonly sessionResumed
  readonly sessionTakenover
  readonly sessionDiscarded
  readonly sessionSubscribed
  readonly sessionUnsubscribed
  readonly sessionDisconnected
  readonly sessionTerminated
  readonly messagePublish
  readonly messagePuback
  readonly messageDropped
  readonly messageDelivered
  readonly messageAcked
  readonly messageNack
  readonly deliveryDropped
  readonly deliveryCompleted

  constructor(hooks: HookEngine) {
    this.clientConnect = hooks.chain('client.connect')
    this.clientAuthenticate = hooks.chain('client.authenticate')
    this.clientCheckAuthnComplete = hooks.chain('client.check_authn_complete')
    this.clientPostAuthn = hooks.chain('client.post_authn')
    this.clientConnack = hooks.chain('client.connack')
    this.clientConnected = hooks.chain('client.connected')
    this.clientDisconnected = hooks.chain('client.disconnected')
    this.clientAuthorize = hooks.chain('client.authorize')
    this.clientCheckAuthzComplete = hooks.chain('client.check_authz_complete')
    this.clientSubscribe = hooks.chain('client.subscribe')
    this.clientUnsubscribe = hooks.chain('client.unsubscribe')
    this.clientPing = hooks.chain('client.ping')
    this.sessionCreated = hooks.chain('session.created')
    this.sessionResumed = hooks.chain('session.resumed')
    this.sessionTakenover = hooks.chain('session.takenover')
    this.sessionDiscarded = hooks.chain('session.discarded')
    this.sessionSubscribed = hooks.chain('session.subscribed')
    this.sessionUnsubscribed = hooks.chain('session.unsubscribed')
    this.sessionDisconnected = hooks.chain('session.disconnected')
    this.sessionTerminated = hooks.chain('session.terminated')
    this.messagePublish = hooks.chain('message.publish')
    this.messagePuback = hooks.chain('message.puback')
    this.messageDropped = hooks.chain('message.dropped')
    this.messageDelivered = hooks.chain('message.delivered')
    this.messageAcked = hooks.chain('message.acked')
    this.messageNack = hooks.chain('message.nack')
    this.deliveryDropped = hooks.chain('delivery.dropped')
    this.deliveryCompleted = hooks.chain('delivery.completed')
  }

  /** Somebody sees messages, here or where they are delivered: their ids have to be known everywhere. */
  get messageObserved(): boolean {
    return this.publishObserved || this.messageAcked.size + this.messageDropped.size + this.deliveryDropped.size !== 0
  }

  /** Somebody wants to see a message on its way: no short cuts. */
  get publishObserved(): boolean {
    return this.messagePublish.size !== 0 || this.forwardingObserved
  }

  /** Somebody besides the hooks of message.publish that may change it. */
  get forwardingObserved(): boolean {
    return (
      this.messagePublish.sinkSize +
        this.messageDelivered.size +
        this.deliveryCompleted.size +
        this.clientCheckAuthzComplete.size !==
      0
    )
  }
}
