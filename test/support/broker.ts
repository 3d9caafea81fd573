import {
  type HookHandle,
  type HookHandler,
  type HookOptions,
  type HookPointName,
  hookPointNames,
  type Listener,
  type SessionStore,
} from '@hookmq/api'
import { Broker, type BrokerOptions } from '@hookmq/core'
import { createSettings } from '@hookmq/kit'
import { createTcpListener } from '@hookmq/listener-tcp'
import { MemoryRetainedStore, MemorySessionStore, MemoryStore } from '@hookmq/store-memory'
import type { ManualClock } from './clock.ts'
import { type ConnectSettings, RawClient, type Version } from './raw-client.ts'
import { Recorder } from './recorder.ts'
import { startTestCluster, workerCount } from './workers.ts'

/** What the helpers need of a node:test context. */
export interface TestScope {
  after(run: () => void | Promise<void>): void
}

export interface TestBroker {
  /** Of several workers the first. */
  readonly broker: Broker
  /** All workers; usually one. */
  readonly brokers: readonly Broker[]
  /** The worker that has the sessions of this client id. */
  home(clientId: string): Broker
  readonly port: number
  readonly listener: Listener
  readonly recorder: Recorder
  /** Adds a hook as a plugin would. */
  hook<P extends HookPointName>(point: P, handler: HookHandler<P>, options?: HookOptions): HookHandle
  /** A client that has got its CONNACK. */
  connect(settings?: ConnectSettings): Promise<RawClient>
  /** A bare socket. */
  open(version?: Version): Promise<RawClient>
  /** As its operator does; clients are told. */
  shutDown(): Promise<void>
  stop(): Promise<void>
}

/** HOOKMQ_TEST_DURABLE=1 runs the same tests with sessions that survive the broker: everything goes through a store then. */
export const throughStore = process.env.HOOKMQ_TEST_DURABLE === '1'

function durableSessions(): SessionStore | undefined {
  return throughStore ? new MemorySessionStore() : undefined
}

/**
 * A broker in this process on a free port, stopped when the test ends. Every hook point and every packet is written down in
 * `recorder`, unless `record` is false (for tests that count memory or calls). `keep` false: clients are not remembered.
 */
export async function startBroker(
  scope: TestScope,
  options: Partial<BrokerOptions> = {},
  {
    record = true,
    keep: keepClients = true,
    clock,
    store = new MemoryStore(),
    sessions,
    workers = workerCount,
  }: {
    record?: boolean
    keep?: boolean
    clock?: ManualClock
    store?: MemoryStore
    sessions?: (worker: number) => SessionStore
    /** In this process, over real sockets. */
    workers?: number
  } = {},
): Promise<TestBroker> {
  const cluster = workers > 1 ? startTestCluster(workers) : undefined
  const brokers = (cluster?.clusters ?? [undefined]).map(
    (member, index) =>
      new Broker(
        { sysInterval: 0, sysHeartbeat: 0, ...options },
        {
          retained: new MemoryRetainedStore({ maximum: options.maxRetainedMessages ?? 0 }),
          store: store.namespace,
          sessions: () => sessions?.(index) ?? durableSessions(),
          settings: (plugin, given) => createSettings(plugin.config, given),
          clock,
          cluster: member,
        },
      ),
  )
  const [broker] = brokers
  const recorder = new Recorder()
  const hook: TestBroker['hook'] = (point, handler, hookOptions) => {
    const [first, ...others] = brokers.map(({ hooks }) => hooks.add(point, handler, { owner: 'test', ...hookOptions }))
    return {
      ...first,
      remove() {
        for (const handle of [first, ...others]) handle.remove()
      },
    }
  }
  if (record) {
    for (const point of hookPointNames) {
      const handler = (args: unknown, accumulator: unknown): void => recorder.hook(point, args, accumulator)
      for (const { hooks } of brokers)
        hooks.add(point, handler as HookHandler<typeof point>, { owner: 'recorder', priority: 1_000_000 })
    }
  }
  await Promise.all(brokers.map((one) => one.start()))
  // What is handed over has passed the recorder already.
  for (const [index, member] of cluster?.clusters.entries() ?? []) cluster?.hosts.set(member.name, brokers[index])
  const listener = createTcpListener({ name: 'test', address: '127.0.0.1:0' })
  await listener.start(record ? recorder.watch(broker) : broker)
  const port = Number(listener.address.slice(listener.address.lastIndexOf(':') + 1))
  const clients: RawClient[] = []
  const shutDown = async (): Promise<void> => {
    await Promise.all(brokers.map((one) => one.stop()))
  }
  const home = (clientId: string): Broker => {
    const [member] = cluster?.clusters ?? []
    return member === undefined ? broker : brokers[member.names.indexOf(member.owner(clientId))]
  }
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    for (const client of clients) client.socket.destroy()
    await listener.stop()
    await shutDown()
    cluster?.close()
  }
  scope.after(stop)
  const keep = (client: RawClient): RawClient => {
    if (keepClients) clients.push(client)
    return client
  }
  return {
    broker,
    brokers,
    home,
    shutDown,
    port,
    listener,
    recorder,
    hook,
    connect: async (settings) => keep(await RawClient.connect(port, settings)),
    open: async (version) => keep(await RawClient.open(port, version)),
    stop,
  }
}
