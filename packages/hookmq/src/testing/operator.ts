import type { BrokerParts } from '../broker/hookmq.ts'
import { HookmqBroker, type LinkOptions } from '../broker/hookmq.ts'
import type { Client } from '../client/client.ts'
import { operatorCommands } from '../commands/index.ts'
import type { ControlProfile } from '../control/layout.ts'
import { type Ran, runWords } from '../control/run.ts'
import { recorderOf } from '../exhook/record/recorder-of.ts'
import { createLogger } from '../log/logger.ts'
import { Tracer } from '../trace/tracer.ts'
import type { Scope } from './command.ts'

export interface Operated {
  readonly broker: HookmqBroker
  /** A connected client. */
  connect(clientId: string, options?: LinkOptions): Promise<Client>
  run(...words: string[]): Promise<Ran>
  /** What is printed; fails the test when the exit code is not 0. */
  lines(...words: string[]): Promise<readonly string[]>
}

/** A broker in this process with the commands of its operator; no socket, no files. */
export async function startOperated(
  scope: Scope,
  profile: ControlProfile = '4.x',
  parts: Partial<BrokerParts> & { traceBytes?: number } = {},
): Promise<Operated> {
  const log = createLogger({ fd: false })
  const broker = new HookmqBroker({
    listeners: [],
    plugins: [],
    logControl: log,
    commands: (core) =>
      operatorCommands({
        admin: core.admin,
        profile,
        tracer: new Tracer(
          (point, handler, given) => core.hooks.add(point, handler, { ...given, owner: 'trace' }),
          parts.traceBytes,
        ),
        recorder: recorderOf(core, core.admin.node),
      }),
    ...parts,
    options: { version: '1.2.3', node: 'test@127.0.0.1', log, sysInterval: 0, ...parts.options },
  })
  await broker.start()
  scope.after(() => broker.stop(0))
  const run = (...words: string[]): Promise<Ran> => runWords(broker.admin, profile, words)
  return {
    broker,
    run,
    async connect(clientId, options = {}) {
      const client = broker.link({ clientId, ...options })
      await client.connect()
      return client
    },
    async lines(...words) {
      const { lines, exitCode } = await run(...words)
      if (exitCode !== 0) throw new Error(`${words.join(' ')}: exit code ${exitCode}\n${lines.join('\n')}`)
      return lines
    },
  }
}
