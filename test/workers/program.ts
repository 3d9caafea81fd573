import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestScope } from '../support/broker.ts'
import { until } from '../support/wait.ts'
import { projectRoot } from '../templates/copy.ts'

const main = join(projectRoot, 'packages/hookmq/src/main.ts')

/** The command as a process of its own. Killed when the test ends. */
export class Program {
  /** What it wrote to standard output and standard error. */
  output = ''
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
  readonly #child: ChildProcess

  constructor(scope: TestScope, args: readonly string[]) {
    const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    }
    this.ended = once(child, 'close').then(([code, signal]) => code ?? signal)
    scope.after(async () => {
      child.kill('SIGKILL')
      await this.ended
    })
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Waits until it has written something that matches. */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    const there = (): RegExpExecArray | null => pattern.exec(this.output)
    const over = (): boolean => this.#child.exitCode !== null
    await until(() => there() !== null || over(), String(pattern), 60_000).catch(() => {})
    const match = there()
    if (match === null) throw new Error(`no ${pattern} in what it wrote:\n${this.output}`)
    return match
  }
}
