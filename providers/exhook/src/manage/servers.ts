import type { HookProvider, HookProviderPolicy, Logger, MemberAnswer, ProviderHandle } from '@hookmq/api'
import { ExHookServer, type ServerEnvironment } from '../server.ts'
import { readServer, type ServerSettings, SettingsError, type SettingTexts, urlProblem } from '../settings.ts'
import type { Certificates } from './certificates.ts'
import { fingerprint, merge, type Overlay, type OverlayEntry, readOverlay } from './overlay.ts'
import { Rates } from './rates.ts'
import { type Part, type ServerView, viewOf } from './views.ts'

/** Where the servers live. */
export interface ServersContext {
  readonly environment: ServerEnvironment
  readonly log: Logger
  readonly store: {
    get(key: string): Promise<unknown>
    put(key: string, value: unknown): Promise<void>
  }
  readonly provider: (provider: HookProvider, policy: HookProviderPolicy) => ProviderHandle
  readonly certificates: Certificates
  /** To the same plugin in the other processes of the broker, whose `follow` gets it. */
  readonly tell: (value: unknown) => void
  /** The same plugin in the other processes, whose `asked` answers. */
  readonly ask: (value: unknown) => Promise<readonly MemberAnswer[]>
  /** The name of this broker's node; with several processes, that of one of them. */
  readonly nodeOf: (member?: string) => string
  /** Global keys. */
  readonly globals: SettingTexts
}

/** One server, and what is known of it beside its connection. */
export interface Managed {
  readonly texts: SettingTexts
  readonly server: ExHookServer
  readonly rates: Rates
}

/** A change that cannot be made. The word says why. */
export class ChangeError extends Error {
  readonly code: 'already_exists' | 'not_found' | 'bad_arguments' | 'invalid_position'

  constructor(code: ChangeError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** To the same plugin in other processes: to forget remembered verdicts, or what they have. */
interface Question {
  readonly clean?: { readonly clientId?: string; readonly server?: string }
}

/** Of the plugin's store. */
const key = 'servers'

/** The servers in their order. Changes take effect at once, one after the other, and are kept for the next start. */
export class Servers {
  readonly #context: ServersContext
  readonly #file: ReadonlyMap<string, SettingTexts>
  #servers = new Map<string, Managed>()
  #entries: Record<string, OverlayEntry> = {}
  #work: Promise<unknown> = Promise.resolve()

  constructor(context: ServersContext, file: ReadonlyMap<string, SettingTexts>) {
    this.#context = context
    this.#file = file
  }

  /** Attaches those of the file, with what was changed when the plugin last ran. @throws SettingsError for what the file says */
  async start(): Promise<void> {
    const { log, store, certificates } = this.#context
    const overlay = readOverlay(await store.get(key))
    const { servers, outdated } = merge(this.#file, overlay)
    this.#entries = Object.fromEntries(Object.entries(overlay.servers).filter(([name]) => !outdated.includes(name)))
    if (outdated.length > 0) {
      log.info('changes to exhook servers count no more: the file of settings was changed after them', {
        servers: outdated,
      })
    }
    for (const [name, texts] of servers) {
      try {
        this.#servers.set(name, this.#make(name, texts, new Rates()))
      } catch (error) {
        if (this.#file.get(name) === texts) throw error
        log.error('exhook server is left out: what was kept of it cannot be used', {
          server: name,
          error: message(error),
        })
      }
    }
    for (const [place, { server }] of [...this.#servers.values()].entries())
      server.start((provider, policy) => this.#context.provider(provider, { ...policy, place }))
    if (outdated.length > 0) await store.put(key, this.#overlay())
    await certificates.cleanAll(servers)
  }

  /** In their order. */
  list(): readonly Managed[] {
    return [...this.#servers.values()]
  }

  get(name: string): Managed | undefined {
    return this.#servers.get(name)
  }

  /** Resolves when its first load has ended, well or not. Rejects with a ChangeError. */
  add(name: string, given: SettingTexts): Promise<Managed> {
    return this.#alone(async () => {
      if (this.#servers.has(name)) throw new ChangeError('already_exists', 'Already exists')
      this.#check(name, given)
      const texts = await this.#context.certificates.store(name, given)
      const managed = this.#begin(name, texts)
      await this.#keep(name, texts)
      return managed
    })
  }

  /** Puts other settings in the place of all that it has: unloads the old one, then loads the new one, which gets what has come in between. */
  update(name: string, given: SettingTexts): Promise<Managed> {
    return this.#alone(() => this.#update(name, given))
  }

  /** Changes only these keys; undefined takes one out. */
  change(name: string, changes: Readonly<Record<string, string | undefined>>): Promise<Managed> {
    return this.#alone(() => {
      const { texts } = this.#require(name)
      const all = Object.entries({ ...texts, ...changes })
      return this.#update(
        name,
        Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== undefined)),
      )
    })
  }

  /** Resolves when it is unloaded. */
  remove(name: string): Promise<void> {
    return this.#alone(async () => {
      const stopped = this.#end(this.#require(name))
      await this.#keep(name, undefined)
      await stopped
      await this.#context.certificates.clean(name, undefined)
    })
  }

  /** `front`, `rear`, `before:NAME`, `after:NAME`. Nothing is loaded or unloaded. */
  move(name: string, position: string): Promise<void> {
    return this.#alone(async () => {
      this.#require(name)
      const others = [...this.#servers.keys()].filter((other) => other !== name)
      others.splice(placeOf(others, position), 0, name)
      this.#order(others)
      await this.#save()
    })
  }

