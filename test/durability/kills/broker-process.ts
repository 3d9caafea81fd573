import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../../packages/hookmq/src/main.ts', import.meta.url))

/** `hookmq start` as a process of its own, on a free port. */
export class BrokerProcess {
  readonly ended: Promise<void>
  /** The port that it listens on; undefined: it ended before. */
  readonly ready: Promise<number | undefined>
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #logFile: string
  killed = false

  /** `largest`: blocks of 512 bytes that a file of it can have; what goes beyond fails, as on a disk that does not work. */
  constructor(folder: string, workers: number, largest?: number) {
    this.#folder = folder
    this.#logFile = join(folder, 'broker.log')
    const log = openSync(this.#logFile, 'a')
    const settings = [
      'listener.tcp.external=127.0.0.1:0',
      'listener.ws.external=127.0.0.1:0',
      'mqtt.mqueue.max_length=0',
      'zone.external.max_mqueue_bytes=0',
    ].flatMap((setting) => ['--set', setting])
    const args = ['start', '--data-dir', join(folder, 'data'), ...settings]
    if (workers > 1) args.push('--workers', String(workers))
    const limited = ['-c', `trap '' XFSZ; ulimit -f ${largest}; exec "$0" "$@"`, process.execPath, main, ...args]
    const [program, words] = largest === undefined ? [process.execPath, [main, ...args]] : ['sh', limited]
    this.#child = spawn(program, words, {
      cwd: folder,
      stdio: ['ignore', 'pipe', log],
      // A group of its own: workers are killed with it.
      detached: true,
      env: {
        PATH: process.env.PATH,
        HOOKMQ_PLUGIN__MANAGEMENT__DASHBOARD__LISTENER__HTTP: '127.0.0.1:0',
        NODE_COMPILE_CACHE: join(folder, 'compiled'),
      },
    })
    closeSync(log)
    this.ended = new Promise((resolve) => this.#child.once('close', () => resolve()))
    this.ready = new Promise((resolve) => {
      let text = ''
      this.#child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk
        const port = /^listening tcp:external on 127\.0\.0\.1:(\d+)$/m.exec(text)?.[1]
        if (port !== undefined && /^ready/m.test(text)) resolve(Number(port))
      })
      this.#child.once('close', () => resolve(undefined))
    })
  }

  /** It ended, and nobody killed it. */
  get died(): boolean {
    return !this.killed && (this.#child.exitCode !== null || this.#child.signalCode !== null)
  }

  /** What `hookmq ctl` prints. */
  ctl(...words: string[]): string {
    const dataDir = ['--data-dir', join(this.#folder, 'data')]
    return spawnSync(process.execPath, [main, 'ctl', ...dataDir, ...words], { encoding: 'utf8' }).stdout
  }

  /** The last lines of its log. */
  get log(): string {
    return readFileSync(this.#logFile, 'utf8').split('\n').slice(-10).join('\n')
  }

  async kill(): Promise<void> {
    const running = this.#child.exitCode === null && this.#child.signalCode === null
    if (running) {
      this.killed = true
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL')
    }
    await this.ended
  }
}
