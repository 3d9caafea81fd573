import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Plain data: it crosses to another process. */
export interface FarScript {
  readonly hooks: readonly { readonly name: string; readonly topics?: readonly string[] }[]
  readonly answers?: Readonly<Record<string, FarAnswer | undefined>>
  readonly listen?: number
  readonly window?: number
  readonly stream?: boolean
  /** It refuses to be loaded, with this text. */
  readonly refuseLoad?: string
}

type FarAnswer =
  | { readonly do: 'delay'; readonly milliseconds: number }
  | { readonly do: 'payload'; readonly payload: string; readonly stop?: boolean }
  | { readonly do: 'continue' | 'hold' | 'drop' | 'allow' | 'deny' | 'throw' | 'reject' | 'disconnect' }

export interface FarEvent {
  readonly point: string
  readonly clientId: string
  readonly topic?: string
}

export type FarCommand = 'report' | 'release' | 'close'

export interface FarReport {
  readonly received: readonly FarEvent[]
  readonly loads: number
  readonly unloads: number
  /** Handlers that wait for `release`. */
  readonly held: number
  /** Bytes. */
  readonly memory: number
}

/** A provider in a process of its own. */
export class FarEnd {
  readonly process: ChildProcess
  readonly port: number

  private constructor(child: ChildProcess, port: number) {
    this.process = child
    this.port = port
  }

  static async start(script: FarScript): Promise<FarEnd> {
    const child = fork(fileURLToPath(new URL('./far-provider.testing.ts', import.meta.url)))
    child.send(script)
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    return new FarEnd(child, port)
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  async ask(command: 'report' | 'release' = 'report'): Promise<FarReport> {
    const answer = once(this.process, 'message')
    this.process.send(command)
    return ((await answer) as [FarReport])[0]
  }

  /** Waits until the report says so. */
  async until(condition: (report: FarReport) => boolean): Promise<FarReport> {
    for (;;) {
      const report = await this.ask()
      if (condition(report)) return report
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }

  /** Shuts down as on SIGTERM. */
  async close(): Promise<void> {
    const exited = once(this.process, 'exit')
    this.process.send('close')
    await exited
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const exited = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await exited
  }
}
