/** What a topic carries: all of one publisher, at one QoS. */
interface Sent {
  readonly qos: 1 | 2
  /** Messages that were sent, numbered from 0. */
  count: number
  readonly acknowledged: Set<number>
  /** The broker said that it does not take them, and nothing else. */
  readonly refused: Set<number>
}

/** What one subscriber got of one topic. */
interface Got {
  readonly times: Map<number, number>
  /** The highest number so far. */
  last: number
}

export interface Totals {
  readonly sent: number
  readonly acknowledged: number
  /** To all subscribers together, each message once. */
  readonly delivered: number
  /** Messages that came more than once, which they may. */
  readonly again: number
  readonly refused: number
}

/**
 * The books: who sent what, what was acknowledged, who got it how often and in which order. Knows nothing of any broker. What breaks a
 * promise is in `violations`, one line each.
 */
export class Ledger {
  readonly violations: string[] = []
  readonly #exactlyOnce: boolean
  readonly #topics = new Map<string, Sent>()
  readonly #subscribers = new Map<string, { readonly qos: 1 | 2; readonly topics: Map<string, Got> }>()
  #delivered = 0
  #again = 0
  #refused = 0

  /** `exactlyOnce`: what is sent at QoS 2 must not come twice. */
  constructor(exactlyOnce = true) {
    this.#exactlyOnce = exactlyOnce
  }

  violated(line: string): void {
    // A broken broker breaks a promise with each message.
    if (this.violations.length < 50) this.violations.push(line)
  }

  /** Subscribes to every topic, at this QoS. */
  subscriber(name: string, qos: 1 | 2): void {
    this.#subscribers.set(name, { qos, topics: new Map() })
  }

  /** Before a message is sent for the first time. Returns its number. */
  sending(topic: string, qos: 1 | 2): number {
    let sent = this.#topics.get(topic)
    if (sent === undefined) {
      sent = { qos, count: 0, acknowledged: new Set(), refused: new Set() }
      this.#topics.set(topic, sent)
    }
    return sent.count++
  }

  /** After PUBACK or PUBREC. */
  acknowledged(topic: string, number: number): void {
    this.#topics.get(topic)?.acknowledged.add(number)
  }

  /** The only answer to it was that it is not taken. */
  refused(topic: string, number: number): void {
    this.#topics.get(topic)?.refused.add(number)
    this.#refused++
  }

  /** A subscriber got a message; at QoS 2, when the protocol does not say that it is one that it has. */
  received(subscriber: string, topic: string, number: number, qos: number): void {
    const who = this.#subscribers.get(subscriber)
    const sent = this.#topics.get(topic)
    const what = `${subscriber}: ${topic} number ${number}`
    if (who === undefined || sent === undefined || !(number < sent.count))
      return this.violated(`${what} was never sent to it`)
    if (sent.refused.has(number)) this.violated(`${what} was refused`)
    const granted = Math.min(who.qos, sent.qos)
    if (qos !== granted) this.violated(`${what} came at QoS ${qos}, not ${granted}`)
    let got = who.topics.get(topic)
    if (got === undefined) {
      got = { times: new Map(), last: -1 }
      who.topics.set(topic, got)
    }
    const times = (got.times.get(number) ?? 0) + 1
    got.times.set(number, times)
    if (times > 1) {
      if (granted === 2 && this.#exactlyOnce) this.violated(`${what} came ${times} times at QoS 2`)
      else this.#again++
      return
    }
    this.#delivered++
    if (number < got.last) this.violated(`${what} came for the first time after number ${got.last}`)
    got.last = Math.max(got.last, number)
  }

  /** Acknowledged messages that somebody has not got, at most `limit` of them. */
  missing(limit: number): string[] {
    const missing: string[] = []
    for (const [name, { topics }] of this.#subscribers) {
      for (const [topic, { acknowledged }] of this.#topics) {
        const times = topics.get(topic)?.times
        for (const number of acknowledged) {
          if (times?.has(number) === true) continue
          missing.push(`${name}: ${topic} number ${number} was acknowledged and never came`)
          if (missing.length >= limit) return missing
        }
      }
    }
    return missing
  }

  get totals(): Totals {
    let [sent, acknowledged] = [0, 0]
    for (const topic of this.#topics.values()) {
      sent += topic.count
      acknowledged += topic.acknowledged.size
    }
    return { sent, acknowledged, delivered: this.#delivered, again: this.#again, refused: this.#refused }
  }
}
