import type { Counter, Logger, PluginContext, ProviderHandle } from '@hookmq/api'
import { DriverProvider } from './provider.ts'
import type { DriverSettings } from './settings.ts'
import { watchHandler } from './watch.ts'

/** How long the plugin waits for a driver to start, milliseconds. One that takes longer is attached when it has. */
const patience = 20_000

/** One driver of the configuration: attached to the broker, or not. */
interface Driver {
  readonly settings: DriverSettings
  readonly place: number
  provider?: DriverProvider
  handle?: ProviderHandle
  unwatch?: () => void
  /** A change of it is under way; the next one waits. */
  busy: Promise<unknown>
}

export interface DriverView {
  readonly name: string
  readonly initModule: string
  readonly hooks: readonly string[]
  readonly runtime: string
  readonly processIds: readonly number[]
  readonly inFlight: number
  readonly restarts: number
}

/** To the same plugin in other processes. */
interface Question {
  readonly change?: { readonly kind: 'enable' | 'disable' | 'reload'; readonly name: string }
}

interface Answer {
  readonly views: readonly DriverView[]
  readonly stats: readonly (readonly [name: string, count: number])[]
}

/** What a process says where it was so already. */
const asWanted = { enable: 'already_started', disable: 'not_running', reload: 'ok' } as const

/** The drivers of the configuration, in its order, with what an operator can do to them. */
export class Drivers {
  readonly #ctx: PluginContext
  readonly #log: Logger
  readonly #drivers: ReadonlyMap<string, Driver>
  readonly #counters = new Map<string, Counter>()

