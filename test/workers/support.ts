import type { TestContext } from 'node:test'
import { ownerOf } from '@hookmq/cluster-workers'
import { type ConnectSettings, RawClient } from '../support/raw-client.ts'
import { temporaryFolder } from './folder.ts'
import { Program } from './program.ts'

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
  readonly command: Program
  readonly port: number
  readonly dataDir: string
  /** A client of the first or second worker. */
  connect(worker: 1 | 2, settings?: ConnectSettings): Promise<RawClient>
  ctl(...words: string[]): Promise<string>
  /** Its process. */
  pid(worker: 1 | 2): number
}

/** `hookmq start --workers 2`. */
export async function startTwo(t: TestContext, args: readonly string[] = []): Promise<TwoWorkers> {
  const dataDir = temporaryFolder(t)
  const place = ['--data-dir', dataDir]
  const free = ['listener.tcp.external', 'listener.ws.external', 'plugin.management.dashboard.listener.http']
  const ports = free.flatMap((key) => ['--set', `${key}=127.0.0.1:0`])
  const command = new Program(t, ['start', '--workers', '2', ...place, ...ports, ...args])
  await command.shows(/"msg":"all workers started"/)
  const port = Number((await command.shows(/^listening tcp:external on 127\.0\.0\.1:(\d+)$/m))[1])
  return {
    command,
    port,
    dataDir,
    connect: (worker, settings) => RawClient.connect(port, { clientId: idAt(worker), ...settings }),
    async ctl(...words) {
      const run = new Program(t, ['ctl', ...place, ...words])
      await run.ended
      return run.output.trimEnd()
    },
    pid: (worker) => Number(lastMatch(command.output, new RegExp(`"worker":"worker${worker}","pid":(\\d+)`, 'g'))),
  }
}

function lastMatch(text: string, pattern: RegExp): string | undefined {
  return [...text.matchAll(pattern)].at(-1)?.[1]
}
