import type { Message, MessageHeaders } from '@hookmq/api'
import { parseShared } from '@hookmq/mqtt'
import { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import type { StoredOptions } from '../routing/types.ts'
import { type Delivery, effectiveQos } from './delivery.ts'
import type { Session } from './session.ts'

/** Retained messages per turn of the event loop, for one subscription. */
const batchSize = 500

/** What a step that found nothing counts for: the store looked at a few hundred messages in it. */
const emptyStep = 25

/** Bytes that go out before the bounds of the connection are looked at again. */
const burstBytes = 16 * 1024

/**
 * Retained messages on their way to one new subscription. Reads in batches, and only as fast as the client takes them: a
 * wildcard over a million retained messages neither blocks the loop nor fills the session's queue.
 */
export class RetainedReplay {
  readonly #session: Session
  readonly #messages: Iterator<Message | undefined>
  readonly #options: StoredOptions
  readonly filter: string
  #scheduled = false
  /** The rate of deliveries has room for the next one. */
  #permitted = false
  #done = false

  constructor(session: Session, filter: string, messages: Iterator<Message | undefined>, options: StoredOptions) {
    this.#session = session
    this.#messages = messages
    this.#options = options
    this.filter = filter
  }

  get done(): boolean {
    return this.#done
  }

  cancel(): void {
    this.#done = true
  }

  /** Sends what the session has room for. Called again when acknowledgements or a drained socket make room. */
  pump(): void {
    if (this.#done || this.#scheduled) return
    const { retained, clock } = this.#session.broker
    for (let work = 0; work < batchSize; ) {
      if (this.#done) return
      const burst = retained.unhurried ? this.#burst(batchSize - work) : 0
      work += burst
      if (burst > 0) continue
      if (!this.#session.hasRoom) return this.#resumeAfterFlush()
      if (!this.#permitted) {
        const wait = retained.deliveryWait()
        if (wait > 0) {
          this.#scheduled = true
          clock.after(wait, this.#again)
          return
        }
        this.#permitted = true
      }
      const step = this.#deliverNext()
      if (step === 'done') return
      if (step === 'delivered') this.#permitted = false
      work += step === 'delivered' ? 1 : emptyStep
    }
    this.#schedule()
  }

  #schedule(): void {
    this.#scheduled = true
    setImmediate(this.#again)
  }

  /** What was collected in this turn may be all that is in the way: when the socket takes it at once, it does not tell. */
  #resumeAfterFlush(): void {
    const { channel } = this.#session
    if (channel?.congested === true && channel.outbox.stalledSince === 0) this.#schedule()
  }

  /**
   * Sends as long as nothing has to be asked or waited for. One loop, since most reads come once in a while: it is compiled while it runs.
   * Returns the work that was done; 0: the ordinary way has to go on.
   */
  #burst(most: number): number {
    const session = this.#session
    const { channel, clearWay } = session
    if (channel === undefined || clearWay === undefined) return 0
    const { retained, metrics, options } = session.broker
    const { counters } = metrics
    const { inflight } = clearWay
    const { pending } = channel.outbox
    const { qos, subscriptionIdentifier } = this.#options
    const room = options.maxPendingBytes === 0 ? burstBytes : Math.min(burstBytes, options.maxPendingBytes - pending)
    const lastByte = counters[M.BYTES_SENT] + room
    let delivery: { -readonly [Key in keyof Delivery]: Delivery[Key] } | undefined
    let work = 0
    while (work < most && inflight.size < channel.sendQuota && counters[M.BYTES_SENT] <= lastByte) {
      const next = this.#messages.next()
      if (next.done === true) {
        this.#done = true
        return work + 1
      }
      const stored = next.value
      if (stored === undefined || !retained.store.lives(stored)) return work + emptyStep
      const message = retainedCopy(stored)
      const granted = effectiveQos(stored.qos, qos, options.upgradeQos)
      if (delivery === undefined) {
        const subscriptionIdentifiers = subscriptionIdentifier === undefined ? undefined : [subscriptionIdentifier]
        delivery = { message, qos: granted, retain: true, subscriptionIdentifiers, group: undefined, sequence: 0 }
      } else {
        delivery.message = message
        delivery.qos = granted
      }
      work++
      if (!clearWay.sendClear(channel, delivery)) break
    }
    return work
  }

  readonly #again = (): void => {
    this.#scheduled = false
    this.pump()
  }

  /** The connection is gone but the session stays: the rest goes to its queue, within its bounds. */
  flushToQueue(): void {
    const room = this.#session.queueRoom
    // Twice as many steps as there is room: a step may find nothing.
    for (let step = 0; step < room * 2 && this.#session.queueRoom > 0; step++) {
      if (this.#deliverNext() === 'done') return
    }
  }

  /** 'nothing': the store looked at a few hundred messages that do not match, and wants to be asked again. */
  #deliverNext(): 'delivered' | 'nothing' | 'done' {
    const next = this.#messages.next()
    if (next.done === true) {
      this.#done = true
      return 'done'
    }
    if (next.value === undefined || !this.#session.broker.retained.store.lives(next.value)) return 'nothing'
    const { subscriptionIdentifier } = this.#options
    this.#session.deliverRetained(
      retainedCopy(next.value),
      this.#options.qos,
      subscriptionIdentifier === undefined ? undefined : [subscriptionIdentifier],
    )
    return 'delivered'
  }
}

let lastHeaders: MessageHeaders | undefined
let lastRetainedHeaders: MessageHeaders = {}

/** Most messages of a client share their headers: so do their copies. */
function retainedHeaders(headers: MessageHeaders): MessageHeaders {
  if (headers !== lastHeaders) {
    lastHeaders = headers
    lastRetainedHeaders = Object.freeze({ ...headers, retained: true })
  }
  return lastRetainedHeaders
}

/** Stores hold plain messages; what is sent is the core's own kind, marked as retained. */
function retainedCopy(message: Message): BrokerMessage {
  return new BrokerMessage(
    message.topic,
    message.payload,
    message.qos,
    true,
    false,
    message.from,
    message.timestamp,
    message.properties,
    retainedHeaders(message.headers),
    message.id,
  )
}

/**
 * What a new subscription gets of what is retained at this moment: later messages come to it live. undefined: nothing.
 * [MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11]; shared subscriptions get none.
 */
export function retainedFor(
  session: Session,
  filter: string,
  options: StoredOptions,
  isNew: boolean,
): RetainedReplay | undefined {
  if (options.retainHandling === 2 || (options.retainHandling === 1 && !isNew)) return undefined
  if (parseShared(filter) !== undefined) return undefined
  const messages = session.broker.retained.read(filter)
  return messages === undefined ? undefined : new RetainedReplay(session, filter, messages, options)
}
