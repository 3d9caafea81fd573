import { type ChildProcess, spawn } from 'node:child_process'
import type { TestScope } from './broker.ts'
import { until } from './wait.ts'

export interface Running {
  readonly process: ChildProcess
  /** All lines of its standard output so far. */
  lines(): string[]
  /** Resolves to the exit code; rejects with what it wrote to standard error when it is not 0. */
  finished(): Promise<void>
  /** Resolves once it has written so many lines. */
  hasLines(count: number): Promise<void>
}

/** Starts a program; it is killed when the test ends. */
export function start(scope: TestScope, program: string, args: readonly string[]): Running {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  ended.catch(() => {})
  scope.after(() => void child.kill('SIGKILL'))
  const lines = (): string[] => output.split('\n').slice(0, -1)
  return {
    process: child,
    lines,
    async finished() {
      const code = await ended
      if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit code ${code}\n${errors}${output}`)
    },
    hasLines: (count) => until(() => lines().length >= count, `${count} lines of ${program}`, 30_000),
  }
}

/** Runs a program to its end, which must be good. Resolves to its lines. */
export async function run(scope: TestScope, program: string, args: readonly string[]): Promise<string[]> {
  const running = start(scope, program, args)
  await running.finished()
  return running.lines()
}
