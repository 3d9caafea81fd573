/** The process of the load: all clients of the soak, and the check of what they get. Its parent tells it what to do. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { SoakClient } from './client.ts'
import type { FromLoad, LoadSettings, ToLoad } from './orders.ts'
import { Senders } from './senders.ts'
import { Tally } from './tally.ts'
import { Visitors } from './visitors.ts'

/** Connections that are being opened at once. */
const opening = 100

/** Milliseconds between two steps of the load. */
const tick = 20

/** Each of those who may have nothing to say pings once in so many seconds. */
const pingPeriod = 60

/** Tells for one client after the other that it is alive. */
class Pings {
  readonly #lists: readonly (readonly SoakClient[])[]
  #list = 0
  #index = 0

  constructor(...lists: readonly (readonly SoakClient[])[]) {
    this.#lists = lists
  }

  next(): void {
    while (this.#index >= this.#lists[this.#list].length) {
      this.#index = 0
      this.#list = (this.#list + 1) % this.#lists.length
    }
    const client = this.#lists[this.#list][this.#index++]
    if (client.connected) client.ping()
  }
}

class Load {
  readonly #settings: LoadSettings
  readonly #tally = new Tally()
  readonly #senders: Senders
  readonly #visitors: Visitors
  #running = false
  #connected = 0

  constructor(settings: LoadSettings) {
    this.#settings = settings
    this.#senders = new Senders(settings.publishers, this.#tally)
    let made = 0
    const make = (id: string, durable?: boolean): SoakClient => {
      const address = `127.0.0.${2 + (made++ % 8)}`
      const client = new SoakClient({ port: settings.port, address }, id, durable)
      client.onLost = () => this.#tally.fail(`${id}: the broker closed its connection`)
      return client
    }
    this.#visitors = new Visitors(make, this.#tally, this.#senders.sleepers)
    this.#make = make
  }

  readonly #make: (id: string, durable?: boolean) => SoakClient

  async open(): Promise<void> {
    const { connections, publishers } = this.#settings
    const rest = connections - Senders.connections(publishers)
    for (const steps of [this.#senders.opening(this.#make), this.#visitors.opening(rest)]) {
      const workers = Array.from({ length: opening }, async () => {
        for (const step of steps) {
          await step()
          this.#connected++
        }
      })
      await Promise.all(workers)
    }
    this.#report()
  }

  run(): void {
    this.#running = true
    const { publishers, period, changes, connections } = this.#settings
    const perTick = { messages: (publishers / period) * (tick / 1000), changes: changes * (tick / 1000) }
    const pingsPerTick = (connections / pingPeriod) * (tick / 1000)
    const pings = new Pings(this.#senders.receivers, this.#visitors.clients)
    const began = performance.now()
    const done = { messages: 0, changes: 0, pings: 0 }
    const step = (): void => {
      if (!this.#running) return
      const ticks = (performance.now() - began) / tick
      // What could not be done in time is done a little later, but never all at once.
      const messages = Math.min(Math.floor(ticks * perTick.messages) - done.messages, 200)
      this.#senders.send(messages)
      done.messages += messages
      const wanted = Math.min(Math.floor(ticks * perTick.changes) - done.changes, 20)
      for (let count = 0; count < wanted; count++) this.#visitors.change()
      done.changes += wanted
      const due = Math.floor(ticks * pingsPerTick) - done.pings
      for (let count = 0; count < due; count++) pings.next()
      done.pings += due
      setTimeout(step, tick)
    }
    step()
  }

  async finish(): Promise<void> {
    this.#running = false
    for (const end = Date.now() + 60_000; this.#visitors.underWay > 0 || this.#senders.missing > 0; ) {
      if (Date.now() > end) {
        this.#tally.fail(
          `${this.#senders.missing} messages did not arrive, ${this.#visitors.underWay} changes did not end`,
        )
        break
      }
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    this.#report()
  }

  #report(): void {
    const { published, delivered, changes, failures, firstFailures } = this.#tally
    const ownDelay = delay.max / 1_000_000
    delay.reset()
    const progress = { connected: this.#connected, published, delivered, changes, failures, firstFailures }
    tell({ kind: 'progress', progress: { ...progress, missing: this.#senders.missing, ownDelay } })
  }

  everySecond(): void {
    setInterval(() => this.#report(), 1000).unref()
  }
}

function tell(message: FromLoad): void {
  process.send?.(message)
}

const delay = monitorEventLoopDelay({ resolution: 10 })
delay.enable()
let load: Load | undefined

async function take(message: ToLoad): Promise<void> {
  if (message.kind === 'open') {
    load = new Load(message.settings)
    load.everySecond()
    await load.open()
    tell({ kind: 'opened' })
  } else if (message.kind === 'run') load?.run()
  else {
    await load?.finish()
    tell({ kind: 'finished' })
  }
}

process.on('message', (message: ToLoad) => {
  take(message).catch((error: Error) => tell({ kind: 'failed', error: error.message }))
})
process.on('disconnect', () => process.exit())
