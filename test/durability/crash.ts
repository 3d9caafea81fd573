import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionStore } from '@hookmq/api'
import type { BrokerOptions } from '@hookmq/core'
import { MemorySessionStore } from '@hookmq/store-memory'
import { SqliteStore } from '@hookmq/store-sqlite'
import { startBroker, type TestBroker, type TestScope } from '../support/broker.ts'
import { ManualClock } from '../support/clock.ts'
import type { ConnectSettings } from '../support/raw-client.ts'

/** CONNECT of a client whose session stays. */
export const kept = { clean: false, properties: { sessionExpiryInterval: 1000 } } satisfies ConnectSettings

/** A store of which a crash leaves what it had committed. */
export interface Crashable<Store extends SessionStore = SessionStore> {
  readonly sessions: Store
  crashed(): Promise<Crashable<Store>>
}

export function crashableMemory(sessions = new MemorySessionStore()): Crashable<MemorySessionStore> {
  return { sessions, crashed: async () => crashableMemory(sessions.reopened()) }
}

/** On a disk: a crash leaves the files as they are at that moment. */
export async function crashableFile(scope: TestScope): Promise<Crashable> {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-crash-'))
  const open: SqliteStore[] = []
  scope.after(async () => {
    await Promise.all(open.map((store) => store.close(0)))
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const file = (): string => join(folder, String(open.length), 'hookmq.db')
  const next = async (): Promise<Crashable> => {
    const at = file()
    const store = await SqliteStore.open({ file: at, durability: 'os' })
    open.push(store)
    return {
      sessions: store.sessions,
      async crashed() {
        // Nothing is being written while it is copied.
        await store.sessions.settled()
        const copy = file()
        mkdirSync(join(copy, '..'))
        for (const end of ['', '-wal']) if (existsSync(at + end)) copyFileSync(at + end, copy + end)
        return next()
      },
    }
  }
  return next()
}

/** A broker that can crash: what comes after it has what its store had committed, and nothing else. */
export class Crashing<Store extends SessionStore = MemorySessionStore> {
  readonly #scope: TestScope
  readonly #options: Partial<BrokerOptions>
  readonly clock = new ManualClock()
  #store: Crashable<Store>
  broker!: TestBroker

  private constructor(scope: TestScope, options: Partial<BrokerOptions>, store: Crashable<Store>) {
    this.#scope = scope
    this.#options = options
    this.#store = store
  }

  static start(scope: TestScope, options: Partial<BrokerOptions> = {}): Promise<Crashing> {
    return Crashing.startWith(scope, options, crashableMemory())
  }

  static async startWith<Store extends SessionStore>(
    scope: TestScope,
    options: Partial<BrokerOptions>,
    store: Crashable<Store>,
  ): Promise<Crashing<Store>> {
    const crashing = new Crashing(scope, options, store)
    await crashing.#start()
    return crashing
  }

  get store(): Store {
    return this.#store.sessions
  }

  async #start(): Promise<void> {
    const { store, clock } = this
    this.broker = await startBroker(this.#scope, this.#options, { sessions: () => store, clock, record: false })
  }

  /** `down`: milliseconds until the next one starts. */
  async crash(down = 0): Promise<void> {
    this.#store = await this.#store.crashed()
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
