import {
  type HookHandle,
  type HookHandler,
  type HookOptions,
  type HookPointName,
  hookPointNames,
  type Listener,
} from '@hookmq/api'
import { Broker, type BrokerOptions } from '@hookmq/core'
import { createSettings } from '@hookmq/kit'
import { createTcpListener } from '@hookmq/listener-tcp'
import { MemoryRetainedStore, MemoryStore } from '@hookmq/store-memory'
import type { ManualClock } from './clock.ts'
import { type ConnectSettings, RawClient, type Version } from './raw-client.ts'
import { Recorder } from './recorder.ts'

/** What the helpers need of a node:test context. */
export interface TestScope {
  after(run: () => void | Promise<void>): void
}

export interface TestBroker {
  readonly broker: Broker
  readonly port: number
  readonly listener: Listener
  readonly recorder: Recorder
  /** Adds a hook as a plugin would. */
  hook<P extends HookPointName>(point: P, handler: HookHandler<P>, options?: HookOptions): HookHandle
  /** A client that has got its CONNACK. */
  connect(settings?: ConnectSettings): Promise<RawClient>
  /** A bare socket. */
  open(version?: Version): Promise<RawClient>
  stop(): Promise<void>
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
  }: { record?: boolean; keep?: boolean; clock?: ManualClock; store?: MemoryStore } = {},
): Promise<TestBroker> {
  const broker = new Broker(
    { sysInterval: 0, sysHeartbeat: 0, ...options },
    {
      retained: new MemoryRetainedStore({ maximum: options.maxRetainedMessages ?? 0 }),
      store: store.namespace,
      settings: (plugin, given) => createSettings(plugin.config, given),
      clock,
    },
  )
  const recorder = new Recorder()
  const hook: TestBroker['hook'] = (point, handler, hookOptions) =>
    broker.hooks.add(point, handler, { owner: 'test', ...hookOptions })
  if (record) {
    for (const point of hookPointNames) {
      const handler = (args: unknown, accumulator: unknown): void => recorder.hook(point, args, accumulator)
      broker.hooks.add(point, handler as HookHandler<typeof point>, { owner: 'recorder', priority: 1_000_000 })
    }
  }
  await broker.start()
  const listener = createTcpListener({ name: 'test', address: '127.0.0.1:0' })
  await listener.start(record ? recorder.watch(broker) : broker)
  const port = Number(listener.address.slice(listener.address.lastIndexOf(':') + 1))
  const clients: RawClient[] = []
  let stopped = false
  const stop = async (): Promise<void> => {
    if (stopped) return
    stopped = true
    for (const client of clients) client.socket.destroy()
    await listener.stop()
    await broker.stop()
  }
  scope.after(stop)
  const keep = (client: RawClient): RawClient => {
    if (keepClients) clients.push(client)
    return client
  }
  return {
    broker,
    port,
    listener,
    recorder,
    hook,
    connect: async (settings) => keep(await RawClient.connect(port, settings)),
    open: async (version) => keep(await RawClient.open(port, version)),
    stop,
  }
}
