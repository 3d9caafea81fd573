import type { BrokerOptions } from '@hookmq/core'
import { MemorySessionStore } from '@hookmq/store-memory'
import { startBroker, type TestBroker, type TestScope } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import type { ConnectSettings } from '../support/raw-client.ts'

/** CONNECT of a client whose session stays. */
export const kept = { clean: false, properties: { sessionExpiryInterval: 1000 } } satisfies ConnectSettings

/** A broker that can crash: what comes after it has what its store had committed, and nothing else. */
export class Crashing {
  readonly #scope: TestScope
  readonly #options: Partial<BrokerOptions>
  readonly clock = new ManualClock()
  store = new MemorySessionStore()
  broker!: TestBroker

  private constructor(scope: TestScope, options: Partial<BrokerOptions>) {
    this.#scope = scope
    this.#options = options
  }

  static async start(scope: TestScope, options: Partial<BrokerOptions> = {}): Promise<Crashing> {
    const crashing = new Crashing(scope, options)
    await crashing.#start()
    return crashing
  }

  async #start(): Promise<void> {
    const { store, clock } = this
    this.broker = await startBroker(this.#scope, this.#options, { sessions: () => store, clock, record: false })
  }

  /** `down`: milliseconds until the next one starts. */
  async crash(down = 0): Promise<void> {
    this.store = this.store.reopened()
    await this.broker.stop()
    this.clock.advance(down)
    await this.#start()
  }

  /** Lets what depends on the time happen. */
  async pass(milliseconds: number): Promise<void> {
    this.clock.advance(milliseconds)
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
}
