import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { BrokerProcess } from './broker-process.ts'
import { Chooser } from './chooser.ts'
import { Ledger, type Totals } from './ledger.ts'
import type { Member } from './member.ts'
import { Publisher } from './publisher.ts'
import { Random } from './random.ts'
import { Retainer } from './retainer.ts'
import { Subscriber } from './subscriber.ts'

export interface KillOptions {
  readonly kills: number
  readonly seed: number
  /** Milliseconds that a broker works at most before it is killed. */
  readonly longest: number
  readonly workers?: number
  readonly log?: (line: string) => void
}

export interface KillReport extends Totals {
  readonly kills: number
  /** Of them while the broker was starting. */
  readonly whileStarting: number
  readonly retained: number
  readonly subscriptions: number
  /** Milliseconds from the start of the process until it was ready. */
  readonly slowestStart: number
  readonly seconds: number
  readonly violations: readonly string[]
}

/** Milliseconds for the last broker to deliver what is left. */
const patience = 60_000

/** Kills a broker again and again while clients work with it, lets the last one finish, and looks whether all promises were kept. */
export async function runKills(options: KillOptions): Promise<KillReport> {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-kills-'))
  const kills = new Kills(folder, options)
  try {
    return await kills.run()
  } finally {
    await kills.close()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

class Kills {
  readonly #options: KillOptions
  readonly #folder: string
  readonly #random: Random
  readonly #ledger: Ledger
  readonly #publishers: Publisher[] = []
  readonly #subscribers: Subscriber[] = []
  readonly #retainer: Retainer
  readonly #chooser: Chooser
  #broker: BrokerProcess | undefined
  #whileStarting = 0
  #slowestStart = 0

  constructor(folder: string, options: KillOptions) {
    this.#options = options
    this.#folder = folder
    // No plugins: a broker starts sooner.
    mkdirSync(join(folder, 'data'))
    writeFileSync(join(folder, 'data/loaded_plugins'), '')
    this.#random = new Random(options.seed)
    // Several processes store a message each for their own clients: a broker that is killed in between has it sent once more.
    this.#ledger = new Ledger((options.workers ?? 1) === 1)
    const ledger = this.#ledger
    for (const version of [4, 5] as const) {
      for (const qos of [1, 2] as const) {
        const clientId = `publisher-${version}-${qos}`
        const publisher = { clientId, version, qos, clean: false, topics: 2, window: 8 } as const
        this.#publishers.push(new Publisher(publisher, ledger, this.#random.fork()))
        this.#subscribers.push(
          new Subscriber(`subscriber-${version}-${qos}`, version, qos, ledger, this.#random.fork()),
        )
      }
    }
    const forgotten = { clientId: 'publisher-clean', version: 5, qos: 1, clean: true, topics: 1, window: 3 } as const
    this.#publishers.push(new Publisher(forgotten, ledger, this.#random.fork()))
    this.#retainer = new Retainer('retainer', 5, true, ledger, this.#random.fork())
    this.#chooser = new Chooser('chooser', 5, false, ledger, this.#random.fork())
  }

  get #members(): readonly Member[] {
    return [...this.#subscribers, ...this.#publishers, this.#retainer, this.#chooser]
  }

  async run(): Promise<KillReport> {
    const started = performance.now()
    const { kills, longest, log = () => {} } = this.#options
    const ticker = setInterval(() => {
      for (const publisher of this.#publishers) publisher.fill()
      this.#retainer.next()
      this.#chooser.next()
    }, 8)
    try {
      await this.#prepare()
      for (let kill = 0; kill < kills; kill++) {
        if (await this.#killedWhileStarting()) continue
        await this.#work(await this.#start(), this.#random.below(longest))
        await this.#broker?.kill()
        for (const member of this.#members) member.drop()
        if (this.#ledger.violations.length > 0) break
        if ((kill + 1) % 10 === 0) log(`${kill + 1} kills, ${describe(this.#ledger.totals)}`)
      }
      if (this.#ledger.violations.length === 0) await this.#finish()
    } finally {
      clearInterval(ticker)
    }
    return {
      ...this.#ledger.totals,
      kills,
      whileStarting: this.#whileStarting,
      retained: this.#retainer.acknowledged,
      subscriptions: this.#chooser.settled.size,
      slowestStart: this.#slowestStart,
      seconds: (performance.now() - started) / 1000,
      violations: this.#ledger.violations,
    }
  }

  async close(): Promise<void> {
    for (const member of this.#members) member.drop()
    await this.#broker?.kill()
  }

  /** A broker that is ready. */
  async #start(): Promise<number> {
    const started = performance.now()
    this.#broker = new BrokerProcess(this.#folder, this.#options.workers ?? 1)
    const port = await this.#broker.ready
    if (port === undefined) throw new Error(`the broker did not start\n${this.#broker.log}`)
    this.#slowestStart = Math.max(this.#slowestStart, performance.now() - started)
    await this.#retainer.check(port)
    return port
  }

  /** Now and then a broker is killed before it is ready. */
  async #killedWhileStarting(): Promise<boolean> {
    if (!this.#random.chance(0.15)) return false
    this.#broker = new BrokerProcess(this.#folder, this.#options.workers ?? 1)
    await pause(this.#random.below(Math.max(200, this.#slowestStart)))
    this.#whileStarting++
    await this.#broker.kill()
    return true
  }

  async #prepare(): Promise<void> {
    const port = await this.#start()
    for (const subscriber of this.#subscribers) {
      await subscriber.connect(port)
      await subscriber.subscribe()
      if (!subscriber.subscribed) throw new Error('the broker grants no subscription')
      subscriber.drop()
    }
    await this.#broker?.kill()
    for (const publisher of this.#publishers) publisher.publish(Number.POSITIVE_INFINITY)
    this.#retainer.active = true
    this.#chooser.active = true
  }

  /** Clients come, some stay away, some lose their connection and come again; until the time is up. */
  async #work(port: number, milliseconds: number): Promise<void> {
    const end = performance.now() + milliseconds
    for (const subscriber of this.#subscribers) {
      const choice = this.#random.next()
      subscriber.pace = choice < 0.5 ? 'fast' : choice < 0.85 ? 'slow' : 'never'
    }
    const present = this.#members.filter((member) => !(member instanceof Subscriber) || this.#random.chance(0.7))
    for (const member of present) this.#connect(member, port)
    const unsteady = present
      .filter(() => this.#random.chance(0.3))
      .map((member) => ({ member, at: this.#random.next() }))
    unsteady.sort((one, other) => one.at - other.at)
    for (const { member, at } of unsteady) {
      await pause(Math.max(0, end - milliseconds * (1 - at) - performance.now()))
      this.#connect(member, port)
    }
    await pause(Math.max(0, end - performance.now()))
    if (this.#broker?.died === true) this.#ledger.violated(`the broker ended by itself\n${this.#broker.log}`)
  }

  /** Fails when the broker is killed meanwhile, or the member comes once more. */
  #connect(member: Member, port: number): void {
    const broker = this.#broker
    member.connect(port).catch((error: Error) => {
      if (/CONNACK/.test(error.message) && !/closed before/.test(error.message) && broker?.killed === false)
        this.#ledger.violated(error.message)
    })
  }

  /** The last broker is left alone: all that is owed has to come. */
  async #finish(): Promise<void> {
    const port = await this.#start()
    for (const publisher of this.#publishers) publisher.publish(0)
    this.#retainer.active = false
    this.#chooser.active = false
    for (const subscriber of this.#subscribers) subscriber.pace = 'fast'
    await Promise.all(this.#members.map((member) => member.connect(port)))
    const settled = (): boolean =>
      this.#publishers.every(({ done }) => done) &&
      this.#chooser.idle &&
      this.#ledger.missing(1).length === 0 &&
      this.#subscribers.every(({ held }) => held === 0)
    const end = performance.now() + patience
    while (!settled() && performance.now() < end && this.#ledger.violations.length === 0) await pause(50)
    for (const publisher of this.#publishers)
      if (!publisher.done) this.#ledger.violated(`${publisher.clientId}: no acknowledgement at the end`)
    for (const line of this.#ledger.missing(20)) this.#ledger.violated(line)
    // Nothing more may come.
    await Promise.all(this.#subscribers.map((subscriber) => subscriber.ping()))
    await this.#retainer.check(port)
    await this.#chooser.check()
    const { refused } = this.#ledger.totals
    if (refused > 0) this.#ledger.violated(`${refused} messages were refused`)
    if (this.#broker?.died === true) this.#ledger.violated(`the broker ended by itself\n${this.#broker.log}`)
  }
}

function describe({ sent, acknowledged, delivered, again }: Totals): string {
  return `${sent} messages sent, ${acknowledged} acknowledged, ${delivered} delivered, ${again} of QoS 1 again`
}
