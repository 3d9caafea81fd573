import type { HookPointName, HookProvider, HookSpec, ProviderCall } from '@hookmq/api'
import { clientKey } from './notification-queue.ts'

/** Something that has reached the provider and is answered by hand. */
export interface Arrived {
  readonly point: HookPointName
  readonly clientId: string
  readonly told: boolean
  readonly call: ProviderCall
  answer(value?: unknown): void
  fail(error?: Error): void
}

/** A provider that answers when the test says so, or at once as `reply` says. */
export class HandProvider implements HookProvider {
  readonly name: string
  readonly arrived: Arrived[] = []
  /** All that has ever arrived, as 'point clientId'. */
  readonly seen: string[] = []
  specs: readonly HookSpec[]
  /** Answers instead of the test. What it throws is the failure. */
  reply: ((point: HookPointName, call: ProviderCall) => unknown) | undefined
  loading: (() => Promise<void>) | undefined
  loads = 0
  unloads = 0

  constructor(specs: readonly (string | HookSpec)[], name = 'far') {
    this.name = name
    this.specs = specs.map((spec) => (typeof spec === 'string' ? { name: spec } : spec))
  }

  async load(): Promise<readonly HookSpec[]> {
    this.loads++
    await this.loading?.()
    return this.specs
  }

  call(point: HookPointName, args: unknown, accumulator: unknown, call: ProviderCall): unknown {
    return this.#arrive(point, args, accumulator, call, false)
  }

  async tell(point: HookPointName, args: unknown, accumulator: unknown, call: ProviderCall): Promise<void> {
    await this.#arrive(point, args, accumulator, call, true)
  }

  async unload(): Promise<void> {
    this.unloads++
  }

  /** The one that has waited longest. */
  next(): Arrived {
    const arrived = this.arrived.shift()
    if (arrived === undefined) throw new Error('nothing has arrived')
    return arrived
  }

  async #arrive(point: HookPointName, args: unknown, accumulator: unknown, call: ProviderCall, told: boolean) {
    const clientId = clientKey(args, accumulator)
    this.seen.push(`${point} ${clientId}`)
    if (this.reply !== undefined) return this.reply(point, call)
    return new Promise((answer, fail) => {
      const refuse = (error = new Error('refused')) => fail(error)
      this.arrived.push({ point, clientId, told, call, answer, fail: refuse })
    })
  }
}

/** Lets everything happen that waits for nothing but promises. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
