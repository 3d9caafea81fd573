import type { Counter } from '@hookmq/api'
import { leftToPlugins, leftToPluginsLike, metricIndex, metricTable } from './metric-table.ts'

/** The counters of one broker, and those that its plugins added. */
export class Metrics {
  /** Indexed by the constants of metric-index.ts. Numbers stay exact up to 2^53. */
  readonly counters: Float64Array = new Float64Array(metricTable.length)
  readonly #ofPlugins = new Map<string, PluginCounter>()

  /** A counter of the table by its name, for code that is not hot; undefined for an unknown name. */
  value(name: string): number | undefined {
    const index = metricIndex(name)
    return index === -1 ? this.#ofPlugins.get(name)?.value : this.counters[index]
  }

  /**
   * The counter `plugins.PLUGIN.NAME`, or one of the table that the core leaves to plugins: the same one each time that it is
   * asked for. It goes on counting when the plugin is
   * unloaded and loaded again. Throws TypeError for a name with characters other than letters, digits, `.`, `_`, `-`.
   */
  pluginCounter(plugin: string, name: string): Counter {
    const index = leftToPlugins.has(name) ? metricIndex(name) : -1
    if (index !== -1) return new TableCounter(this.counters, index)
    const full = leftToPluginsLike.test(name) ? name : `plugins.${plugin}.${name}`
    if (!/^[\w-]+(\.[\w-]+)*$/.test(name)) {
      throw new TypeError(
        `plugin ${plugin}: counter name ${JSON.stringify(name)} must be words of letters, digits, '_' and '-', joined by '.'`,
      )
    }
    const known = this.#ofPlugins.get(full)
    if (known !== undefined) return known
    const counter = new PluginCounter()
    this.#ofPlugins.set(full, counter)
    return counter
  }

  /** Every counter by name; the table's first, in its order. */
  snapshot(): Record<string, number> {
    const values: Record<string, number> = {}
    for (let index = 0; index < metricTable.length; index++) values[metricTable[index][0]] = this.counters[index]
    for (const [name, counter] of this.#ofPlugins) values[name] = counter.value
    return values
  }

  /** Back to zero, plugin counters too. */
  reset(): void {
    this.counters.fill(0)
    for (const counter of this.#ofPlugins.values()) counter.reset()
  }
}

class TableCounter implements Counter {
  readonly #counters: Float64Array
  readonly #index: number

  constructor(counters: Float64Array, index: number) {
    this.#counters = counters
    this.#index = index
  }

  get value(): number {
    return this.#counters[this.#index]
  }

  add(amount = 1): void {
    this.#counters[this.#index] += amount
  }
}

class PluginCounter implements Counter {
  #value = 0

  get value(): number {
    return this.#value
  }

  add(amount = 1): void {
    this.#value += amount
  }

  reset(): void {
    this.#value = 0
  }
}
