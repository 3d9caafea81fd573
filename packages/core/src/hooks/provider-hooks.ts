import {
  type HookPointName,
  type HookProvider,
  HookRegistrationError,
  type HookSpec,
  hookPointTable,
  type Logger,
  resolveHookPoint,
} from '@hookmq/api'
import type { Gate } from './gate.ts'
import { type AnyHandler, Hook, type HookOwner, type HookSettings } from './hook.ts'
import { takesTopics } from './options.ts'
import type { ProviderPolicy } from './policy.ts'
import { Ticket } from './ticket.ts'
import { filterProblem } from './topics.ts'

/** Makes the hooks of a provider: what stands in the chains for it. */
export class ProviderHooks {
  readonly #provider: HookProvider
  readonly #policy: ProviderPolicy
  readonly #gate: Gate
  readonly #log: Logger

  constructor(provider: HookProvider, policy: ProviderPolicy, gate: Gate, log: Logger) {
    this.#provider = provider
    this.#policy = policy
    this.#gate = gate
    this.#log = log
  }

  /** What it has asked for. Throws `HookRegistrationError` for a name or a filter that is none. */
  fromSpecs(owner: HookOwner, specs: readonly HookSpec[]): Hook[] {
    if (!Array.isArray(specs))
      throw new HookRegistrationError('invalid_options', `load must give a list of hooks, got ${typeof specs}`)
    const hooks = new Map<HookPointName, Hook>()
    for (const spec of specs) {
      const point = resolveHookPoint(spec.name)
      // As EMQX does: of two hooks on one point the first counts.
      if (hooks.has(point))
        this.#log.warn('hook provider names a hook point twice', { provider: this.#provider.name, point })
      else hooks.set(point, this.#fromSpec(owner, point, spec))
    }
    // EMQX holds CONNACK back for notifications also where the provider does not hook client.connack.
    if (this.#policy.strict && hooks.size > 0 && !hooks.has('client.connack'))
      hooks.set('client.connack', this.#barrier(owner))
    return [...hooks.values()]
  }

  /** Stand in for a provider that has not been loaded yet: each call is a failure of it. */
  guards(owner: HookOwner): Hook[] {
    const handler = (): never => {
      throw new Error(`hook provider '${this.#provider.name}' has not been loaded yet`)
    }
    const own = { topics: undefined, observe: false, strict: false, wantsTicket: false }
    return this.#policy.armedPoints.map((point) => this.#make(owner, point, handler, own))
  }

  #fromSpec(owner: HookOwner, point: HookPointName, spec: HookSpec): Hook {
    const topics = spec.topics !== undefined && spec.topics.length > 0 ? spec.topics : undefined
    if (topics !== undefined && !takesTopics(point))
      this.#log.warn('hook provider gives topics for a point without messages: ignored', {
        provider: this.#provider.name,
        point,
      })
    for (const filter of topics ?? []) {
      const problem = filterProblem(filter)
      if (problem !== undefined) throw new HookRegistrationError('invalid_options', `hook on ${point}: ${problem}`)
    }
    const folds = hookPointTable[point].kind === 'fold'
    const observe = folds && spec.observe === true
    return this.#make(owner, point, folds && !observe ? this.#asks(point) : this.#tells(point, folds), {
      topics: takesTopics(point) ? topics : undefined,
      observe,
      strict: folds && this.#policy.strict,
      wantsTicket: true,
    })
  }

  #asks(point: HookPointName): AnyHandler {
    const provider = this.#provider
    const gate = this.#gate
    const later = (args: unknown, accumulator: unknown, ticket: Ticket): unknown =>
      gate.call(point, args, accumulator, ticket, (own) =>
        provider.call(point, args as never, accumulator as never, own),
      )
    return (args, accumulator, ticket = new Ticket(0)) => {
      if (!gate.isOpen) return later(args, accumulator, ticket)
      gate.pass(ticket)
      return provider.call(point, args as never, accumulator as never, ticket)
    }
  }

  #tells(point: HookPointName, folds: boolean): AnyHandler {
    const provider = this.#provider
    const gate = this.#gate
    if (folds && this.#policy.strict)
      return (args, accumulator, ticket = new Ticket(0)) =>
        gate.enter(ticket, (own) => provider.tell(point, args as never, accumulator as never, own))
    return (args, accumulator, ticket = new Ticket(0)) => {
      gate.pass(ticket)
      return provider.tell(point, args as never, accumulator as never, ticket)
    }
  }

  /** Asks nothing, and waits like all that concerns its client. */
  #barrier(owner: HookOwner): Hook {
    const own = { hidden: true, topics: undefined, observe: true, strict: true, wantsTicket: false }
    return this.#make(owner, 'client.connack', () => undefined, own)
  }

  #make(
    owner: HookOwner,
    point: HookPointName,
    handler: AnyHandler,
    own: Pick<HookSettings, 'topics' | 'observe' | 'strict' | 'wantsTicket' | 'hidden'>,
  ): Hook {
    const { timeout, failedAction } = this.#policy.of(point)
    const settings = {
      point,
      owner,
      name: point,
      priority: this.#policy.priority,
      phase: 'mutate',
      answersForTopic: false,
      timeout,
      // Nobody decides by being told.
      failedAction: own.observe ? 'ignore' : failedAction,
      ...own,
    } as const
    return new Hook(settings, handler)
  }
}
