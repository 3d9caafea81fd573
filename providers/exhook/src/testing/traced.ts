import { connect as connectSocket } from 'node:net'
import { createBroker, type HookmqBroker } from 'hookmq'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import exhook from '../plugin.ts'
import { until } from './managed.ts'
import { RecordingProvider } from './recording-provider.ts'
import type { Script } from './script.ts'

export interface Traced {
  readonly broker: HookmqBroker
  readonly far: RecordingProvider
  readonly port: number
  connect(options?: IClientOptions): Promise<MqttClient>
  /** Bytes to the broker. */
  socket(bytes: Buffer): ReturnType<typeof connectSocket>
  /** What has been recorded since the last time, once there are `count` calls and no more come. */
  trace(count: number): Promise<string[]>
}

type Scope = { after(run: () => unknown): void }

/** A broker with a TCP listener that has one recording provider, which is loaded. */
export async function startTraced(
  scope: Scope,
  script: Script,
  texts: Readonly<Record<string, string>> = {},
  options: { readonly allowAnonymous?: boolean } = {},
): Promise<Traced> {
  const far = await RecordingProvider.start(scope, script)
  const own = { url: far.url, stream: 'off', ...texts }
  const config = Object.fromEntries(Object.entries(own).map(([key, value]) => [`exhook.server.far.${key}`, value]))
  const broker = await createBroker({
    listeners: [{ type: 'tcp', port: 0 }],
    plugins: [{ plugin: exhook, config }],
    allowAnonymous: options.allowAnonymous ?? true,
  })
  scope.after(() => broker.stop())
  await broker.start()
  const port = Number(broker.listeners[0].address.split(':').at(-1))
  let seen = 1
  return {
    broker,
    far,
    port,
    async connect(given = {}) {
      const client = await connectAsync({ host: '127.0.0.1', port, reconnectPeriod: 0, protocolVersion: 5, ...given })
      client.on('error', () => {})
      scope.after(() => void client.end(true))
      return client
    },
    socket(bytes) {
      const socket = connectSocket(port, '127.0.0.1')
      socket.on('error', () => {})
      scope.after(() => void socket.destroy())
      socket.write(bytes)
      return socket
    },
    async trace(count) {
      await until(async () => (await far.calls()).length >= seen + count, `${count} calls`).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 30))
      const all = await far.trace()
      const found = all.slice(seen)
      seen = all.length
      return found
    },
  }
}
