import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuthenticateResult, HookPointName } from '@hookmq/api'
import { hookPointTable, isHookPoint } from '@hookmq/api'
import type { Broker } from '@hookmq/core'
import { HookmqBroker } from '../../broker/hookmq.ts'
import { messageOf } from '../../errors.ts'
import { createLogger } from '../../log/logger.ts'
import { preparePlugin } from '../../plugins/prepare.ts'
import { version } from '../../version.ts'
import type { RecordedEvent, RecordedVerdict } from '../record/format.ts'
import { chainVerdict } from '../record/verdict.ts'
import { rebuild } from './rebuild.ts'
import type { Target } from './target.ts'

/** Behind the broker's own authentication, which would say what this scratch broker thinks of strangers. */
const justBehindAuthentication = 969

/** A plugin, loaded into a broker that has nothing else and that nobody can connect to. Rejects with a HookmqError when it cannot be loaded. */
export async function pluginTarget(path: string): Promise<Target> {
  const prepared = await preparePlugin(path)
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-replay-'))
  const log = createLogger({ level: 'error' })
  let core: Broker | undefined
  const broker = new HookmqBroker({
    options: { version, log, sysInterval: 0, allowAnonymous: true },
    listeners: [],
    plugins: [prepared],
    places: { home: folder, folders: [], overrides: [] },
    commands: (made) => {
      core = made
      return []
    },
  })
  const close = async (): Promise<void> => {
    await broker.stop(1000)
    rmSync(folder, { recursive: true, force: true })
  }
  /** What the record says of who was let in so far. */
  const starts = new WeakMap<object, AuthenticateResult>()
  broker.hook(
    'client.authenticate',
    ({ client }, result) => {
      const start = starts.get(client)
      return start === undefined || (result.result === 'allow' && result.anonymous !== true) ? undefined : { ok: start }
    },
    { priority: justBehindAuthentication, name: 'replay' },
  )
  try {
    await broker.start()
  } catch (error) {
    await close()
    throw error
  }
  const { hooks } = required(core)
  /** Events of one hook go one after the other: whose call it was that failed is seen from the hook's counters. */
  const last = new Map<string, Promise<RecordedVerdict>>()
  return {
    name: path,
    about: `plugin ${prepared.plugin.name}`,
    ask(event) {
      const before = last.get(event.hook) ?? Promise.resolve()
      const asked = before
        .then(() => ask(hooks, starts, event))
        .catch((error: unknown): RecordedVerdict => ({ result: 'error', reason: messageOf(error) }))
      last.set(event.hook, asked)
      return asked
    },
    close,
  }
}

function required(core: Broker | undefined): Broker {
  if (core === undefined) throw new Error('the broker did not ask for its commands')
  return core
}

async function ask(
  hooks: Broker['hooks'],
  starts: WeakMap<object, AuthenticateResult>,
  event: RecordedEvent,
): Promise<RecordedVerdict> {
  const { hook } = event
  if (!isHookPoint(hook)) return { result: 'error', reason: `there is no hook ${hook}` }
  const { args, accumulator } = rebuild(event)
  const { client } = args as { readonly client?: object }
  if (hook === 'client.authenticate' && client !== undefined) starts.set(client, accumulator as AuthenticateResult)
  const before = failures(hooks, hook)
  const chain = hooks.chain(hook)
  if (hookPointTable[hook].kind === 'notification') {
    chain.notify(args as never)
    await hooks.idle()
  } else {
    const result = await chain.fold(args as never, accumulator as never)
    if (failures(hooks, hook) === before) {
      const decides = hook === 'client.authenticate' || hook === 'client.authorize' || hook === 'message.publish'
      return decides ? chainVerdict(hook, accumulator, { result, took: 0 }, true) : { result: 'told' }
    }
  }
  return failures(hooks, hook) === before
    ? { result: 'told' }
    : { result: 'error', reason: 'a hook failed; the log above says how' }
}

function failures(hooks: Broker['hooks'], point: HookPointName): number {
  return hooks
    .chain(point)
    .hooks()
    .reduce((sum, hook) => sum + hook.failures, 0)
}
