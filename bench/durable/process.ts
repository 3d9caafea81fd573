import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('./broker.ts', import.meta.url))

/** Microseconds of CPU, bytes, milliseconds. */
export interface Usage {
  readonly cpu: number
  readonly mainThread: number
  readonly rss: number
  /** The longest, and what 99 of 100 are below, that the event loop was late since the last time. */
  readonly late: number
  readonly late99: number
  /** As well, but CPU time of what the store does on the main thread in one go. */
  readonly stretch: number
  readonly stretch99: number
}

/** A broker in a process of its own. */
export class BrokerProcess {
  readonly port: number
  /** Milliseconds until its listeners were open. */
  readonly startedIn: number
  readonly #child: ChildProcess

  static async start(folder?: string, durability?: string): Promise<BrokerProcess> {
    const given = folder === undefined || durability === undefined ? [] : [folder, durability]
    const child = spawn(process.execPath, [program, ...given], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const { port, milliseconds } = await new Promise<{ port: number; milliseconds: number }>((resolve, reject) => {
      child.once('message', (message) => resolve(message as { port: number; milliseconds: number }))
      child.once('exit', (code) => reject(new Error(`the broker ended with ${code}`)))
    })
    return new BrokerProcess(child, port, milliseconds)
  }

  private constructor(child: ChildProcess, port: number, startedIn: number) {
    this.#child = child
    this.port = port
    this.startedIn = startedIn
  }

  usage(): Promise<Usage> {
    return new Promise((resolve) => {
      this.#child.once('message', (message) => resolve(message as Usage))
      this.#child.send('usage')
    })
  }

  async end(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await ended
  }
}