  constructor(ctx: PluginContext, settings: readonly DriverSettings[]) {
    this.#ctx = ctx
    this.#log = ctx.log
    this.#drivers = new Map(
      settings.map((one, place) => [one.name, { settings: one, place, busy: Promise.resolve() }] as const),
    )
  }

  /** Starts all. One that does not start is logged; the others work. */
  async startAll(): Promise<void> {
    await Promise.all([...this.#drivers.values()].map((driver) => this.#enable(driver)))
  }

  /** What the same plugin in another process asks: what it has, or to do what was done there. */
  asked({ change }: Question): Promise<string> | Answer {
    if (change === undefined) return { views: this.#list(), stats: [...this.#stats()] }
    return this[change.kind](change.name, false)
  }

  async #ask(question: Question): Promise<readonly Answer[]> {
    const answers = await this.#ctx.members.ask(question)
    return answers.map(({ answer }) => answer as Answer)
  }

  /** Those that run, in this process or another; what they do is added up. */
  async list(): Promise<DriverView[]> {
    const views = new Map<string, DriverView>()
    for (const view of [this.#list(), ...(await this.#ask({})).map(({ views: others }) => others)].flat()) {
      const before = views.get(view.name)
      views.set(view.name, before === undefined ? view : both(before, view))
    }
    return [...this.#drivers.keys()].flatMap((name) => views.get(name) ?? [])
  }

  #list(): DriverView[] {
    return [...this.#drivers.values()].flatMap(({ settings, provider }) => {
      const pool = provider?.pool
      if (provider === undefined || pool === undefined) return []
      const { runtime, processIds, inFlight, restarts } = pool
      const { initModule } = settings.launch
      return [{ name: settings.name, initModule, hooks: provider.hooks, runtime, processIds, inFlight, restarts }]
    })
  }

  /** Calls of callbacks in all processes, by `driver.hook`, in the order of their first. */
  async stats(): Promise<[name: string, count: number][]> {
    const sums = this.#stats()
    for (const { stats } of await this.#ask({}))
      for (const [name, count] of stats) sums.set(name, (sums.get(name) ?? 0) + count)
    return [...sums]
  }

  #stats(): Map<string, number> {
    return new Map([...this.#counters].map(([name, { value }]) => [name, value]))
  }

  /** 'ok', 'not_found', 'already_started', or why it does not start. `everywhere`: in all processes. */
  enable(name: string, everywhere = true): Promise<string> {
    return this.#everywhere('enable', name, everywhere, async (driver) => {
      if (driver.provider?.isRunning === true) return 'already_started'
      await this.#detach(driver)
      return (await this.#enable(driver)) ?? 'ok'
    })
  }

  /** 'ok', 'not_found', 'not_running'. */
  disable(name: string, everywhere = true): Promise<string> {
    return this.#everywhere('disable', name, everywhere, async (driver) => {
      const running = driver.provider?.isRunning === true
      await this.#detach(driver)
      return running ? 'ok' : 'not_running'
    })
  }

  /** 'ok', 'not_found', 'not_running', or why the new version does not start: the old one works on then. */
  reload(name: string, everywhere = true): Promise<string> {
    return this.#everywhere('reload', name, everywhere, (driver) => this.#reload(driver))
  }

  /** Here first: what fails here is not tried elsewhere. Then what went wrong at another process is the answer. */
  async #everywhere(
    kind: NonNullable<Question['change']>['kind'],
    name: string,
    everywhere: boolean,
    change: (driver: Driver) => Promise<string>,
  ): Promise<string> {
    const outcome = await this.#change(name, change)
    if (outcome !== 'ok' || !everywhere) return outcome
    const answers = await this.#ctx.members.ask({ change: { kind, name } } satisfies Question)
    const problem = answers.find(({ answer }) => answer !== 'ok' && answer !== asWanted[kind])
    return problem === undefined ? 'ok' : `${problem.member}: ${String(problem.answer)}`
  }

  stopWatching(): void {
    for (const driver of this.#drivers.values()) driver.unwatch?.()
  }

  #change(name: string, change: (driver: Driver) => Promise<string>): Promise<string> {
    const driver = this.#drivers.get(name)
    if (driver === undefined) return Promise.resolve('not_found')
    const done = driver.busy.then(() => change(driver))
    driver.busy = done.catch(() => {})
    return done
  }

  /** Resolves to why it does not work. It stays attached all the same: what its policy says about failures holds. */
  async #enable(driver: Driver): Promise<string | undefined> {
    const { settings, place } = driver
    const { name, language, launch, process, poolSize, notificationsAhead, policy } = settings
    const provider = new DriverProvider({
      language,
      launch,
      process,
      poolSize,
      notificationsAhead,
      node: this.#ctx.broker.node,
      log: this.#log,
      count: this.#counting(name),
    })
    driver.provider = provider
    if (settings.hotReload) driver.unwatch ??= this.#watch(driver)
    let problem: string | undefined
    const prepared = provider.prepare().catch((error: unknown) => {
      problem = error instanceof Error ? error.message : String(error)
    })
    await within(patience, prepared)
    provider.changed = () => void this.reload(name, false)
    const handle = this.#ctx.provider(provider, { ...policy, place })
    driver.handle = handle
    return problem
  }

  async #detach(driver: Driver): Promise<void> {
    const { handle } = driver
    driver.handle = undefined
    driver.provider = undefined
    driver.unwatch?.()
    driver.unwatch = undefined
    await handle?.detach()
  }

  async #reload({ handle, settings }: Driver): Promise<string> {
    if (handle === undefined) return 'not_running'
    if (await handle.reload()) {
      this.#log.info(`driver ${settings.name}: the handler was loaded again`, { driver: settings.name })
      return 'ok'
    }
    return handle.error instanceof Error ? handle.error.message : String(handle.error)
  }

  #watch(driver: Driver): () => void {
    const { settings } = driver
    return watchHandler(settings, this.#log, () => void this.reload(settings.name, false))
  }

  /** Counts the calls of one driver. For each call: so names are put together once. */
  #counting(driver: string): (hook: string) => void {
    const known = new Map<string, Counter>()
    return (hook) => {
      let counter = known.get(hook)
      if (counter === undefined) {
        const name = `${driver}.${hook.replaceAll('.', '_')}`
        counter = this.#counters.get(name) ?? this.#ctx.counter(`exhook.${name}`)
        this.#counters.set(name, counter)
        known.set(hook, counter)
      }
      counter.add()
    }
  }
}

function both(one: DriverView, other: DriverView): DriverView {
  return {
    ...one,
    hooks: one.hooks.length > 0 ? one.hooks : other.hooks,
    processIds: [...one.processIds, ...other.processIds],
    inFlight: one.inFlight + other.inFlight,
    restarts: one.restarts + other.restarts,
  }
}

async function within(timeout: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, timeout)
  })
  await Promise.race([promise, late])
  clearTimeout(timer)
}