  /** What the servers of another process were told: does the same here. Nothing is checked, stored or written again. */
  follow(told: unknown): Promise<void> {
    const { overlay } = told as { readonly overlay: unknown }
    return this.#alone(async () => {
      const { servers: wanted } = merge(this.#file, readOverlay(overlay))
      for (const managed of this.list()) if (!wanted.has(managed.server.name)) await this.#end(managed)
      for (const [name, texts] of wanted) {
        try {
          const before = this.#servers.get(name)
          if (before === undefined) this.#begin(name, texts)
          else if (fingerprint(before.texts) !== fingerprint(texts)) await this.#replace(before, texts).done
        } catch (error) {
          this.#context.log.error('exhook server was changed in another process, but cannot be here', {
            server: name,
            error: message(error),
          })
        }
      }
      this.#entries = { ...readOverlay(overlay).servers }
      this.#order([...wanted.keys()].filter((name) => this.#servers.has(name)))
    })
  }

  /** What the servers of another process ask. */
  asked(question: unknown): readonly ServerView[] | number {
    const { clean } = question as Question
    return clean === undefined ? this.list().map(viewOf) : this.#cleanCache(clean)
  }

  /** Each of `servers` as every process has it, this one first. */
  async everywhere(servers: readonly Managed[]): Promise<readonly (readonly Part[])[]> {
    const { ask, nodeOf } = this.#context
    const answers = await ask({} satisfies Question)
    return servers.map((managed) => {
      const own = { node: nodeOf(), view: viewOf(managed) }
      const others = answers.flatMap(({ member, answer }) =>
        (answer as readonly ServerView[])
          .filter(({ name }) => name === managed.server.name)
          .map((view) => ({ node: nodeOf(member), view })),
      )
      return [own, ...others]
    })
  }

  /** Forgets remembered verdicts, of one client or of all, of one server or of all; resolves to how many there were in all processes. */
  async cleanCache(clean: NonNullable<Question['clean']>): Promise<number> {
    const own = this.#cleanCache(clean)
    const answers = await this.#context.ask({ clean } satisfies Question)
    return answers.reduce((sum, { answer }) => sum + Number(answer), own)
  }

  #cleanCache({ clientId, server: only }: NonNullable<Question['clean']>): number {
    return this.list()
      .filter(({ server }) => only === undefined || server.name === only)
      .reduce((sum, { server }) => sum + (server.handle?.cleanCache(clientId) ?? 0), 0)
  }

  tick(): void {
    for (const { server, rates } of this.#servers.values()) rates.tick(server.handle)
  }

  /** Looks after none of them any more; their hooks are taken out by the broker. */
  retire(): void {
    for (const { server } of this.#servers.values()) server.retire()
  }

  async #update(name: string, given: SettingTexts): Promise<Managed> {
    const before = this.#require(name)
    this.#check(name, given)
    const { certificates } = this.#context
    const texts = await certificates.store(name, given)
    const { managed, done } = this.#replace(before, texts)
    await this.#keep(name, texts)
    await done
    await certificates.clean(name, texts)
    return managed
  }

  /** At the end of the order. */
  #begin(name: string, texts: SettingTexts): Managed {
    const managed = this.#make(name, texts, new Rates())
    this.#attach(managed, (provider, policy) => this.#context.provider(provider, policy), this.#servers.size)
    this.#servers.set(name, managed)
    return managed
  }

  /** `done` when the one before has ended. */
  #replace(before: Managed, texts: SettingTexts): { readonly managed: Managed; readonly done: Promise<void> } {
    const { name, handle } = before.server
    const managed = this.#make(name, texts, before.rates)
    const place = [...this.#servers.keys()].indexOf(name)
    if (handle === undefined) {
      this.#attach(managed, (provider, policy) => this.#context.provider(provider, policy), place)
    } else if (managed.server.settings.enable) {
      managed.server.provider.follow(before.server.provider)
      this.#attach(managed, (provider, policy) => handle.replace(provider, policy), place)
      before.server.retire()
    }
    this.#servers.set(name, managed)
    // Only when it has ended it has counted all.
    const done = handle === undefined ? Promise.resolve() : before.server.stop().then(() => before.rates.keep(handle))
    return { managed, done }
  }

  /** Resolves when it is unloaded. */
  #end({ server }: Managed): Promise<void> {
    this.#servers.delete(server.name)
    const stopped = server.stop()
    this.#place()
    return stopped
  }

  #attach({ server }: Managed, attach: ServersContext['provider'], place: number): void {
    try {
      server.start((provider, policy) => attach(provider, { ...policy, place }))
    } catch (error) {
      throw new ChangeError('bad_arguments', message(error))
    }
  }

  #make(name: string, texts: SettingTexts, rates: Rates): Managed {
    const settings = readServer(name, texts, this.#context.globals)
    return { texts, rates, server: new ExHookServer(settings, this.#context.environment) }
  }

  /** Throws a ChangeError. */
  #check(name: string, texts: SettingTexts): void {
    let settings: ServerSettings
    try {
      settings = readServer(name, texts, this.#context.globals)
    } catch (error) {
      if (error instanceof SettingsError) throw new ChangeError('bad_arguments', error.message)
      throw error
    }
    const problem = urlProblem(settings)
    if (problem !== undefined) throw new ChangeError('bad_arguments', problem)
  }

  #require(name: string): Managed {
    const managed = this.#servers.get(name)
    if (managed === undefined) throw new ChangeError('not_found', 'Server not found')
    return managed
  }

  #order(names: readonly string[]): void {
    this.#servers = new Map(names.map((name) => [name, this.#require(name)]))
    this.#place()
  }

  /** Tells each its place. */
  #place(): void {
    for (const [place, { server }] of [...this.#servers.values()].entries())
      if (server.handle !== undefined) server.handle.place = place
  }

  async #keep(name: string, texts: SettingTexts | undefined): Promise<void> {
    const own = this.#file.get(name)
    if (own === undefined && texts === undefined) delete this.#entries[name]
    else
      this.#entries[name] = {
        ...(own === undefined ? {} : { file: fingerprint(own) }),
        ...(texts === undefined ? {} : { texts }),
      }
    await this.#save()
  }

  /** For the next start, and for the other processes. */
  async #save(): Promise<void> {
    const overlay = this.#overlay()
    await this.#context.store.put(key, overlay)
    this.#context.tell({ overlay })
  }

  #overlay(): Overlay {
    return { fileOrder: [...this.#file.keys()], order: [...this.#servers.keys()], servers: this.#entries }
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => {})
    return done
  }
}

function placeOf(others: readonly string[], position: string): number {
  if (position === 'front') return 0
  if (position === 'rear') return others.length
  const [, side, name] = /^(before|after):(.+)$/.exec(position) ?? []
  const index = others.indexOf(name ?? '')
  if (index === -1) throw new ChangeError('invalid_position', 'Invalid Position')
  return side === 'before' ? index : index + 1
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
