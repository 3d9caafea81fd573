import { Crowd, Retained, Wildcards } from './others.ts'
import type { Running } from './peers.ts'
import { processorTime, residentBytes } from './processor-time.ts'
import { Load, type Scenario } from './scenario.ts'

/** What one round of one scenario on one broker gave. */
export interface Result {
  /** Of processor time of the broker, per message (connection, retained message that was read). */
  readonly microseconds: number
  /** Of the same, per second. */
  readonly rate: number
  /** Resident at the end of the round. */
  readonly mebibytes: number
  /** Of resident memory, per connection or subscription. */
  readonly bytes?: number
  /** Latency in microseconds. */
  readonly half?: number
  readonly ninetyNine?: number
}

/** The measurements by their kind; each rejects when a delivery was not what it had to be. */
export type Measure = (running: Running, seconds: number) => Promise<Result>

const sleep = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** Processor time and memory of the broker from here to `result`. */
class Account {
  readonly #pid: number
  readonly #time: number
  readonly #at = performance.now()
  readonly #bytes: number

  constructor({ pid }: Running) {
    this.#pid = pid
    this.#time = processorTime(pid)
    this.#bytes = residentBytes(pid)
  }

  close(count: number): Result {
    const elapsed = (performance.now() - this.#at) / 1000
    const microseconds = (processorTime(this.#pid) - this.#time) / count
    return { microseconds, rate: count / elapsed, mebibytes: residentBytes(this.#pid) / 2 ** 20 }
  }

  bytesPer(count: number): number {
    return (residentBytes(this.#pid) - this.#bytes) / count
  }
}

export function messages(what: Scenario): Measure {
  return async (running, seconds) => {
    const load = new Load(what)
    try {
      await load.open(running.port)
      load.start()
      await sleep(500)
      const before = load.delivered
      load.delays.length = 0
      const account = new Account(running)
      await sleep(seconds * 1000)
      const result = account.close(load.delivered - before)
      await load.finish(20_000)
      if (what.rate === undefined) return result
      const delays = [...load.delays].sort((one, other) => one - other)
      const share = (part: number): number => delays[Math.floor(delays.length * part)]
      return { ...result, half: share(0.5), ninetyNine: share(0.99) }
    } finally {
      load.close()
    }
  }
}

export function connections(count: number): Measure {
  return async (running) => {
    const crowd = new Crowd()
    try {
      const account = new Account(running)
      await crowd.open(running.port, count)
      const result = account.close(count)
      await sleep(2000)
      if (crowd.failure !== undefined) throw crowd.failure
      return { ...result, bytes: account.bytesPer(count) }
    } finally {
      crowd.close()
    }
  }
}

export function wildcards(count: number): Measure {
  return async (running, seconds) => {
    const load = new Wildcards(running.port, count)
    try {
      await load.connect()
      const subscribing = new Account(running)
      await load.subscribe()
      await sleep(500)
      const bytes = subscribing.bytesPer(count)
      load.start()
      await sleep(500)
      const before = load.delivered
      const account = new Account(running)
      await sleep(seconds * 1000)
      // Per publish: four receivers get it.
      const result = account.close((load.delivered - before) / 4)
      await load.finish(20_000)
      return { ...result, bytes }
    } finally {
      load.close()
    }
  }
}

export function retained(count: number): Measure {
  return async (running) => {
    const load = new Retained(running.port, count)
    const reads = 3
    try {
      await load.fill()
      await sleep(500)
      const account = new Account(running)
      for (let read = 0; read < reads; read++) await load.read()
      const result = account.close(reads * count)
      await load.clear()
      return result
    } finally {
      load.close()
    }
  }
}
