import type { Message, RetainedPolicy, RetainedStore, SessionStore } from '@hookmq/api'
import type { Broker } from '../broker.ts'
import { Limiter } from '../channel/limiter.ts'
import { decodeMessage, encodeMessage } from '../durable/message-codec.ts'
import type { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import { remainingLife } from '../session/delivery.ts'
import { GovernedStore } from './governed-store.ts'

/** What holds at present: the broker's options, overlaid with what plugins want. */
interface Rules {
  maxMessages: number
  maxPayload: number
  expiry: number
  storeRate: number
  deliveryRate: number
}

/** Messages that are read from the store at once. */
const restorePage = 1000

/** Milliseconds between two lines of the log about the same cause. */
const logInterval = 1000

/** The rules of retained messages; where they are kept is the store's business. */
export class Retained {
  readonly #broker: Broker
  readonly store: GovernedStore
  readonly #base: RetainedStore
  #policies: readonly RetainedPolicy[] = []
  #rules: Rules
  #storing: Limiter | undefined
  #delivering: Limiter | undefined
  readonly #logged = new Map<string, { at: number; suppressed: number }>()

  constructor(broker: Broker, store: RetainedStore) {
    this.#broker = broker
    this.#base = store
    this.#rules = this.#makeRules()
    this.store = new GovernedStore(store, {
      expired: (message) => this.#expired(message),
      changed: (topic) => this.#changed(topic),
      told: (topic, message) => broker.peers?.storeChanged(topic, message),
      full: () => this.#full,
    })
  }

  /** Returns what takes the policy back. */
  govern(policy: RetainedPolicy): () => void {
    this.#apply([...this.#policies, policy])
    return () => this.#apply(this.#policies.filter((other) => other !== policy))
  }

  #apply(policies: readonly RetainedPolicy[]): void {
    this.#policies = policies
    const rules = this.#makeRules()
    const now = this.#broker.clock.now()
    this.#storing = rules.storeRate > 0 ? new Limiter(rules.storeRate, rules.storeRate, now) : undefined
    this.#delivering = rules.deliveryRate > 0 ? new Limiter(rules.deliveryRate, rules.deliveryRate, now) : undefined
    this.#rules = rules
  }

  #makeRules(): Rules {
    const { maxRetainedMessages, maxRetainedPayload } = this.#broker.options
    const rules: Rules = {
      maxMessages: maxRetainedMessages,
      maxPayload: maxRetainedPayload,
      expiry: 0,
      storeRate: 0,
      deliveryRate: 0,
    }
    for (const policy of this.#policies) {
      rules.maxMessages = policy.maxMessages ?? rules.maxMessages
      rules.maxPayload = policy.maxPayload ?? rules.maxPayload
      rules.expiry = policy.expiry ?? rules.expiry
      rules.storeRate = policy.storeRate ?? rules.storeRate
      rules.deliveryRate = policy.deliveryRate ?? rules.deliveryRate
    }
    return rules
  }

  get #full(): boolean {
    return this.#rules.maxMessages > 0 && this.#base.count >= this.#rules.maxMessages
  }

  /** Another process of this broker has changed it, and has seen to the rules. */
  replicate(topic: string, message: BrokerMessage | undefined): void {
    const kept = message === undefined || message.payload.length === 0 ? undefined : message
    kept?.compact()
    this.store.replicate(topic, kept)
  }

  /** A message with the retain flag is being routed. [MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7] false: it is not kept. */
  keep(message: BrokerMessage): boolean {
    const { topic, payload } = message
    if (payload.length === 0) {
      this.store.replicate(topic, undefined)
      return true
    }
    const { maxPayload, maxMessages, storeRate } = this.#rules
    if (maxPayload > 0 && payload.length > maxPayload) {
      return this.#refuse('its payload is larger than retained messages may be', topic, {
        bytes: payload.length,
        limit: maxPayload,
      })
    }
    if (this.#full && this.#base.get(topic) === undefined) {
      return this.#refuse('there are as many as there may be', topic, { limit: maxMessages })
    }
    if (this.#storing !== undefined && this.#storing.takeOrWait(this.#broker.clock.now()) > 0) {
      return this.#refuse('more are stored per second than may be', topic, { limit: storeRate })
    }
    message.compact()
    if (!this.store.replicate(topic, message)) return this.#refuse('the store has no room for it', topic, {})
    this.#broker.metrics.counters[M.MESSAGES_RETAINED]++
    return true
  }

  /** Delivered, but not stored. A flood of such messages must not become a flood of the log. */
  #refuse(cause: string, topic: string, details: Record<string, number>): false {
    const { metrics, log, clock } = this.#broker
    metrics.counters[M.MESSAGES_RETAINED_REFUSED]++
    const now = clock.now()
    const last = this.#logged.get(cause)
    if (last !== undefined && now - last.at < logInterval) {
      last.suppressed++
      return false
    }
    this.#logged.set(cause, { at: now, suppressed: 0 })
    const suppressed = last === undefined || last.suppressed === 0 ? {} : { more: last.suppressed }
    log.warn(`message not retained: ${cause}`, { topic, ...details, ...suppressed })
    return false
  }

  /** What a new subscription gets, if it `lives` when it is its turn. undefined: nothing is stored at all. */
  read(filter: string): Iterator<Message | undefined> | undefined {
    return this.#base.count === 0 ? undefined : this.store.read(filter)
  }

  /** Deliveries have no rate that they must keep to. */
  get unhurried(): boolean {
    return this.#delivering === undefined
  }

  /** Asks to send one retained message. Returns the milliseconds to wait before asking again; 0: go on. */
  deliveryWait(): number {
    return this.#delivering === undefined ? 0 : this.#delivering.takeOrWait(this.#broker.clock.now())
  }

  #expired(message: Message): boolean {
    if (this.#rules.expiry === 0 && message.properties.messageExpiryInterval === undefined) return false
    const now = this.#broker.clock.now()
    const left = remainingLife(message, now)
    if (left !== undefined) return left === 0
    const { expiry } = this.#rules
    return expiry > 0 && message.timestamp + expiry <= now && !message.topic.startsWith('$SYS/')
  }

  /** Retained messages of an earlier run. Rejects when they cannot be read. */
  async restore(store: SessionStore): Promise<void> {
    const found: BrokerMessage[] = []
    for (let after = '', more = true; more; ) {
      const { topics, bodies } = await store.readRetained(after, restorePage)
      for (const body of bodies) found.push(decodeMessage(body))
      more = topics.length === restorePage
      after = topics.at(-1) ?? after
    }
    // The store has them by topic; here the oldest come first.
    found.sort((a, b) => a.timestamp - b.timestamp || (a.id < b.id ? -1 : 1))
    for (const message of found) if (!this.#expired(message)) this.#base.put(message)
  }

  /** What the broker says of itself is said anew by every run. */
  #store(topic: string | undefined): void {
    const store = this.#broker.durable?.store
    if (store === undefined) return
    if (topic === undefined) return store.clearRetained()
    if (topic.startsWith('$SYS/')) return
    const message = this.#base.get(topic)
    if (message === undefined) store.deleteRetained(topic)
    else store.putRetained(topic, encodeMessage(message))
  }

  #changed(topic: string | undefined): void {
    this.#store(topic)
    for (const policy of this.#policies) {
      if (policy.changed === undefined) continue
      try {
        policy.changed(topic)
      } catch (error) {
        this.#broker.log.error('a policy for retained messages threw', {
          error: error instanceof Error ? error.stack : String(error),
        })
      }
    }
  }
}
