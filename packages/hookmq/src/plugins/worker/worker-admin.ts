import type { BrokerAdmin, Command, HttpRoute, Logger, Message, RetainedStore } from '@hookmq/api'
import { adminMembers } from './admin-methods.ts'
import type { Bridge } from './bridge.ts'
import type { Functions } from './functions.ts'
import type { WorkerStart } from './protocol.ts'

/** `ctx.admin` in the worker. */
export function workerAdmin(bridge: Bridge, start: WorkerStart, functions: Functions, log: Logger): BrokerAdmin {
  const members: Record<string, unknown> = {}
  for (const [name, kind] of Object.entries(adminMembers)) {
    const method = `admin.${name}`
    if (kind === 'now') members[name] = (...args: unknown[]) => bridge.get(method, ...args)
    if (kind === 'later') members[name] = (...args: unknown[]) => bridge.ask(method, ...args)
    if (kind === 'list') members[name] = () => bridge.list(method)
  }
  const own: Pick<
    BrokerAdmin,
    'node' | 'version' | 'startedAt' | 'retained' | 'commands' | 'routes' | 'onChange' | 'logLevel'
  > = {
    node: start.node,
    version: start.version,
    startedAt: start.startedAt,
    retained: workerRetained(bridge),
    commands: () =>
      bridge.get<Omit<Command, 'run'>[]>('admin.commands').map((command) => ({
        ...command,
        run: (args) => bridge.ask('admin.runCommand', command.name, args) as ReturnType<Command['run']>,
      })),
    routes: () =>
      bridge.get<Omit<HttpRoute, 'handle'>[]>('admin.routes').map((route) => ({
        ...route,
        handle: (request) =>
          bridge.ask('admin.handleRoute', route.method, route.path, request) as ReturnType<HttpRoute['handle']>,
      })),
    onChange(changed) {
      const id = functions.add(() => {
        try {
          changed()
        } catch (error) {
          log.error('a listener for changes threw', { error: error instanceof Error ? error.stack : String(error) })
        }
      })
      const number = bridge.get<number>('admin.onChange', id)
      return () => {
        bridge.get('end', number)
        functions.delete(id)
      }
    },
    get logLevel() {
      return bridge.get<string>('admin.logLevel')
    },
    set logLevel(level) {
      bridge.get('admin.setLogLevel', level)
    },
  }
  // Copied with its accessors: the level is asked for each time.
  return Object.defineProperties(members, Object.getOwnPropertyDescriptors(own)) as unknown as BrokerAdmin
}

function workerRetained(bridge: Bridge): RetainedStore {
  return {
    get count() {
      return bridge.get<number>('retained.count')
    },
    put: (message) => bridge.get<boolean>('retained.put', message),
    delete: (topic) => bridge.get<boolean>('retained.delete', topic),
    get: (topic) => bridge.get<Message | undefined>('retained.get', topic),
    match: (filter) => bridge.list<Message | undefined>('retained.match', filter),
    all: () => bridge.list<Message | undefined>('retained.all'),
    clear: () => bridge.get('retained.clear'),
  }
}
