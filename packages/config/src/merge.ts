import { joinKey, splitKey } from '@hookmq/kit'
import { parseConf, quote, type ReadIncluded, type Setting } from './conf.ts'
import { ConfigError, type Origin } from './error.ts'
import { type FoundKey, findKey, nearestKey } from './keys.ts'
import { hintFor, ignoredBecause } from './unsupported.ts'

/** A setting that will be used: no later one replaced it. */
export interface Chosen {
  readonly found: FoundKey
  readonly value: string
  readonly origin: Origin
  /** As written. */
  readonly written: string
}

/** A setting that is for a plugin, or for nobody. */
export interface Foreign {
  readonly words: readonly string[]
  readonly value: string
  readonly origin: Origin
}

/** Collects settings in the order in which they count: defaults, files, environment, --set. */
export class Layers {
  /** By the first spelling of the key. */
  readonly chosen = new Map<string, Chosen>()
  /** Keys that were set and then emptied. */
  readonly emptied = new Set<string>()
  readonly foreign: Foreign[] = []
  readonly errors: ConfigError[] = []
  readonly warnings: string[] = []

  add(words: readonly string[], value: string, origin: Origin): void {
    // As the name of a property it would reach into every object of the program.
    if (words.includes('__proto__')) {
      this.errors.push(new ConfigError(origin, joinKey(words), '__proto__ cannot be a name'))
      return
    }
    const found = findKey(words)
    if (found === undefined) {
      this.foreign.push({ words, value, origin })
    } else if (value === '') {
      this.emptied.add(found.key)
      this.chosen.delete(found.key)
    } else {
      this.chosen.set(found.key, { found, value, origin, written: joinKey(words) })
    }
  }

  addFile(text: string, file: string, readIncluded: ReadIncluded): readonly Setting[] {
    const settings = this.collect(() => parseConf(text, file, readIncluded)) ?? []
    for (const { words, value, file, line } of settings) this.add(words, value, { kind: 'file', file, line })
    return settings
  }

  /** `HOOKMQ_LISTENER__TCP__EXTERNAL`: two underscores are a dot, case does not matter. */
  addEnvironment(environment: Readonly<Record<string, string | undefined>>, reserved: readonly string[]): void {
    for (const [variable, value] of Object.entries(environment)) {
      if (value === undefined || !/^hookmq_/i.test(variable) || reserved.includes(variable.toUpperCase())) continue
      const words = this.spelledAs(variable.slice('HOOKMQ_'.length).toLowerCase().split('__'))
      // Container platforms set HOOKMQ_SERVICE_HOST and the like beside a service of this name; they are not for us.
      if (words.length === 1 && findKey(words) === undefined) {
        this.warnings.push(`environment ${variable}: not a key, ignored`)
      } else {
        this.add(words, value.trim(), { kind: 'environment', variable })
      }
    }
  }

  addSet(assignments: readonly string[]): void {
    for (const assignment of assignments) {
      const split = assignment.indexOf('=')
      const key = assignment.slice(0, split).trim()
      if (split < 1 || key === '') {
        const problem = `expected key=value, got ${quote(assignment)}`
        this.errors.push(new ConfigError({ kind: 'set' }, undefined, problem, 'key=value'))
      } else {
        this.add(splitKey(key), assignment.slice(split + 1).trim(), { kind: 'set' })
      }
    }
  }

  /** Runs something that may throw a ConfigError, which is kept. */
  collect<T>(run: () => T): T | undefined {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      this.errors.push(error)
      return undefined
    }
  }

  /** A key that EMQX has and that changes nothing here: a warning, and it is dealt with. */
  ignores({ words, value, origin }: Foreign): boolean {
    const key = joinKey(words)
    const because = ignoredBecause(key, value)
    if (because === undefined) return false
    this.warnings.push(new ConfigError(origin, key, `ignored, ${because}`).message)
    return true
  }

  /** What is wrong with a key that nobody knows. */
  unknown({ words, origin }: Foreign): ConfigError {
    const key = joinKey(words)
    const hint = hintFor(key)
    const nearest = hint === undefined ? nearestKey(words) : undefined
    const advice = hint ?? (nearest === undefined ? undefined : `did you mean ${nearest}?`)
    const named = origin.kind === 'environment' ? `unknown key ${key}` : 'unknown key'
    return new ConfigError(origin, key, advice === undefined ? named : `${named}; ${advice}`, nearest)
  }

  /** Names of listeners and plugins keep the case that a file gave them. */
  private spelledAs(words: readonly string[]): readonly string[] {
    const lower = joinKey(words)
    for (const { written } of this.chosen.values()) if (written.toLowerCase() === lower) return splitKey(written)
    for (const key of this.chosen.keys()) if (key.toLowerCase() === lower) return splitKey(key)
    return words
  }
}
