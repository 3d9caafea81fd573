import type {
  AuthorizeRequest,
  Command,
  Counter,
  Credential,
  HookHandler,
  HookOptions,
  HookPointName,
  HttpRequest,
  HttpRoute,
  Logger,
  Message,
  MessageInit,
  PluginContext,
  RetainedPolicy,
} from '@hookmq/api'
import type { SubscriptionOptions } from '@hookmq/mqtt'
import { adminMethods } from './admin-methods.ts'
import { Cursors, type Piece } from './cursors.ts'

/** Calls a function of the plugin. */
export type CallFunction = (id: number, first?: unknown, second?: unknown) => Promise<unknown>

type Method = (...args: never[]) => unknown

/** The functions of a module that the plugin registered, by their numbers. */
interface CarriedModule {
  readonly name: string
  readonly ask: number
  readonly reload?: number
}

/**
 * The broker's end of a plugin's context: the worker asks for what the plugin asked for, and what the plugin registered is registered here, as a function
 * that calls the worker.
 */
export class BrokerSide {
  readonly #context: PluginContext
  readonly #call: CallFunction
  readonly #cursors = new Cursors()
  readonly #methods: ReadonlyMap<string, Method>
  /** One for each function of the plugin, so that the same handler twice is found out. */
  readonly #handlers = new Map<number, HookHandler<HookPointName>>()
  readonly #ends = new Map<number, () => void>()
  readonly #counters = new Map<string, Counter>()
  #number = 0

