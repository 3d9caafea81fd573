import { join } from 'node:path'
import type { Plugin, PluginOutcome, PluginView } from '@hookmq/api'
import {
  declaresKey,
  type PluginConfigInit,
  type PluginOverride,
  pluginConfigFile,
  readPluginConfig,
} from '@hookmq/config'
import { type Broker, PluginBusyError } from '@hookmq/core'
import { splitKey } from '@hookmq/kit'
import { type ErrorCode, HookmqError, messageOf } from '../errors.ts'
import { answersTo, Catalogue, isPath, type PluginSource, packageAround } from './catalogue.ts'
import { importPlugin, setupFailure } from './load.ts'
import { LoadedFile } from './loaded-file.ts'
import { appearance, moduleHasChanged } from './modules.ts'
import type { PluginPackage } from './package.ts'
import { runnerFor } from './place.ts'
import type { PreparedPlugin } from './prepare.ts'

/** Where plugins and their settings are. */
export interface PluginPlaces {
  /** Folder that relative paths in files, plugin paths and `node_modules` are in. */
  readonly home: string
  /** Folders with NAME.conf and NAME.config. */
  readonly folders: readonly string[]
  /** `plugins.dir` */
  readonly dir?: string
  readonly overrides: readonly PluginOverride[]
  /** The file that is kept up to date with what is loaded by name. */
  readonly loadedFile?: string
  /** What the file names when it is made. */
  readonly initial?: readonly string[]
}

/** A plugin that is loaded, or should be, or was. */
interface Known {
  readonly name: string
  plugin?: Plugin
  package?: PluginPackage
  /** The module file; undefined for an object of the embedding program. */
  file?: string
  given?: PreparedPlugin['config']
  /** As the user spelled it. */
  spelling?: string
  /** Why it is not in force, or not in its newest form. */
  error?: string
  /** Which of the errors that have a page this is. */
  code?: ErrorCode
  /** The name of the plugin that it was loaded as a part of. */
  within?: string
  /** What it is made of, as far as that is there. */
  parts?: readonly (Plugin | undefined)[]
  /** What its file of settings looked like when it was last read, well or not. */
  settingsSeen?: string
}

/** Loads plugins by name on a running broker, and remembers which. */
export class PluginManager {
  readonly #broker: Broker
  readonly #places: PluginPlaces
  readonly #catalogue: Catalogue
  readonly #loadedFile: LoadedFile | undefined
  readonly #known = new Map<string, Known>()

  constructor(broker: Broker, places: PluginPlaces) {
    this.#broker = broker
    this.#places = places
    this.#catalogue = new Catalogue(places)
    this.#loadedFile = places.loadedFile === undefined ? undefined : new LoadedFile(places.loadedFile)
  }

