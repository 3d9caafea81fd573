import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from '@hookmq/api'
import { HookmqError } from '../errors.ts'
import { importPlugin, moduleExtensions, pluginFile } from './load.ts'
import { type PluginPackage, readPackage } from './package.ts'

/** Where a plugin comes from. */
export interface PluginSource {
  /** The module file. */
  readonly file: string
  /** The package around it, when there is one. */
  readonly package?: PluginPackage
}

export interface CataloguePlaces {
  /** Folder that relative paths and `node_modules` are looked for in. */
  readonly home: string
  /** A folder of plugins, one folder each. */
  readonly dir?: string
}

// src/plugins → the package of this program; in a checkout the plugins are beside it.
const ownFolder = fileURLToPath(new URL('../..', import.meta.url))
const packageOfPlugin = /^(?:@hookmq\/(?:plugin|provider)-|(?:@[^/]+\/)?hookmq-plugin-)/
/** Folders of a checkout whose packages are plugins. */
const pluginFolders = ['plugins', 'providers']

/** Plugins that could be loaded by name: those that come with the program, those that are installed, and those in `plugins.dir`. */
export class Catalogue {
  readonly #places: CataloguePlaces

  constructor(places: CataloguePlaces) {
    this.#places = places
  }

  /** A path that is only right from where the broker was started, as one that is right from everywhere; anything else as it is. */
  place(name: string): string {
    const here = resolve(name)
    return isPath(name) && !existsSync(resolve(this.#places.home, name)) && existsSync(here) ? here : name
  }

  /** One for each name, the operator's own first. Nothing is imported. What has no usable package.json is left out. */
  list(): PluginPackage[] {
    const found = new Map<string, PluginPackage>()
    for (const folder of this.#folders()) {
      try {
        const one = readPackage(folder)
        if (!found.has(one.name)) found.set(one.name, one)
      } catch (error) {
        if (!(error instanceof HookmqError)) throw error
      }
    }
    return [...found.values()]
  }

  /**
   * The plugin of this name, alias or path. undefined: there is none. Aliases are known only to the plugins themselves, so that a name which
   * is no package's may import several before it is found.
   * Rejects with a HookmqError when there is one and it cannot be used.
   */
  async find(name: string): Promise<PluginSource | undefined> {
    const { home } = this.#places
    if (isPath(name)) return { file: pluginFile(name, home), package: packageAround(name, home) }
    const packages = this.list()
    const wanted = comparable(name)
    const direct = packages.find((one) => comparable(one.name) === wanted || one.packageName === name)
    if (direct !== undefined) return { file: direct.entry, package: direct }
    // Names of EMQ: most of them are ours with something before it.
    const short = wanted.replace(/^emqx?-/, '').replace(/^(?:mod|plugin)-/, '')
    const likely = packages.filter(
      (one) => short.includes(comparable(one.name)) || comparable(one.name).includes(short),
    )
    for (const one of new Set([...likely, ...packages])) {
      const plugin = await importPlugin(one.entry).catch(() => undefined)
      if (plugin !== undefined && answersTo(plugin, name)) return { file: one.entry, package: one }
    }
    return this.#installed(name)
  }

  #installed(name: string): PluginSource | undefined {
    try {
      const file = createRequire(join(this.#places.home, 'package.json')).resolve(name)
      return isAbsolute(file) && moduleExtensions.has(extname(file)) ? { file } : undefined
    } catch {
      return undefined
    }
  }

  *#folders(): Generator<string> {
    const { home, dir } = this.#places
    if (dir !== undefined) for (const name of namesIn(dir)) yield join(dir, name)
    yield* installedIn(join(home, 'node_modules'))
    for (const folder of pluginFolders) {
      const checkout = join(ownFolder, '..', '..', folder)
      for (const name of namesIn(checkout)) yield join(checkout, name)
    }
    // Beside this program, or above it: wherever npm has put them.
    for (let folder = ownFolder; dirname(folder) !== folder; folder = dirname(folder))
      yield* installedIn(join(folder, 'node_modules'))
  }
}

/** Whether the plugin is called so. '-' and '_' are the same, and case does not matter. */
export function answersTo(plugin: Pick<Plugin, 'name' | 'aliases'>, name: string): boolean {
  const wanted = comparable(name)
  return [plugin.name, ...(plugin.aliases ?? [])].some((own) => comparable(own) === wanted)
}

/** Whether it names a file or folder, and no plugin. */
export function isPath(name: string | undefined): boolean {
  if (name === undefined) return false
  if (name.startsWith('.') || isAbsolute(name) || moduleExtensions.has(extname(name))) return true
  return name.includes('/') && !name.startsWith('@')
}

function comparable(name: string): string {
  return name.toLowerCase().replaceAll('_', '-')
}

/** The package whose folder the path is; undefined for a module file. */
export function packageAround(path: string, home: string): PluginPackage | undefined {
  try {
    return readPackage(resolve(home, path))
  } catch {
    return undefined
  }
}

function* installedIn(modules: string): Generator<string> {
  for (const name of namesIn(modules)) {
    if (!name.startsWith('@')) {
      if (packageOfPlugin.test(name)) yield join(modules, name)
      continue
    }
    for (const inner of namesIn(join(modules, name)))
      if (packageOfPlugin.test(`${name}/${inner}`)) yield join(modules, name, inner)
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort()
  } catch {
    // No such folder, nothing in it.
    return []
  }
}
