/**
 * How long the store keeps the main thread busy in one go, in CPU time of that thread: other programs of the machine do not show. Imported before
 * the broker. What is looked at: what the store's thread answers, with the promises that go on with it; the batch that is
 * handed to it; and the handing out of what it committed.
 */
import { Worker } from 'node:worker_threads'

/** Promises that go on one after the other and are counted to what set them off. */
const depth = 24

/** Names of the callbacks that the store gives to setImmediate. */
const own: ReadonlySet<string> = new Set(['#start', '#handOut'])

let stretches: number[] = []

function now(): number {
  const { user, system } = process.threadCpuUsage()
  return user + system
}

function measured<Arguments extends unknown[]>(run: (...args: Arguments) => unknown): (...args: Arguments) => unknown {
  return (...args) => {
    const start = now()
    const index = stretches.push(0) - 1
    const into = stretches
    let steps = 0
    const look = (): void => {
      into[index] = now() - start
      if (++steps < depth) queueMicrotask(look)
    }
    try {
      return run(...args)
    } finally {
      look()
    }
  }
}

const immediate = globalThis.setImmediate
type Run = (...args: unknown[]) => unknown
Object.assign(globalThis, {
  setImmediate: (run: Run, ...args: unknown[]) => immediate(own.has(run.name) ? measured(run) : run, ...args),
})

const on = Worker.prototype.on as (event: string, listener: Run) => Worker
Object.defineProperty(Worker.prototype, 'on', {
  value(this: Worker, event: string, listener: Run): Worker {
    return on.call(this, event, event === 'message' ? measured(listener) : listener)
  },
})

/** Milliseconds, since the last call: the longest, and what 99 of 100 are below. */
export function takeStretches(): { readonly stretch: number; readonly stretch99: number } {
  const sorted = stretches.sort((a, b) => a - b)
  stretches = []
  return {
    stretch: (sorted.at(-1) ?? 0) / 1000,
    stretch99: (sorted[Math.floor(0.99 * sorted.length)] ?? 0) / 1000,
  }
}
