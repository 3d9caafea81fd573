import { getHeapSpaceStatistics } from 'node:v8'
import type { CommandResult } from '@hookmq/api'

/** Figures by name, and the most that each has been seen at. */
class Peaks {
  readonly max = new Map<string, number>()

  see(values: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
    for (const [name, value] of values) this.max.set(name, Math.max(value, this.max.get(name) ?? 0))
    return values
  }
}

/** Memory of the process, now and at most since this was made. */
export class MemoryWatch {
  readonly #usage = new Peaks()
  readonly #spaces = new Peaks()

  constructor() {
    this.sample()
  }

  sample(): void {
    this.#usage.see(readUsage())
    this.#spaces.see(readSpaces())
  }

  /** `usage/current`, `usage/max` and so on: each name with now and at most. */
  usage(): CommandResult {
    const figures: [string, number][] = []
    for (const [name, value] of this.#usage.see(readUsage())) {
      figures.push([`${name}/current`, value], [`${name}/max`, this.#usage.max.get(name) ?? value])
    }
    return resultOf(figures)
  }

  /** All names now, then all names at most. */
  allocated(): CommandResult {
    const now = this.#spaces.see(readSpaces())
    const figures: [string, number][] = []
    for (const [name, value] of now) figures.push([`${name}/current`, value])
    for (const [name, value] of now) figures.push([`${name}/max`, this.#spaces.max.get(name) ?? value])
    return resultOf(figures)
  }
}

function readUsage(): Map<string, number> {
  const { rss, heapUsed, external } = process.memoryUsage()
  const used = heapUsed + external
  return new Map([
    ['usage', Math.round((used / rss) * 10_000) / 10_000],
    ['used', used],
    ['allocated', rss],
    ['unused', Math.max(0, rss - used)],
  ])
}

function readSpaces(): Map<string, number> {
  const { external, arrayBuffers } = process.memoryUsage()
  const spaces = getHeapSpaceStatistics().map(({ space_name, space_size }) => [space_name, space_size] as const)
  return new Map([...spaces, ['external', external], ['array_buffers', arrayBuffers]])
}

function resultOf(figures: readonly (readonly [string, number])[]): CommandResult {
  return {
    lines: figures.map(([name, value]) => `${name.padEnd(20)}: ${value}`),
    json: Object.fromEntries(figures),
  }
}
