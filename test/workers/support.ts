import type { TestContext } from 'node:test'
import { ownerOf } from '@hookmq/cluster-workers'
import { type RunningCommand, runCommand, startCommand } from '../../packages/hookmq/src/testing/command.ts'
import { type ConnectSettings, RawClient } from '../support/raw-client.ts'
import { temporaryFolder } from './folder.ts'

const names = ['worker1', 'worker2']

let number = 0

/** A client id that this worker (1 or 2) has the sessions of. */
export function idAt(worker: 1 | 2, prefix = 'c'): string {
  for (;;) {
    const id = `${prefix}${++number}`
    if (ownerOf(id, names) === names[worker - 1]) return id
  }
}

export interface TwoWorkers {
  readonly command: RunningCommand
  readonly port: number
  /** A client of the first or second worker. */
  connect(worker: 1 | 2, settings?: ConnectSettings): Promise<RawClient>
  ctl(...words: string[]): Promise<string>
  /** Its process. */
  pid(worker: 1 | 2): number
}

/** `hookmq start --workers 2`. */
export async function startTwo(t: TestContext, args: readonly string[] = []): Promise<TwoWorkers> {
  const data = temporaryFolder(t)
  const { command, port } = await startCommand(t, ['--workers', '2', '--data-dir', data, ...args])
  await command.output(/"msg":"all workers started"/, 'stderr')
  return {
    command,
    port,
    connect: (worker, settings) => RawClient.connect(port, { clientId: idAt(worker), ...settings }),
    ctl: async (...words) => (await runCommand(t, ['ctl', '--data-dir', data, ...words])).stdout.trimEnd(),
    pid: (worker) => Number(lastMatch(command.stderr, new RegExp(`"worker":"worker${worker}","pid":(\\d+)`, 'g'))),
  }
}

function lastMatch(text: string, pattern: RegExp): string | undefined {
  return [...text.matchAll(pattern)].at(-1)?.[1]
}
