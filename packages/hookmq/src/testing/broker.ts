import type {
  BrokerAdmin,
  BrokerLink,
  CommandResult,
  HookHandle,
  HookHandler,
  HookOptions,
  HookPointName,
  HttpResponse,
  KeyValueStore,
  Message,
  MessageInit,
  Plugin,
  RetainedStore,
  SessionStore,
} from '@hookmq/api'
import type { PluginConfig } from '@hookmq/config'
import { Broker, type BrokerOptions } from '@hookmq/core'
import { createSettings } from '@hookmq/kit'
import { MemoryRetainedStore, MemoryStore } from '@hookmq/store-memory'
import { openLink } from '../client/link.ts'
import type { ClientOptions } from '../client/options.ts'
import { TestClient } from './client.ts'
import { ManualClock, turns } from './clock.ts'
import { type HookEvent, HookEvents } from './events.ts'
import { createTestLog, type LogLine } from './log.ts'
import { findRoute, type TestRequest } from './request.ts'
import { type PluginUnderTest, readUnderTest } from './under-test.ts'
import { wordsOf } from './words.ts'

/** What the kit needs of a test runner: node:test's context has it. */
export interface TestScope {
  after(run: () => void | Promise<void>): void
}

export interface TestBrokerOptions extends Partial<Omit<BrokerOptions, 'log'>> {
  /** Loaded in this order before the broker is handed over. */
  readonly plugins?: readonly (Plugin | PluginUnderTest)[]
  /** Where plugins keep their values. Give two brokers the same one to test a restart. */
  readonly store?: { namespace(name: string): KeyValueStore }
  /** Where durable sessions survive. Default: nowhere. */
  readonly sessions?: SessionStore
  readonly retained?: RetainedStore
  readonly clock?: ManualClock
}

type ConfFrom = Pick<PluginUnderTest, 'folder' | 'home'>

/**
 * A whole broker in this process, without sockets, files and waiting: its clock stands still until the test moves it, and its clients
 * are connected through memory. Stopped by `stop`, by the end of `scope`, or by `await using`.
 */
export class TestBroker implements AsyncDisposable {
  readonly clock: ManualClock
  /** All that was logged. */
  readonly log: readonly LogLine[]
  readonly #broker: Broker
  readonly #events: HookEvents
  #stopped: Promise<void> | undefined

