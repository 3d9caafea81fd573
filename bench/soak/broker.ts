import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../../packages/hookmq/src/main.ts', import.meta.url))
const probe = fileURLToPath(new URL('probe.ts', import.meta.url))

/** `hookmq start` as users start it, with a data folder of its own, and the probe in each of its processes. */
export class SoakedBroker {
  /** For the sockets of the probes. */
  readonly folder: string
  readonly port: number
  readonly #child: ChildProcess

  private constructor(folder: string, port: number, child: ChildProcess) {
    this.folder = folder
    this.port = port
    this.#child = child
  }

  static async start(workers: number): Promise<SoakedBroker> {
    const folder = mkdtempSync(join(tmpdir(), 'hookmq-soak-'))
    const free = ['listener.tcp.external', 'listener.ws.external', 'plugin.management.dashboard.listener.http']
    const settings = free.flatMap((key) => ['--set', `${key}=127.0.0.1:0`])
    const words = ['start', '--data-dir', join(folder, 'data'), '--log-level', 'error', ...settings]
    const child = spawn(process.execPath, ['--import', probe, main, ...words, '--workers', `${workers}`], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, HOOKMQ_SOAK_FOLDER: folder },
      cwd: folder,
    })
    const port = await new Promise<number>((resolve, reject) => {
      let output = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const found = /^ready on .*127\.0\.0\.1:(\d+) \(tcp:external\)/m.exec(output)?.[1]
        if (found !== undefined) resolve(Number(found))
      })
      child.once('exit', () => reject(new Error('the broker did not start')))
    })
    return new SoakedBroker(folder, port, child)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve))
      const force = setTimeout(() => this.#child.kill('SIGKILL'), 20_000)
      this.#child.kill('SIGTERM')
      await ended
      clearTimeout(force)
    }
    rmSync(this.folder, { recursive: true, force: true })
  }
}