  constructor(context: PluginContext, call: CallFunction) {
    this.#context = context
    this.#call = call
    this.#methods = new Map(
      Object.entries({
        ...this.#registering(),
        ...this.#using(),
        ...adminMethods(context.admin, {
          begin: (iterator) => this.#begin(iterator),
          keep: (end) => this.#keep(end),
          tell: (id, args) => this.#tell(id, args),
        }),
      }),
    )
  }

  /** Throws what the method throws; a promise when it answers later. */
  run(method: string, args: readonly unknown[]): unknown {
    const found = this.#methods.get(method)
    if (found === undefined) throw new TypeError(`the broker has no method '${method}' for workers`)
    return found(...(args as never[]))
  }

  /** Forgets what is held for the worker alone. What was registered is the host's to take back. */
  close(): void {
    this.#cursors.closeAll()
  }

  #registering(): Record<string, Method> {
    const context = this.#context
    return {
      hook: (point: HookPointName, id: number, options: HookOptions) =>
        this.#keep(context.hook(point, this.#handler(id), carriedOptions(point, options)).remove),
      authenticator: ({ name, ask }: CarriedModule, sequence: number) =>
        context.authenticator(
          { name, authenticate: (client: Credential) => this.#call(ask, [client]) as Promise<never> },
          sequence,
        ),
      authorizer: ({ name, ask, reload }: CarriedModule, sequence: number) =>
        context.authorizer(
          {
            name,
            authorize: (request: AuthorizeRequest) => this.#call(ask, [request]) as Promise<never>,
            ...(reload === undefined ? {} : { reload: () => this.#call(reload, []) as Promise<void> }),
          },
          sequence,
        ),
      counter: (name: string) => void this.#counters.set(name, context.counter(name)),
      retained: (policy: RetainedPolicy, changed: number | undefined) =>
        this.#keep(
          context.retained(
            changed === undefined ? policy : { ...policy, changed: (topic) => this.#tell(changed, [topic]) },
          ),
        ),
      gauge: (name: string, id: number, first: number) => this.#gauge(name, id, first),
      command: (command: Omit<Command, 'run'>, id: number) =>
        context.command({ ...command, run: (args) => this.#call(id, [args]) as Promise<never> }),
      route: (route: Omit<HttpRoute, 'handle'>, id: number) =>
        context.route({ ...route, handle: (request: HttpRequest) => this.#call(id, [request]) as Promise<never> }),
      every: (interval: number, id: number) => this.#every(interval, id),
      after: (delay: number, id: number) => context.after(delay, () => this.#tell(id, [])),
      onTold: (id: number) => context.members.onTold((value) => this.#tell(id, [value])),
      onAsked: (id: number) => context.members.onAsked((value) => this.#call(id, [value])),
      subscribe: (filter: string, id: number, options: Partial<SubscriptionOptions>) =>
        this.#keep(context.broker.subscribe(filter, (message: Message) => this.#tell(id, [message]), options)),
      end: (number: number) => {
        this.#ends.get(number)?.()
        this.#ends.delete(number)
      },
    }
  }

  #using(): Record<string, Method> {
    const context = this.#context
    const { broker } = context
    return {
      log: (level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) =>
        (context.log as Logger)[level](message, fields),
      count: (name: string, amount: number) => this.#counters.get(name)?.add(amount),
      counted: (name: string) => this.#counters.get(name)?.value ?? 0,
      now: () => context.now(),
      members: () => ({ count: context.members.count, name: context.members.name, leads: context.members.leads }),
      owns: (key: string) => context.members.owns(key),
      tellMembers: (value: unknown) => context.members.tell(value),
      askMembers: (value: unknown) => context.members.ask(value),
      publish: (message: MessageInit) => broker.publish(message),
      clients: () => this.#begin(broker.clients()),
      client: (clientId: string) => broker.client(clientId),
      kick: (clientId: string) => broker.kick(clientId),
      metrics: () => broker.metrics(),
      stats: () => broker.stats(),
      next: (cursor: number) => this.#cursors.next(cursor),
      nextOf: (cursor: number) => this.#cursors.nextOf(cursor),
      close: (cursor: number) => this.#cursors.close(cursor),
      'store.check': () => void context.store,
      'store.get': (key: string) => context.store.get(key),
      'store.put': (key: string, value: unknown) => context.store.put(key, value),
      'store.delete': (key: string) => context.store.delete(key),
      'store.list': (prefix: string | undefined) =>
        this.#cursors.nextOf(this.#cursors.begin(context.store.list(prefix))),
    }
  }

  #handler(id: number): HookHandler<HookPointName> {
    let handler = this.#handlers.get(id)
    if (handler === undefined) {
      const call = this.#call
      handler = ((args: unknown, accumulator: unknown) => call(id, args, accumulator)) as HookHandler<HookPointName>
      this.#handlers.set(id, handler)
    }
    return handler
  }

  /** Nobody waits for it, but it counts as a call in flight, so that there are never too many; what is too much is lost, and counted. */
  #tell(id: number, args: readonly unknown[]): void {
    this.#call(id, args).catch(() => {})
  }

  /** A tick that comes while the one before has not been handled is left out. */
  #every(interval: number, id: number): void {
    let busy = false
    const done = (): void => {
      busy = false
    }
    this.#context.every(interval, () => {
      if (busy) return
      busy = true
      this.#call(id, []).then(done, done)
    })
  }

  /** The number is the one that the worker gave when it was asked last; each look asks again. */
  #gauge(name: string, id: number, first: number): void {
    let last = first
    let asking = false
    const settled = (value: unknown): void => {
      asking = false
      if (typeof value === 'number') last = value
    }
    this.#context.gauge(name, () => {
      if (!asking) {
        asking = true
        this.#call(id, []).then(settled, () => settled(undefined))
      }
      return last
    })
  }

  #begin(iterator: Iterator<unknown>): Piece {
    return this.#cursors.next(this.#cursors.begin(iterator))
  }

  #keep(end: () => void): number {
    this.#ends.set(++this.#number, end)
    return this.#number
  }
}

/** Payloads travel to the worker in a copy, and answers come later: whatever the handler does with them, here they are kept. */
function carriedOptions(point: HookPointName, options: HookOptions): HookOptions {
  const { payload, phase } = options
  if (point !== 'message.publish' || phase === 'sink' || (payload !== 'borrow' && payload !== 'ignore')) return options
  return { ...options, payload: 'keep' }
}
