import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))

/** A new broker serves the management API; brokers of tests run side by side. */
const managementPort = 'HOOKMQ_PLUGIN__MANAGEMENT__DASHBOARD__LISTENER__HTTP'

export interface Scope {
  after(run: () => void | Promise<void>): void
}

/** The command as a process of its own, as users run it. Killed when the test ends. A broker gets a data folder of its own. */
export class RunningCommand {
  stdout = ''
  stderr = ''
  readonly #child: ChildProcessWithoutNullStreams
  readonly #ended: Promise<number | string>
  #changed: (() => void)[] = []

  constructor(scope: Scope, args: readonly string[], options: { cwd?: string; env?: Record<string, string> } = {}) {
    const dataDir = args[0] === 'start' ? mkdtempSync(join(tmpdir(), 'hookmq-data-')) : undefined
    this.#child = spawn(process.execPath, [main, ...args], {
      cwd: options.cwd,
      env: {
        PATH: process.env.PATH,
        ...(dataDir === undefined ? {} : { HOOKMQ_NODE__DATA_DIR: dataDir, [managementPort]: '127.0.0.1:0' }),
        ...options.env,
      },
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => this.#add('stdout', text))
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => this.#add('stderr', text))
    this.#child.stdin.on('error', () => {})
    this.#ended = once(this.#child, 'close').then(([code, signal]) => {
      this.#wake()
      return (code ?? signal) as number | string
    })
    scope.after(async () => {
      this.#child.kill('SIGKILL')
      await this.#ended
      if (dataDir !== undefined) rmSync(dataDir, { recursive: true, force: true })
    })
  }

  #add(stream: 'stdout' | 'stderr', text: string): void {
    this[stream] += text
    this.#wake()
  }

  #wake(): void {
    for (const run of this.#changed.splice(0)) run()
  }

  /** The exit code, or the signal that ended it. */
  get ended(): Promise<number | string> {
    return this.#ended
  }

  input(text: string): void {
    this.#child.stdin.end(text)
  }

  /** Nobody reads its log any more. */
  stopReadingErrors(): void {
    this.#child.stderr.destroy()
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Waits for output that matches. Rejects with all output when the process ends without it. */
  async output(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this[stream])
      if (match !== null) return match
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
        await this.#ended
        const late = pattern.exec(this[stream])
        if (late !== null) return late
        throw new Error(`ended without ${pattern} on ${stream}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`)
      }
      await new Promise<void>((resolve) => this.#changed.push(resolve))
    }
  }
}

/** Runs a command to its end. */
export async function runCommand(
  scope: Scope,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const command = new RunningCommand(scope, args, options)
  command.input(options.input ?? '')
  const code = await command.ended
  return { code, stdout: command.stdout, stderr: command.stderr }
}

/** `start` on free ports of the loopback interface. Resolves once it is ready. */
export async function startCommand(
  scope: Scope,
  args: readonly string[] = [],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<{ command: RunningCommand; port: number }> {
  const ports = ['--set', 'listener.tcp.external=127.0.0.1:0', '--set', 'listener.ws.external=127.0.0.1:0']
  const command = new RunningCommand(scope, ['start', ...ports, ...args], options)
  await command.output(/^ready.*\n/m)
  const [, port] = await command.output(/^listening tcp:external on 127\.0\.0\.1:(\d+)$/m)
  return { command, port: Number(port) }
}
