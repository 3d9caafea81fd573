import type { Logger, Plugin, SessionStore } from '@hookmq/api'
import { Broker, type BrokerOptions } from '@hookmq/core'
import { createTcpListener } from '@hookmq/listener-tcp'
import { MemoryRetainedStore, MemoryStore } from '@hookmq/store-memory'
import mqtt from 'mqtt'
import { managementPlugin } from './index.ts'

/** What the helpers need of a node:test context. */
interface Scope {
  after(run: () => unknown): void
}

interface Answer {
  readonly status: number
  readonly headers: Headers
  /** Parsed JSON; undefined when there is none. */
  // biome-ignore lint: JSON of many shapes, which the assertions look at
  readonly body: any
  readonly text: string
}

interface Call {
  readonly body?: unknown
  /** Instead of the token of the default user; '' = none. */
  readonly authorization?: string
  readonly headers?: Record<string, string>
  /** Below this instead of /api/v5. */
  readonly base?: string
}

export interface Running {
  readonly broker: Broker
  readonly url: string
  readonly logged: { readonly level: string; readonly message: string; readonly fields?: Record<string, unknown> }[]
  readonly store: MemoryStore
  call(method: string, path: string, call?: Call): Promise<Answer>
  token(username?: string, password?: string): Promise<string>
  /** A connected MQTT client of somebody else's making. */
  connect(options?: mqtt.IClientOptions): Promise<mqtt.MqttClient>
  stop(): Promise<void>
}

export interface Setup {
  readonly config?: Record<string, string>
  readonly plugins?: readonly Plugin[]
  readonly options?: Partial<BrokerOptions>
  readonly store?: MemoryStore
  readonly sessions?: SessionStore
}

/** A broker with a TCP listener and this plugin, on free ports of this machine; stopped when the test ends. */
export async function run(scope: Scope, setup: Setup = {}): Promise<Running> {
  const logged: Running['logged'] = []
  const log = recordingLog(logged)
  const store = setup.store ?? new MemoryStore()
  const broker = new Broker(
    { sysInterval: 0, sysHeartbeat: 0, log, ...setup.options },
    { retained: new MemoryRetainedStore(), store: store.namespace, sessions: () => setup.sessions },
  )
  await broker.start()
  const listener = createTcpListener({ name: 'external', address: '127.0.0.1:0' })
  await broker.listeners.add(listener)
  const clients: mqtt.MqttClient[] = []
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    for (const client of clients) client.end(true)
    await broker.stop(500)
  }
  scope.after(stop)
  for (const plugin of setup.plugins ?? []) await broker.plugins.load(plugin)
  await broker.plugins.load(managementPlugin, { config: { 'dashboard.listener.http': '127.0.0.1:0', ...setup.config } })
  const url = String(logged.find(({ message }) => message.startsWith('management API at'))?.fields?.address)
  let ownToken: Promise<string> | undefined

  const call = async (method: string, path: string, call: Call = {}): Promise<Answer> => {
    if (call.authorization === undefined) ownToken ??= token()
    const authorization = call.authorization ?? `Bearer ${await ownToken}`
    const response = await fetch(`${url}${call.base ?? '/api/v5'}${path}`, {
      method,
      headers: {
        ...(authorization === '' ? {} : { authorization }),
        ...(call.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...call.headers,
      },
      ...(call.body === undefined
        ? {}
        : { body: typeof call.body === 'string' ? call.body : JSON.stringify(call.body) }),
    })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : undefined, text }
  }

  const token = async (username = 'admin', password = 'public'): Promise<string> => {
    const { status, body } = await call('POST', '/login', { body: { username, password }, authorization: '' })
    if (status !== 200) throw new Error(`login of ${username}: ${status} ${JSON.stringify(body)}`)
    return body.token
  }

  return {
    broker,
    url,
    logged,
    store,
    call,
    token,
    stop,
    async connect(options = {}) {
      const client = await mqtt.connectAsync(`mqtt://${listener.address}`, { reconnectPeriod: 0, ...options })
      clients.push(client)
      return client
    },
  }
}

/** Resolves with the next message of the client as [topic, payload]. */
export function nextMessage(client: mqtt.MqttClient): Promise<[topic: string, payload: string]> {
  return new Promise((resolve) => client.once('message', (topic, payload) => resolve([topic, String(payload)])))
}

function recordingLog(logged: Running['logged']): Logger {
  const write =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void =>
      void logged.push({ level, message, ...(fields === undefined ? {} : { fields }) })
  const log: Logger = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => log,
  }
  return log
}
