import type { HookPointName } from '@hookmq/api'
import type { Breaker } from './breaker.ts'
import { NotAsked } from './not-asked.ts'
import { CallFailure } from './pending.ts'
import { Ticket, type TicketOffice } from './ticket.ts'
import { isThenable } from './verdict.ts'
import type { CacheKey, VerdictCache } from './verdict-cache.ts'

export interface GateOptions {
  readonly provider: string
  /** Calls and notifications with the provider at one time; 0 = no limit. */
  readonly maxInFlight: number
  /** Calls that may wait for a place. */
  readonly maxWaiting: number
  /** A place has become free that no call waits for. */
  readonly free: () => void
}

interface WaitingCall {
  readonly run: () => void
  readonly fail: (error: Error) => void
}

/** Lets calls through to a provider: as many as it takes at a time, none while it fails, and none whose answer is known. */
export class Gate implements TicketOffice {
  readonly breaker: Breaker
  readonly cache: VerdictCache | undefined
  readonly #options: GateOptions
  readonly #waiting = new Map<Ticket, WaitingCall>()
  readonly #flights = new Map<string, Flight>()
  #inFlight = 0
  #idleWaiters: (() => void)[] = []
  /** Since the provider was attached. */
  turnedAway = 0
  overflowed = 0
  cacheHits = 0

  constructor(options: GateOptions, breaker: Breaker, cache: VerdictCache | undefined) {
    this.#options = options
    this.breaker = breaker
    this.cache = cache
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** A notification may be handed over now. */
  get hasRoom(): boolean {
    return this.#options.maxInFlight === 0 || this.#inFlight < this.#options.maxInFlight
  }

  /** No answer is remembered, and there is room: `pass` is all that a call needs. */
  get isOpen(): boolean {
    return this.cache === undefined && this.hasRoom
  }

  /** A call on a fold point. Throws `NotAsked`. */
  call(point: HookPointName, args: unknown, accumulator: unknown, ticket: Ticket, ask: Ask): unknown {
    const key = this.cache?.key(point, args, accumulator)
    if (this.cache === undefined || key === undefined) return this.enter(ticket, ask)
    const known = this.cache.get(key)
    if (known !== undefined) {
      this.cacheHits++
      return known.verdict
    }
    const flight = this.#flights.get(key.key)
    if (flight !== undefined) {
      this.cacheHits++
      return flight.join(ticket)
    }
    return this.#askOnce(this.cache, key, ticket, ask)
  }

  ended(ticket: Ticket, outcome: unknown): void {
    if (this.#waiting.delete(ticket)) {
      if (ticket.probe) this.breaker.giveBack()
      return
    }
    if (--this.#inFlight === 0 && this.#idleWaiters.length > 0) for (const wake of this.#idleWaiters.splice(0)) wake()
    if (!(outcome instanceof CallFailure)) this.breaker.record(true, ticket.probe)
    else if (outcome.kind !== 'cancelled') this.breaker.record(false, ticket.probe)
    else if (ticket.probe) this.breaker.giveBack()
    this.#next()
  }

  /** Resolves when nothing is with the provider any more. */
  whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idleWaiters.push(resolve))
  }

  /** Fails what waits. */
  close(): void {
    for (const [ticket, { fail }] of this.#waiting) {
      this.#waiting.delete(ticket)
      fail(new NotAsked(`hook provider '${this.#options.provider}' is detached`))
    }
  }

  /** For notifications: their queue has seen that there is room. Throws `NotAsked`. */
  pass(ticket: Ticket): void {
    const admitted = this.breaker.admit()
    if (admitted === undefined) {
      this.turnedAway++
      throw new NotAsked(`the circuit breaker of hook provider '${this.#options.provider}' is open`)
    }
    ticket.probe = admitted === 'probe'
    ticket.office = this
    this.#inFlight++
  }

  /** When there is room; now or later. Throws `NotAsked`. */
  enter(ticket: Ticket, ask: Ask): unknown {
    if (this.hasRoom) {
      this.pass(ticket)
      return ask(ticket)
    }
    if (this.breaker.state === 'open') {
      this.turnedAway++
      throw new NotAsked(`the circuit breaker of hook provider '${this.#options.provider}' is open`)
    }
    if (this.#waiting.size >= this.#options.maxWaiting) {
      this.overflowed++
      throw new NotAsked(
        `hook provider '${this.#options.provider}' has ${this.#inFlight} calls to answer, and ${this.#waiting.size} wait`,
      )
    }
    return new Promise((resolve, reject) => {
      ticket.office = this
      const run = (): void => {
        try {
          this.pass(ticket)
          resolve(ask(ticket))
        } catch (error) {
          reject(error)
        }
      }
      this.#waiting.set(ticket, { run, fail: reject })
    })
  }

  #next(): void {
    if (this.#waiting.size > 0) this.#letIn()
    if (this.hasRoom) this.#options.free()
  }

  #letIn(): void {
    for (const [ticket, { run }] of this.#waiting) {
      if (!this.hasRoom) return
      this.#waiting.delete(ticket)
      ticket.office = undefined
      run()
    }
  }

  /** Asks for all who want to know the same at the same time. */
  #askOnce(cache: VerdictCache, key: CacheKey, ticket: Ticket, ask: Ask): unknown {
    const { generation } = cache
    const own = new Ticket(ticket.remaining)
    const keep = (verdict: unknown): unknown => {
      if (cache.generation === generation) cache.put(key, verdict, own.cacheTime)
      own.end(verdict)
      return verdict
    }
    const failed = (error: unknown): never => {
      own.end(new CallFailure('rejected', error))
      throw error
    }
    let answer: unknown
    try {
      answer = this.enter(own, ask)
    } catch (error) {
      return failed(error)
    }
    if (!isThenable(answer)) return keep(answer)
    const forget = (): void => {
      if (this.#flights.get(key.key) === flight) this.#flights.delete(key.key)
    }
    const shared = Promise.resolve(answer).then(
      (verdict) => {
        forget()
        return keep(verdict)
      },
      (error) => {
        forget()
        return failed(error)
      },
    )
    const flight = new Flight(shared, own, forget)
    this.#flights.set(key.key, flight)
    return flight.join(ticket)
  }
}

type Ask = (ticket: Ticket) => unknown

/** One call that several wait for. It is given up when the last of them does not wait any more. */
class Flight implements TicketOffice {
  readonly #answer: Promise<unknown>
  readonly #ticket: Ticket
  readonly #forget: () => void
  #waiting = 0

  constructor(answer: Promise<unknown>, ticket: Ticket, forget: () => void) {
    this.#answer = answer
    this.#ticket = ticket
    this.#forget = forget
  }

  join(ticket: Ticket): Promise<unknown> {
    this.#waiting++
    ticket.office = this
    return this.#answer
  }

  ended(_ticket: Ticket, outcome: unknown): void {
    if (--this.#waiting > 0 || !(outcome instanceof CallFailure) || outcome.kind === 'rejected') return
    this.#forget()
    this.#ticket.end(outcome)
  }
}
