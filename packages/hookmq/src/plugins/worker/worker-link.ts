import type { BrokerLink, ClientInfo, KeyValueStore, Logger, MemberAnswer, Message, PluginMembers } from '@hookmq/api'
import type { Bridge } from './bridge.ts'
import type { Piece } from './cursors.ts'
import type { Functions } from './functions.ts'
import type { WorkerStart } from './protocol.ts'

/** `ctx.broker` in the worker. */
export function workerLink(bridge: Bridge, start: WorkerStart, functions: Functions, log: Logger): BrokerLink {
  return {
    node: start.node,
    version: start.version,
    publish: (message) => bridge.ask('publish', message) as Promise<number>,
    subscribe(filter, receive, options = {}) {
      const id = functions.add((message: Message) => {
        try {
          receive(message)
        } catch (error) {
          log.error('a subscription of the broker threw', {
            topic: message.topic,
            error: error instanceof Error ? error.stack : String(error),
          })
        }
      })
      const number = bridge.get<number>('subscribe', filter, id, options)
      return () => {
        bridge.get('end', number)
        functions.delete(id)
      }
    },
    clients: () => bridge.list<ClientInfo>('clients'),
    client: (clientId) => bridge.get<ClientInfo | undefined>('client', clientId),
    kick(clientId) {
      const kicked = bridge.ask('kick', clientId) as Promise<boolean>
      kicked.catch(() => {})
      return kicked
    },
    metrics: () => bridge.get<Record<string, number>>('metrics'),
    stats: () => bridge.get<Record<string, number>>('stats'),
  }
}

/** `ctx.store` in the worker. Throws as the broker's does when there is none. */
export function workerStore(bridge: Bridge): KeyValueStore {
  bridge.get('store.check')
  return {
    get: (key) => bridge.ask('store.get', key),
    put: async (key, value) => void (await bridge.ask('store.put', key, value)),
    delete: (key) => bridge.ask('store.delete', key) as Promise<boolean>,
    async *list(prefix) {
      let piece = (await bridge.ask('store.list', prefix)) as Piece
      try {
        for (;;) {
          yield* piece.values as [string, unknown][]
          if (piece.cursor === undefined) return
          piece = (await bridge.ask('nextOf', piece.cursor)) as Piece
        }
      } finally {
        if (piece.cursor !== undefined) bridge.tell('close', piece.cursor)
      }
    },
  }
}

/** `ctx.log` in the worker. Lines are left out while the broker is far behind; the next one says how many. */
export function workerLog(bridge: Bridge, own: Record<string, unknown> = {}): Logger {
  const line =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Record<string, unknown> = {}): void => {
      const { left } = bridge
      if (bridge.tell('log', level, message, { ...own, ...fields, ...(left === 0 ? {} : { leftOut: left }) }))
        bridge.left -= left
    }
  return {
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (fields) => workerLog(bridge, { ...own, ...fields }),
  }
}

/** The other processes of the broker. */
export function workerMembers(bridge: Bridge, functions: Functions): PluginMembers {
  let known: Pick<PluginMembers, 'count' | 'name' | 'leads'> | undefined
  const ask = (): Pick<PluginMembers, 'count' | 'name' | 'leads'> => {
    known ??= bridge.get<Pick<PluginMembers, 'count' | 'name' | 'leads'>>('members')
    return known
  }
  return {
    get count() {
      return ask().count
    },
    get name() {
      return ask().name
    },
    get leads() {
      return ask().leads
    },
    owns: (key) => ask().count === 1 || bridge.get<boolean>('owns', key),
    tell: (value) => void bridge.tell('tellMembers', value),
    onTold: (receive) => void bridge.get('onTold', functions.add(receive)),
    ask: (value) => bridge.ask('askMembers', value) as Promise<readonly MemberAnswer[]>,
    onAsked: (answer) => void bridge.get('onAsked', functions.add(answer)),
  }
}
