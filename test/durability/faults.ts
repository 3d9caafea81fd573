import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteStore } from '@hookmq/store-sqlite'
import { startBroker, type TestBroker, type TestScope } from '../support/broker.ts'
import { pause } from '../support/wait.ts'
import { Chooser } from './kills/chooser.ts'
import { Ledger } from './kills/ledger.ts'
import type { Member } from './kills/member.ts'
import { Publisher } from './kills/publisher.ts'
import { Random } from './kills/random.ts'
import { Retainer } from './kills/retainer.ts'
import { Subscriber } from './kills/subscriber.ts'

const thread = new URL('../../stores/sqlite/src/faulty-thread.testing.ts', import.meta.url)

/** Milliseconds. Says when to give up. */
const patience = 30_000

/** What is to go wrong: see the thread. */
export type Fault = Readonly<Record<string, number | boolean>>

/** A broker whose store fails as planned, and that is started again on what is left when its disk has stopped in the middle of a write. */
export class FaultyBroker {
  readonly #scope: TestScope
  readonly #folder = mkdtempSync(join(tmpdir(), 'hookmq-faults-'))
  #generation = 0
  #store: SqliteStore | undefined
  #broker: TestBroker | undefined
  crashes = 0

  private constructor(scope: TestScope) {
    this.#scope = scope
    scope.after(async () => {
      await this.#broker?.stop()
      await this.#store?.close(0)
      rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
    })
  }

  static async start(scope: TestScope): Promise<FaultyBroker> {
    const faulty = new FaultyBroker(scope)
    await faulty.#start()
    return faulty
  }

  get #data(): string {
    return join(this.#folder, String(this.#generation))
  }

  get port(): number {
    return this.#broker?.port ?? 0
  }

  async #start(): Promise<void> {
    const store = await SqliteStore.open({ file: join(this.#data, 'hookmq.db'), durability: 'os', thread })
    this.#store = store
    this.#broker = await startBroker(this.#scope, {}, { sessions: () => store.sessions, record: false, keep: false })
  }

  /** So many so far. */
  get transactions(): number {
    return readFileSync(join(this.#data, 'transactions')).length
  }

  /** `at`: counted from now. */
  plan({ at, ...rest }: Fault): void {
    const fault = at === undefined ? rest : { at: this.transactions + Number(at), ...rest }
    writeFileSync(join(this.#data, 'fault.json.new'), JSON.stringify(fault))
    renameSync(join(this.#data, 'fault.json.new'), join(this.#data, 'fault.json'))
  }

  /** The disk stopped in the middle of a write. */
  get torn(): boolean {
    return existsSync(join(this.#data, 'torn/done'))
  }

  /** The next one finds what was on the disk. */
  async restart(): Promise<void> {
    this.crashes++
    await this.#store?.close(0)
    await this.#broker?.stop()
    const left = join(this.#data, 'torn')
    this.#generation++
    renameSync(left, this.#data)
    await this.#start()
  }
}

let scenarios = 0

/**
 * Clients of every kind, one step after the other: sessions, subscriptions, messages while nobody is there and while somebody is,
 * exchanges that are broken off, retained messages. Returns what broke a promise.
 */
export async function scenario(faulty: FaultyBroker): Promise<readonly string[]> {
  const ledger = new Ledger()
  const random = new Random(++scenarios)
  const name = `s${scenarios}`
  const of = (kind: string) => `${name}-${kind}`
  const subscribers = ([1, 2] as const).map(
    (qos) => new Subscriber(of(`sub${qos}`), qos === 1 ? 4 : 5, qos, ledger, random.fork(), name),
  )
  const publishers = ([1, 2] as const).map((qos) => {
    const options = { clientId: of(`pub${qos}`), version: qos === 1 ? 5 : 4, qos, clean: false } as const
    return new Publisher({ ...options, topics: 1, window: 2, prefix: name }, ledger, random.fork())
  })
  const retainer = new Retainer(of('retainer'), 5, true, ledger, random.fork(), name)
  const chooser = new Chooser(of('chooser'), 5, false, ledger, random.fork(), name)
  const present = new Set<Member>()
  const all: readonly Member[] = [...subscribers, ...publishers, retainer, chooser]
  const tick = (): void => {
    for (const member of present) void member.comeBack(faulty.port)
    for (const publisher of publishers) publisher.fill()
    retainer.next()
    chooser.next()
  }
  const until = async (what: string, condition: () => boolean): Promise<void> => {
    const end = performance.now() + patience
    for (tick(); !condition(); tick()) {
      if (ledger.violations.length > 0) return
      if (performance.now() > end) return ledger.violated(`waited in vain: ${what}`)
      if (faulty.torn) {
        for (const member of all) member.drop()
        await faulty.restart()
      }
      await pause(1)
    }
  }
  const come = (...members: Member[]): Promise<void> => {
    for (const member of members) present.add(member)
    return until('connected', () => members.every(({ here }) => here))
  }
  const go = (...members: Member[]): void => {
    for (const member of members) {
      present.delete(member)
      member.drop()
    }
  }
  const publish = (count: number): Promise<void> => {
    for (const publisher of publishers) publisher.publish(count)
    return until('acknowledged', () => publishers.every(({ done }) => done))
  }
  const delivered = (): Promise<void> =>
    until('delivered', () => ledger.missing(1).length === 0 && subscribers.every(({ held }) => held === 0))

  await come(...subscribers)
  for (const subscriber of subscribers) {
    let asked = false
    await until('subscribed', () => {
      if (!asked && !subscriber.subscribed && subscriber.here) {
        asked = true
        void subscriber.subscribe().then(() => {
          asked = false
        })
      }
      return subscriber.subscribed
    })
  }
  await come(...publishers, retainer, chooser)
  await publish(2)
  await delivered()
  retainer.active = true
  await until('retained', () => retainer.acknowledged >= 3)
  retainer.active = false
  chooser.active = true
  await until('chosen', () => chooser.settled.size >= 3)
  go(...subscribers)
  await publish(3)
  for (const subscriber of subscribers) subscriber.pace = 'never'
  await come(...subscribers)
  await publish(1)
  go(...subscribers)
  for (const subscriber of subscribers) subscriber.pace = 'fast'
  await come(...subscribers)
  await publish(2)
  await delivered()
  chooser.active = false
  await until('idle', () => chooser.idle && retainer.idle)
  if (ledger.violations.length === 0) {
    await retainer.check(faulty.port)
    await chooser.check()
  }
  go(...all)
  return ledger.violations
}
