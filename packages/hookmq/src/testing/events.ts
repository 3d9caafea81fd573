import { type HookAccumulator, type HookArgs, type HookHandler, type HookPointName, hookPointNames } from '@hookmq/api'
import type { Broker } from '@hookmq/core'
import { Awaited } from './awaited.ts'

/** A hook point that ran: with what, and, where it folds, on what. Hooks of the plugin had not run yet. */
export interface HookEvent<P extends HookPointName = HookPointName> {
  readonly point: P
  readonly args: HookArgs<P>
  readonly accumulator: HookAccumulator<P>
}

/** Before every hook of a plugin. */
const first = 1_000_000

/** Writes down every hook point that runs. */
export class HookEvents {
  readonly #events = new Awaited<HookEvent>()

  constructor(broker: Broker) {
    for (const point of hookPointNames) {
      const record = (args: HookArgs<typeof point>, accumulator: HookAccumulator<typeof point>): void =>
        this.#events.add({ point, args, accumulator })
      broker.hooks.add(point, record as HookHandler<typeof point>, {
        owner: 'testing',
        name: 'record',
        priority: first,
      })
    }
  }

  get all(): readonly HookEvent[] {
    return this.#events.all
  }

  take<P extends HookPointName>(point: P, fits: (event: HookEvent<P>) => boolean): Promise<HookEvent<P>> {
    const matches = (event: HookEvent): boolean => event.point === point && fits(event as HookEvent<P>)
    return this.#events.take(`the hook point ${point}`, matches) as Promise<HookEvent<P>>
  }
}