  /** Loads a plugin that the program was given. Rejects with a HookmqError or ConfigError. */
  async add({ plugin, file, origin, config }: PreparedPlugin): Promise<void> {
    if (this.#broker.plugins.has(plugin.name))
      throw new HookmqError(
        'PLUGIN_DUPLICATE',
        `plugin ${plugin.name}${origin === undefined ? '' : ` (${origin})`}: a plugin of this name is loaded already`,
      )
    // A folder that was named brings its own etc, as one that is found by its name does.
    const around = origin === undefined ? undefined : packageAround(origin, process.cwd())
    await this.#start({ name: plugin.name, plugin, file, package: around, given: config }, [])
  }

  /**
   * Loads the plugins of the configuration, then those of the loaded file, in order. What cannot be loaded is logged and shown by `plugins`;
   * the others go on. Never rejects.
   */
  async boot(names: readonly string[]): Promise<void> {
    for (const name of [...names, ...this.#remembered()]) {
      const outcome = await this.#load(name)
      if (outcome.ok || outcome.error === 'already_started') continue
      const error =
        outcome.error === 'not_found'
          ? `there is no plugin ${name}; 'plugins list' shows those there are`
          : outcome.error
      const known = this.#find(name)
      const page = known?.code === undefined ? undefined : `docs/errors/${known.code}.md`
      this.#broker.log.error('plugin not loaded; the broker goes on without it', { plugin: name, reason: error, page })
      if (known === undefined) this.#known.set(name, { name, spelling: name, error })
      else known.error ??= error
    }
  }

  /** Loaded ones first, in the order in which they were loaded; then those that should be; then those that could be. */
  plugins(): readonly PluginView[] {
    const loaded = this.#broker.plugins.list()
    const active = new Set(loaded.map(({ plugin }) => plugin.name))
    const views: PluginView[] = loaded.map(({ plugin, placement, problem }) => {
      const known = this.#known.get(plugin.name)
      return { ...viewOf(plugin.name, plugin, known), active: true, placement, error: problem ?? known?.error }
    })
    for (const known of this.#known.values()) {
      if (active.has(known.name)) continue
      const { plugin, error } = known
      views.push({
        ...viewOf(known.name, plugin, known),
        active: false,
        placement: plugin?.placement ?? 'in-process',
        error,
        commands: known.package?.commands,
      })
    }
    const named = new Set(views.map(({ name }) => name))
    const files = new Set([...this.#known.values()].map(({ file }) => file))
    for (const one of this.#catalogue.list()) {
      if (named.has(one.name) || files.has(one.entry)) continue
      views.push({
        ...viewOf(one.name, undefined, { name: one.name, package: one }),
        active: false,
        placement: 'in-process',
        commands: one.commands,
      })
    }
    return views
  }

  async loadPlugin(spelling: string): Promise<PluginOutcome> {
    const name = this.#catalogue.place(spelling)
    const outcome = await this.#load(name)
    if (outcome.ok) this.#remember(name)
    return outcome
  }

  async unloadPlugin(name: string): Promise<PluginOutcome> {
    const known = this.#find(name)
    if (known === undefined)
      return { ok: false, error: (await this.#source(name)) === undefined ? 'not_found' : 'not_started' }
    if (!this.#broker.plugins.has(known.name)) {
      // It may be on the list and have failed: off the list is what is wanted.
      this.#forget(known)
      return { ok: false, error: 'not_started' }
    }
    const needed = this.#broker.plugins
      .list()
      .filter(({ plugin }) =>
        [...(plugin.dependencies ?? []), ...(plugin.includes ?? [])].some(
          (other) => known.plugin !== undefined && answersTo(known.plugin, other),
        ),
      )
    if (needed.length > 0)
      return {
        ok: false,
        error: `it is needed by ${needed.map(({ plugin }) => plugin.name).join(', ')}; unload that first`,
      }
    try {
      await this.#broker.plugins.unload(known.name)
      for (const part of this.#partsOf(known.name).reverse()) {
        await this.#broker.plugins.unload(part.name)
        this.#known.delete(part.name)
      }
    } catch (error) {
      return { ok: false, error: messageOf(error) }
    }
    this.#forget(known)
    return { ok: true, started: [] }
  }

  /** What was loaded because this is made of it. */
  #partsOf(name: string): Known[] {
    return [...this.#known.values()].filter((known) => known.within === name && this.#broker.plugins.has(known.name))
  }

  async reloadPlugin(name: string): Promise<PluginOutcome> {
    const known = this.#find(name)
    if (known === undefined) return this.loadPlugin(name)
    if (!this.#broker.plugins.has(known.name)) return this.#load(name)
    const { plugin: before, file } = known
    for (const part of this.#partsOf(known.name)) {
      const outcome = await this.reloadPlugin(part.name)
      if (!outcome.ok) return outcome
    }
    try {
      const plugin = file === undefined ? before : await importPlugin(file)
      if (plugin === undefined || plugin.name !== known.name)
        throw new HookmqError(
          'PLUGIN_NAME',
          `plugin ${known.name} (${file}): it is now called ${plugin?.name}; unload the one and load the other`,
        )
      await this.#dependencies(plugin, [])
      await this.#run({ ...known, plugin }, (start) => this.#broker.plugins.reload(plugin, start))
      return { ok: true, started: [known.spelling ?? known.name] }
    } catch (error) {
      const reason = messageOf(error)
      if (!(error instanceof PluginBusyError))
        known.error = `not reloaded, what was there before is in force: ${reason}`
      return { ok: false, error: reason }
    }
  }

  /** Also those that should be loaded and are not: something about them may have been mended. */
  changedPlugins(): Promise<readonly string[]> {
    const changed: string[] = []
    for (const known of this.#known.values()) {
      if (!this.#broker.plugins.has(known.name) && known.error === undefined) continue
      const code = known.file !== undefined && moduleHasChanged(known.file)
      const settings =
        known.plugin !== undefined &&
        known.settingsSeen !== undefined &&
        this.#settingsNow({ ...known, plugin: known.plugin }) !== known.settingsSeen
      if (code || settings) changed.push(known.name)
    }
    return Promise.resolve(changed)
  }

  #remembered(): string[] {
    try {
      return this.#loadedFile?.read(this.#places.initial) ?? []
    } catch (error) {
      this.#broker.log.error('the list of plugins to load cannot be used', { reason: messageOf(error) })
      return []
    }
  }

  #remember(name: string): void {
    const plugin = this.#find(name)?.plugin
    this.#changeFile((file) =>
      file.add(name, (other) => other === name || (plugin !== undefined && answersTo(plugin, other))),
    )
  }

  #forget(known: Known): void {
    const { plugin, spelling } = known
    this.#changeFile((file) =>
      file.remove(
        (other) => other === spelling || other === known.name || (plugin !== undefined && answersTo(plugin, other)),
      ),
    )
    known.error = undefined
    known.spelling = undefined
    // What a program gave stays known: it cannot be found again.
    if (plugin === undefined || known.file !== undefined) this.#known.delete(known.name)
  }

  #changeFile(change: (file: LoadedFile) => void): void {
    if (this.#loadedFile === undefined) return
    try {
      change(this.#loadedFile)
    } catch (error) {
      this.#broker.log.error('the list of plugins to load at the next start could not be written', {
        reason: messageOf(error),
      })
    }
  }

  #find(name: string): Known | undefined {
    const all = [...this.#known.values()]
    return (
      all.find((known) => known.name === name || known.spelling === name) ??
      all.find(({ plugin }) => plugin !== undefined && answersTo(plugin, name))
    )
  }

  async #source(name: string): Promise<PluginSource | undefined> {
    try {
      return await this.#catalogue.find(name)
    } catch {
      return undefined
    }
  }

  /** `path`: the names whose loading led to this one. */
  async #load(name: string, path: readonly string[] = [], whole?: Known): Promise<PluginOutcome> {
    const known = this.#find(name)
    if (known !== undefined && this.#broker.plugins.has(known.name)) return { ok: false, error: 'already_started' }
    let source: PluginSource | undefined
    try {
      // An object of the embedding program is in no file.
      const given = known?.file === undefined ? known?.plugin : undefined
      source = given === undefined ? await this.#catalogue.find(name) : undefined
      const plugin = source === undefined ? given : await importPlugin(source.file)
      if (plugin === undefined) return { ok: false, error: 'not_found' }
      if (this.#broker.plugins.has(plugin.name)) return { ok: false, error: 'already_started' }
      // It was known by what the user wrote, as long as nobody knew what it is called.
      if (known !== undefined && known.plugin === undefined) this.#known.delete(known.name)
      const started = await this.#start(
        {
          name: plugin.name,
          plugin,
          file: source?.file,
          package: source?.package,
          given: known?.given,
          // A part goes by its own name, and only the whole is remembered.
          ...(whole === undefined ? { spelling: name } : { within: whole.name }),
        },
        path,
      )
      return { ok: true, started }
    } catch (error) {
      const reason = messageOf(error)
      const code = error instanceof HookmqError ? error.code : undefined
      const failed = this.#find(name)
      // What is not there was a slip of the pen, and nothing that anybody waits for.
      if (failed === undefined && source !== undefined)
        this.#known.set(name, { name, spelling: name, file: source.file, package: source.package, error: reason, code })
      else if (failed !== undefined && !this.#broker.plugins.has(failed.name))
        Object.assign(failed, { error: reason, code })
      return { ok: false, error: reason }
    }
  }

  /** Loads what it needs, then it. Resolves to the names of all that were started; rejects with the reason. */
  async #start(known: Known & { readonly plugin: Plugin }, path: readonly string[]): Promise<string[]> {
    const { plugin, name } = known
    try {
      const started = await this.#dependencies(plugin, path)
      if (plugin.includes !== undefined) started.push(...(await this.#parts(known, plugin.includes, path)))
      await this.#run(known, (start) => this.#broker.plugins.load(plugin, start))
      return [...started, known.spelling ?? name]
    } catch (error) {
      if (!this.#broker.plugins.has(name)) this.#known.set(name, { ...known, error: messageOf(error) })
      throw error
    }
  }

  async #dependencies(plugin: Plugin, path: readonly string[]): Promise<string[]> {
    const started: string[] = []
    for (const dependency of plugin.dependencies ?? []) {
      if (this.#broker.plugins.list().some((other) => answersTo(other.plugin, dependency))) continue
      const chain = [...path, plugin.name]
      if (chain.includes(dependency))
        throw new HookmqError(
          'PLUGIN_DEPENDENCY',
          `plugin ${plugin.name}: plugins need each other: ${[...chain, dependency].join(' → ')}`,
        )
      const outcome = await this.#load(dependency, chain)
      if (outcome.ok) started.push(...outcome.started)
      else if (outcome.error !== 'already_started')
        throw new HookmqError(
          'PLUGIN_DEPENDENCY',
          `plugin ${plugin.name}: it needs the plugin ${dependency}, which ${outcome.error === 'not_found' ? 'is not there; install it, or put it into plugins.dir' : `cannot be loaded: ${outcome.error}`}`,
        )
    }
    return started
  }

  /** undefined: not there, or broken; loading it says which. */
  async #definitionOf(name: string): Promise<Plugin | undefined> {
    const source = await this.#source(name)
    return source === undefined ? undefined : importPlugin(source.file).catch(() => undefined)
  }

  /** All of them, or none. */
  async #parts(whole: Known, names: readonly string[], path: readonly string[]): Promise<string[]> {
    const started: string[] = []
    // Known from here on: the parts look up what they are parts of, and which keys the others have.
    whole.parts = await Promise.all(names.map((name) => this.#definitionOf(name)))
    this.#known.set(whole.name, whole)
    for (const name of names) {
      const outcome = await this.#load(name, [...path, whole.name], whole)
      if (outcome.ok) started.push(...outcome.started)
      else if (outcome.error !== 'already_started') {
        for (const part of this.#partsOf(whole.name).reverse()) {
          await this.#broker.plugins.unload(part.name)
          this.#known.delete(part.name)
        }
        const why = outcome.error === 'not_found' ? 'is not there' : `cannot be loaded: ${outcome.error}`
        throw new HookmqError('PLUGIN_DEPENDENCY', `plugin ${whole.name}: its part ${name} ${why}`)
      }
    }
    return started
  }

  /** Reads the settings, makes the runner, and has the host load or reload it. */
  async #run(
    known: Known & { readonly plugin: Plugin },
    run: (start: Parameters<Broker['plugins']['load']>[1]) => Promise<void>,
  ): Promise<void> {
    const { plugin, name, file } = known
    const settingsSeen = this.#settingsNow(known)
    const earlier = this.#known.get(name)
    if (earlier !== undefined) earlier.settingsSeen = settingsSeen
    known.settingsSeen = settingsSeen
    const settings = readPluginConfig(plugin, this.#settingsInit(known))
    const configured = { ...known, error: undefined, code: undefined }
    const again = () => runnerFor({ plugin, file, host: settings.host })
    for (const warning of settings.warnings) this.#broker.log.warn(warning, { plugin: name })
    try {
      await run({ config: settings.config, terms: settings.terms, runner: again(), again })
    } catch (error) {
      throw error instanceof PluginBusyError ? error : setupFailure(name, file, error)
    }
    this.#known.set(name, configured)
  }

  #settingsInit({
    plugin,
    given = {},
    spelling,
    within,
    package: around,
  }: Known & { readonly plugin: Plugin }): PluginConfigInit {
    const { home, folders, overrides } = this.#places
    const own = Object.entries(given).map(([key, value]) => ({
      words: ['plugin', plugin.name, ...splitKey(key)],
      value,
      origin: { kind: 'default' } as const,
      unknown: undefined,
    }))
    return {
      spelling,
      whole: this.#wholeOf(within),
      folders: [...folders, ...(around === undefined ? [] : [join(around.folder, 'etc')])],
      overrides: [...overrides, ...own],
      home,
    }
  }

  #wholeOf(name: string | undefined): PluginConfigInit['whole'] {
    const whole = name === undefined ? undefined : this.#known.get(name)
    if (whole?.plugin === undefined) return undefined
    const { plugin, spelling, parts = [] } = whole
    return {
      names: [...(spelling === undefined ? [] : [spelling]), plugin.name, ...(plugin.aliases ?? [])],
      declares: (words) => parts.some((part) => part !== undefined && declaresKey(part, words)),
    }
  }

  #settingsNow(known: Known & { readonly plugin: Plugin }): string {
    const file = pluginConfigFile(known.plugin, this.#settingsInit(known))
    return file === undefined ? '' : `${file} ${appearance(file)}`
  }
}

function viewOf(
  name: string,
  plugin: Plugin | undefined,
  known: Known | undefined,
): Omit<PluginView, 'active' | 'placement'> {
  const spelling = known?.spelling
  return {
    name,
    // A path is written down as it was given; whoever looks at the list knows the plugin by its name.
    alias: spelling === name || (plugin !== undefined && isPath(spelling)) ? undefined : spelling,
    version: plugin?.version ?? known?.package?.version ?? '0.0.0',
    description: plugin?.description ?? known?.package?.description ?? '',
  }
}
