import type { HookPointName, HookProvider } from '@hookmq/api'
import {
  hookProviderSuite,
  type ProviderScript,
  type ProviderUnderTest,
  type Received,
  type ScriptedAnswer,
} from '@hookmq/api/testing'
import { hookHost } from '../testing/hook-host.ts'
import { HookEngine } from './engine.ts'
import { collectingLog } from './log.testing.ts'
import { clientKey } from './notification-queue.ts'

/** A far end in the same process. */
class LocalProvider implements HookProvider {
  readonly name = 'local'
  readonly #script: ProviderScript
  readonly seen: Received[] = []
  loads = 0
  unloads = 0
  #released = Promise.withResolvers<void>()

  constructor(script: ProviderScript) {
    this.#script = script
  }

  async load() {
    this.loads++
    if (this.#script.refuseLoad !== undefined) throw new Error(this.#script.refuseLoad)
    return this.#script.hooks
  }

  call(point: HookPointName, args: unknown, accumulator: unknown): unknown {
    return this.#answer(point, args, accumulator)
  }

  async tell(point: HookPointName, args: unknown, accumulator: unknown): Promise<void> {
    await this.#answer(point, args, accumulator)
  }

  async unload() {
    this.unloads++
  }

  release(): void {
    this.#released.resolve()
  }

  async #answer(point: HookPointName, args: unknown, accumulator: unknown): Promise<unknown> {
    const { topic } = { ...(accumulator as object), ...(args as object) } as { topic?: string }
    this.seen.push({ point, clientId: clientKey(args, accumulator), ...(topic === undefined ? {} : { topic }) })
    return this.#verdict(this.#script.answers?.[point] ?? { do: 'continue' })
  }

  async #verdict(answer: ScriptedAnswer): Promise<unknown> {
    switch (answer.do) {
      case 'continue':
        return undefined
      case 'hold':
        return this.#released.promise
      case 'throw':
        throw new Error('scripted')
      case 'payload': {
        const changed = { payload: answer.payload }
        return answer.stop === true ? { stop: changed } : { ok: changed }
      }
      case 'drop':
        return { drop: true }
      case 'reject':
        return { reject: answer.code }
      case 'disconnect':
        return { disconnect: answer.code }
      default:
        return { stop: { result: answer.do } }
    }
  }
}

hookProviderSuite({
  name: 'in the same process',
  async create(script): Promise<ProviderUnderTest> {
    const provider = new LocalProvider(script)
    return {
      provider,
      received: async () => provider.seen,
      release: async () => provider.release(),
      loads: async () => provider.loads,
      unloads: async () => provider.unloads,
      dispose: async () => {},
    }
  },
  host: () => hookHost(new HookEngine({ log: collectingLog().log, timeout: 0, queueLimit: 1000, queueDrop: 'oldest' })),
})
