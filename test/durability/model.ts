/** QoS 1 and 2 messages at most that are on their way to the client. */
export const receiveMaximum = 3

/** Seconds that the session outlives its connection. */
export const expiry = 100

export interface ModelMessage {
  readonly payload: string
  readonly qos: 1 | 2
  /** undefined: it waits. Else whether it has been sent, or PUBREC came for it. */
  stage: undefined | 'sent' | 'released'
}

/** What the client is to see next. */
export type Expected =
  | { readonly cmd: 'publish'; readonly payload: string; readonly qos: 1 | 2; readonly dup: boolean }
  | { readonly cmd: 'pubrel'; readonly payload: string }

/** What one durable session is, said as simply as it can be: no store, no batches, and a crash is only the loss of a connection. */
export class SessionModel {
  exists = false
  connected = false
  readonly subscriptions = new Map<string, 0 | 1 | 2>()
  messages: ModelMessage[] = []
  /** QoS 2 identifiers of the client that wait for PUBREL. */
  readonly awaiting = new Set<number>()
  secondsLeft = expiry

  /** What follows CONNACK. */
  connect(clean: boolean): Expected[] {
    if (clean) this.end()
    this.exists = true
    this.connected = true
    const again: Expected[] = this.messages
      .filter(({ stage }) => stage !== undefined)
      .map(({ payload, qos, stage }) =>
        stage === 'released' ? { cmd: 'pubrel', payload } : { cmd: 'publish', payload, qos, dup: true },
      )
    return [...again, ...this.fill()]
  }

  /** Sends what there is room for. */
  fill(): Expected[] {
    if (!this.connected) return []
    const sent: Expected[] = []
    let room = receiveMaximum - this.messages.filter(({ stage }) => stage !== undefined).length
    for (const message of this.messages) {
      if (message.stage !== undefined || room-- <= 0) continue
      message.stage = 'sent'
      sent.push({ cmd: 'publish', payload: message.payload, qos: message.qos, dup: false })
    }
    return sent
  }

  published(topic: string, payload: string, qos: 0 | 1 | 2): Expected[] {
    const granted = this.subscriptions.get(topic)
    const least = granted === undefined ? 0 : Math.min(qos, granted)
    if (least > 0) this.messages.push({ payload, qos: least === 2 ? 2 : 1, stage: undefined })
    return this.fill()
  }

  done(payload: string): Expected[] {
    this.messages = this.messages.filter((message) => message.payload !== payload)
    return this.fill()
  }

  lost(): void {
    if (!this.connected) return
    this.connected = false
    this.secondsLeft = expiry
  }

  pass(seconds: number): void {
    if (this.connected || !this.exists) return
    this.secondsLeft -= seconds
    if (this.secondsLeft <= 0) this.end()
  }

  /** The end would be so near that it depends on when the broker looks. */
  near(seconds: number): boolean {
    return !this.connected && Math.abs(this.secondsLeft - seconds) < 2
  }

  end(): void {
    this.exists = false
    this.connected = false
    this.subscriptions.clear()
    this.messages = []
    this.awaiting.clear()
  }
}
