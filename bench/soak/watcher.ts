import { readdirSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Sample } from './sample.ts'

/** Listens to the probes in all processes of the broker. */
export class Watcher {
  readonly #folder: string
  readonly #sockets = new Map<string, Socket>()
  readonly #onSample: (sample: Sample) => void
  #collected: ((sample: Sample) => void) | undefined

  constructor(folder: string, onSample: (sample: Sample) => void) {
    this.#folder = folder
    this.#onSample = onSample
  }

  /** All that are there by now. */
  open(): void {
    for (const name of readdirSync(this.#folder).filter((one) => one.endsWith('.sock'))) {
      const socket = connect(join(this.#folder, name))
      this.#sockets.set(name, socket)
      let rest = ''
      socket.on('error', () => socket.destroy())
      socket.setEncoding('utf8').on('data', (text: string) => {
        const lines = `${rest}${text}`.split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) this.#take(JSON.parse(line) as Sample)
      })
      socket.on('close', () => this.#sockets.delete(name))
    }
    if (this.#sockets.size === 0) throw new Error(`no process of the broker tells anything in ${this.#folder}`)
  }

  get processes(): number {
    return this.#sockets.size
  }

  /** Bytes in use on the heaps of all, after all garbage was collected. */
  async live(): Promise<number> {
    const heaps = new Map<number, number>()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#collected = ({ pid, heapUsed }) => {
      heaps.set(pid, heapUsed)
      if (heaps.size === this.#sockets.size) resolve()
    }
    for (const socket of this.#sockets.values()) socket.write('gc\n')
    await promise
    this.#collected = undefined
    return [...heaps.values()].reduce((sum, bytes) => sum + bytes, 0)
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }

  #take(sample: Sample): void {
    if (sample.collected) this.#collected?.(sample)
    this.#onSample(sample)
  }
}
