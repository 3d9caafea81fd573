import { type HookAccumulator, type HookArgs, type HookPointName, type ProviderCall, topicMatches } from '@hookmq/api'
import { messageOf } from '../stream/hook-event.ts'
import type { UnaryProvider } from './provider.ts'

type Event = readonly [point: HookPointName, args: unknown, accumulator: unknown, call: ProviderCall]

/**
 * The events of a server whose settings change, from when the old connection takes no more until the new one has been loaded: they wait, each no longer
 * than it may, and then go to the new one. None is lost, and none passes that `deny` would have stopped.
 */
export class Succession {
  readonly #held: (() => void)[] = []
  #heir: UnaryProvider | undefined
  #open = true

  /** What becomes of an event. Throws when there is nobody who could be asked. */
  take(...event: Event): unknown {
    if (!this.#open) return this.#pass(...event)
    const { promise, resolve } = Promise.withResolvers<unknown>()
    let given = true
    const [, , , call] = event
    call.onAbandoned = () => {
      given = false
      resolve(undefined)
    }
    this.#held.push(() => {
      // What is thrown, too, is what becomes of it.
      if (given) resolve(new Promise((settle) => settle(this.#pass(...event))))
    })
    return promise
  }

  /** The new one has been loaded; undefined: it could not be. */
  end(heir: UnaryProvider | undefined): void {
    this.#open = false
    this.#heir = heir
    for (const go of this.#held.splice(0)) go()
  }

  #pass(point: HookPointName, args: unknown, accumulator: unknown, call: ProviderCall): unknown {
    const heir = this.#heir
    if (heir === undefined) throw new Error('the server could not be loaded with its new settings')
    const spec = heir.hooks.find(({ name }) => name === point)
    if (spec === undefined) return undefined
    const topic = messageOf(args, accumulator)?.topic
    const { topics = [] } = spec
    const asked = topics.length === 0 || topic === undefined || topics.some((filter) => topicMatches(filter, topic))
    if (!asked) return undefined
    return heir.call(point, args as HookArgs<typeof point>, accumulator as HookAccumulator<typeof point>, call)
  }
}