  constructor({
    plugins: _,
    store = new MemoryStore(),
    retained,
    sessions,
    clock = new ManualClock(),
    ...options
  }: TestBrokerOptions) {
    const lines: LogLine[] = []
    this.clock = clock
    this.log = lines
    this.#broker = new Broker(
      { sysInterval: 0, sysHeartbeat: 0, ...options, log: createTestLog(lines) },
      {
        retained: retained ?? new MemoryRetainedStore({ maximum: options.maxRetainedMessages ?? 0 }),
        store: (name) => store.namespace(name),
        sessions: () => sessions,
        settings: (plugin, given) => createSettings(plugin.config, given),
        clock,
      },
    )
    this.#events = new HookEvents(this.#broker)
  }

  async start(): Promise<void> {
    await this.#broker.start()
  }

  /** Idempotent. Unloads the plugins, too. */
  stop(): Promise<void> {
    this.#stopped ??= this.#broker.stop(1000)
    return this.#stopped
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** The broker as plugins see it. */
  get link(): BrokerLink {
    return this.#broker.link
  }

  get admin(): BrokerAdmin {
    return this.#broker.admin
  }

  // --- plugins -----------------------------------------------------------------------------------------------------

  /**
   * Loads a plugin. Rejects with what is wrong with its settings or what its setup threw.
   * @param conf its settings, as lines of its configuration file or by key
   */
  async load(plugin: Plugin, conf: PluginUnderTest['conf'] = {}, from: ConfFrom = {}): Promise<void> {
    await this.#broker.plugins.load(plugin, this.#read({ plugin, conf, ...from }))
  }

  /** Puts this plugin in the place of the one that is loaded under its name, as after a change of its code or settings. */
  async reload(plugin: Plugin, conf: PluginUnderTest['conf'] = {}, from: ConfFrom = {}): Promise<void> {
    await this.#broker.plugins.reload(plugin, this.#read({ plugin, conf, ...from }))
  }

  /** false: it is not loaded. */
  unload(name: string): Promise<boolean> {
    return this.#broker.plugins.unload(name)
  }

  #read(one: PluginUnderTest): PluginConfig {
    const read = readUnderTest(one)
    for (const warning of read.warnings) this.#broker.log.warn(warning, { plugin: one.plugin.name })
    return read
  }

  // --- what happens ------------------------------------------------------------------------------------------------

  /** A client that got its CONNACK. Rejects with the `reasonCode` when the broker refuses it. */
  async connect(options: ClientOptions & { readonly mountpoint?: string } = {}): Promise<TestClient> {
    const { mountpoint, ...rest } = options
    return new TestClient(openLink(this.#broker, 'link:testing', mountpoint), rest).connect()
  }

  /** As a plugin or the embedding program would. Resolves to the number of receivers. */
  publish(message: MessageInit): Promise<number> {
    return this.#broker.link.publish(message)
  }

  subscribe(filter: string, receive: (message: Message) => void): () => void {
    return this.#broker.link.subscribe(filter, receive)
  }

  /** A hook of the test's own, such as one that stands in for another plugin. */
  hook<P extends HookPointName>(point: P, handler: HookHandler<P>, options: HookOptions = {}): HookHandle {
    return this.#broker.hooks.add(point, handler, { ...options, owner: 'test' })
  }

  /** The oldest run of a hook point that fits and was not taken yet, or the next. Rejects after 10 seconds. */
  event<P extends HookPointName>(point: P, fits: (event: HookEvent<P>) => boolean = () => true): Promise<HookEvent<P>> {
    return this.#events.take(point, fits)
  }

  /** All hook points that ran, in order. */
  get events(): readonly HookEvent[] {
    return this.#events.all
  }

  /** Moves the broker's time on by so many milliseconds: its timers, those of plugins, keep alive, expiry. */
  advance(milliseconds: number): Promise<void> {
    return this.clock.advance(milliseconds)
  }

  /** Lets what is under way in this process go on for some turns of the event loop. */
  settle(count = 10): Promise<void> {
    return turns(count)
  }

  // --- operators ---------------------------------------------------------------------------------------------------

  /**
   * Runs a command line, such as `users add ann apple`, or its words. Wrong use gives its usage and exit code 2; a command that
   * nobody registered rejects.
   */
  async ctl(line: string | readonly string[]): Promise<CommandResult & { readonly exitCode: number }> {
    const [name, ...args] = typeof line === 'string' ? wordsOf(line) : line
    const command = this.#broker.admin.commands().find((one) => one.name === name)
    if (command === undefined) throw new Error(`there is no command '${name}'`)
    const result = await command.run(args)
    if (result === undefined) return { lines: command.usage.map(([usage]) => usage), exitCode: 2 }
    return { ...result, exitCode: result.exitCode ?? 0 }
  }

  /** Calls an endpoint of a plugin. `path` as it is registered, with values in place of its `:parts`; a query may follow. */
  async request(
    method: TestRequest['method'],
    path: string,
    request: Omit<TestRequest, 'method' | 'path'> = {},
  ): Promise<HttpResponse> {
    const { route, ...call } = findRoute(this.#broker.admin.routes(), { ...request, method, path })
    return route.handle(call)
  }
}

/**
 * Starts a broker for one test.
 *
 *     test('greets', async (t) => {
 *       const broker = await startTestBroker(t, { plugins: [greeter] })
 *       const client = await broker.connect()
 *       …
 *     })
 *
 * @param scope ends the broker with the test; without one call `stop`, or use `await using`
 */
export async function startTestBroker(
  scope?: TestScope | TestBrokerOptions,
  init?: TestBrokerOptions,
): Promise<TestBroker> {
  const withScope = isScope(scope)
  const options = init ?? (withScope ? {} : (scope ?? {}))
  const broker = new TestBroker(options)
  if (withScope) scope.after(() => broker.stop())
  try {
    await broker.start()
    for (const one of options.plugins ?? []) {
      if ('plugin' in one) await broker.load(one.plugin, one.conf, one)
      else await broker.load(one)
    }
  } catch (error) {
    await broker.stop()
    throw error
  }
  return broker
}

function isScope(value: unknown): value is TestScope {
  return typeof value === 'object' && value !== null && 'after' in value && typeof value.after === 'function'
}
