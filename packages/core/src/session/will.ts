import type { ClientInfo } from '@hookmq/api'
import type { Properties, Will } from '@hookmq/mqtt'
import { after } from '../after.ts'
import type { Broker } from '../broker.ts'
import { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'
import type { Session } from './session.ts'

/** A will whose client is gone and whose delay has not passed. */
export interface PendingWill {
  readonly will: Will
  readonly client: ClientInfo
  /** When it is published: milliseconds since the epoch. */
  readonly at: number
  /** Ends the waiting. */
  readonly cancel: () => void
}

/** Publishes wills when their time has come. [MQTT-3.1.2-8] [MQTT-3.1.2-8 v3.1.1] */
export class Wills {
  readonly #broker: Broker

  constructor(broker: Broker) {
    this.#broker = broker
  }

  /** The connection is over and its will stands. A promise when a hook makes the publishing wait. */
  connectionEnded(
    session: Session,
    client: ClientInfo,
    will: Will,
    gone: 'takenover' | 'discarded' | undefined,
    endSession: boolean,
  ): undefined | Promise<unknown> {
    const delay = will.properties.willDelayInterval ?? 0
    // The client is back before the delay is over. [MQTT-3.1.3-9]
    if (gone === 'takenover' && delay > 0) return undefined
    if (gone !== undefined || delay === 0 || session.expiryInterval === 0 || endSession)
      return this.#publish(will, client)
    this.wait(session, client, will, this.#broker.clock.now() + delay * 1000)
    return undefined
  }

  /** Keeps the will until `at`, or publishes it now when that has passed. */
  wait(session: Session, client: ClientInfo, will: Will, at: number): void {
    const cancel = this.#broker.deadlines.add(at, () => this.#due(session))
    session.pendingWill = { will, client, at, cancel }
    if (at <= this.#broker.clock.now()) this.sessionEnding(session)
  }

  #due(session: Session): void {
    this.sessionEnding(session)
    // After a crash it must not be published once more.
    if (session.number !== 0 && !session.over && session.channel === undefined) this.#broker.keeper?.detached(session)
  }

  /** The session ends, or the delay has passed: what still waits is published now. */
  sessionEnding(session: Session): void {
    const pending = session.pendingWill
    if (pending === undefined) return
    session.pendingWill = undefined
    pending.cancel()
    const work = this.#publish(pending.will, pending.client)
    if (work instanceof Promise) work.catch((error) => this.#broker.reportBug(error))
  }

  /** The client is back in time. */
  cancel(session: Session): void {
    session.pendingWill?.cancel()
    session.pendingWill = undefined
  }

  /** Checked like any publish of this client; refused, it is dropped without a word. */
  #publish(will: Will, client: ClientInfo): undefined | Promise<unknown> {
    const broker = this.#broker
    if (will.retain && !broker.options.retainAvailable) return undefined
    const request = { client, action: 'publish', topic: will.topic, qos: will.qos, retain: will.retain } as const
    return after(broker.access.authorize(request), (permission) => {
      if (permission.result === 'deny') return undefined
      const message = new BrokerMessage(
        client.mountpoint + will.topic,
        will.payload,
        will.qos,
        will.retain,
        false,
        client.clientId,
        broker.clock.now(),
        withoutDelay(will.properties),
        client.username === undefined ? {} : { username: client.username },
      )
      return after(broker.runPublish(message, client), (outcome) => {
        if (!(outcome instanceof Refusal)) broker.route(outcome, broker.router.match(outcome.topic))
        return undefined
      })
    }) as undefined | Promise<unknown>
  }
}

function withoutDelay(properties: Properties): Properties {
  const { willDelayInterval: _, ...rest } = properties
  return rest
}
