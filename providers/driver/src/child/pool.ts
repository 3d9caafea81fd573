import type { CallbackSpec, Style } from '../codec.ts'
import { DriverError } from './errors.ts'
import type { Question } from './question.ts'
import { Slot, type SlotParts, type SlotSettings } from './slot.ts'

/** The processes that run one version of a handler. A client's events always go to the same one, so that they are handled in order. */
export class Pool {
  readonly #name: string
  readonly #slots: readonly Slot[]
  style: Style = 'compatible'
  ordered = true
  givesUp = false
  callbacks: readonly CallbackSpec[] = []

  constructor(size: number, settings: SlotSettings, parts: SlotParts) {
    this.#name = settings.name
    this.#slots = Array.from({ length: size }, () => new Slot(settings, parts))
  }

  /** Starts all of them. Rejects when one does not start; none runs then. Resolves to what the handler warns of. */
  async start(): Promise<readonly string[]> {
    const started = await Promise.allSettled(this.#slots.map((slot) => slot.start()))
    const failed = started.find((one) => one.status === 'rejected')
    const replies = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    if (failed !== undefined) {
      await this.stop()
      throw failed.reason
    }
    const [first] = replies
    if (first === undefined) throw new DriverError(`driver ${this.#name}: has no process`)
    if (replies.some(({ callbacks }) => JSON.stringify(callbacks) !== JSON.stringify(first.callbacks))) {
      await this.stop()
      throw new DriverError(
        `driver ${this.#name}: init() names other hooks in one process of the pool than in another; with pool_size above 1 it must always name the same`,
      )
    }
    this.style = first.style
    this.ordered = first.ordered
    this.givesUp = first.givesUp
    this.callbacks = first.callbacks
    return first.warnings
  }

  get processIds(): readonly number[] {
    return this.#slots.flatMap(({ process }) => process?.processId ?? [])
  }

  get runtime(): string {
    return this.#slots.find(({ process }) => process !== undefined)?.process?.runtime ?? ''
  }

  get inFlight(): number {
    return this.#slots.reduce((total, { process }) => total + (process?.inFlight ?? 0), 0)
  }

  get restarts(): number {
    return this.#slots.reduce((total, { restarts }) => total + restarts, 0)
  }

  get timeouts(): number {
    return this.#slots.reduce((total, { timeouts }) => total + timeouts, 0)
  }

  keysInFlight(): Set<string> {
    return new Set(this.#slots.flatMap(({ process }) => (process === undefined ? [] : [...process.keysInFlight()])))
  }

  /** As `DriverProcess.send`. */
  send(question: Question): DriverError | undefined {
    const slot = this.#slotOf(question.key)
    return slot.process === undefined ? this.#absent(slot, question) : slot.process.send(question)
  }

  async drained(timeout: number): Promise<void> {
    await Promise.all(this.#slots.map(({ process }) => process?.drained(timeout)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.stop()))
  }

  #absent(slot: Slot, { hook }: Question): DriverError {
    return new DriverError(`driver ${this.#name}: ${hook}: ${slot.absence}`)
  }

  #slotOf(key: string): Slot {
    const slots = this.#slots
    return slots.length === 1 ? slots[0] : slots[hash(key) % slots.length]
  }
}

/** FNV-1a over UTF-16 units. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  return value >>> 0
}
