import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import exhook from '@hookmq/provider-exhook'
import { createBroker, type HookmqBroker } from 'hookmq'
import mqtt from 'mqtt'
import type { TestScope } from '../support/broker.ts'
import { until } from '../support/wait.ts'
import { collectingLog } from './log.ts'

export const root = fileURLToPath(new URL('../../', import.meta.url))

export interface Provider {
  readonly process: ChildProcess
  readonly port: string
  /** What it has printed so far, standard error included. */
  output(): string
}

/** Starts a provider that prints `listening on HOST:PORT`; it is killed when the test ends. */
export async function startProvider(
  scope: TestScope,
  program: string,
  args: readonly string[],
  folder: string = root,
): Promise<Provider> {
  const environment = { ...process.env, PYTHONPATH: join(root, 'sdk/python'), PYTHONDONTWRITEBYTECODE: '1' }
  const child = spawn(program, args, { cwd: folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', (line) => {
      output += `${line}\n`
    })
  scope.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const port = (): string | undefined => /listening on \S+?:(\d+)$/m.exec(output)?.[1]
  await until(() => port() !== undefined || child.exitCode !== null, `${program} ${args.join(' ')} to listen`, 60_000)
  const found = port()
  if (found === undefined) throw new Error(`${program} ${args.join(' ')} ended:\n${output}`)
  return { process: child, port: found, output: () => output }
}

/** A broker that asks this provider, which has answered already. */
export async function startBroker(
  scope: TestScope,
  provider: Provider,
  config: Readonly<Record<string, string>> = {},
): Promise<HookmqBroker> {
  const { log, text } = collectingLog()
  const broker = await createBroker({
    log,
    listeners: [{ type: 'tcp' }],
    plugins: [
      {
        plugin: exhook,
        config: {
          // So that a connection that fails at first does not cost a minute.
          'exhook.server.test.auto_reconnect': '1s',
          'exhook.server.test.url': `http://127.0.0.1:${provider.port}`,
          ...Object.fromEntries(Object.entries(config).map(([key, value]) => [`exhook.server.test.${key}`, value])),
        },
      },
    ],
  })
  scope.after(() => broker.stop(500))
  await broker.start()
  const hooked = (): boolean =>
    broker.admin.hooks().some(({ hooks }) => hooks.some(({ owner }) => owner === 'exhook' || owner.startsWith('test')))
  await until(hooked, 'the broker to load the hooks', 30_000).catch((error: unknown) => {
    throw new Error(`${String(error)}; the broker says:\n${text()}the provider says:\n${provider.output()}`)
  })
  return broker
}

export async function connect(
  scope: TestScope,
  broker: HookmqBroker,
  options: mqtt.IClientOptions = {},
): Promise<mqtt.MqttClient> {
  const client = await mqtt.connectAsync(`mqtt://${broker.listeners[0].address}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    ...options,
  })
  scope.after(() => void client.end(true))
  return client
}

/** What a subscriber of `#` gets. */
export async function subscriber(scope: TestScope, broker: HookmqBroker): Promise<{ texts: string[] }> {
  const client = await connect(scope, broker, { clientId: 'subscriber' })
  const texts: string[] = []
  client.on('message', (topic, payload) => texts.push(`${topic} ${payload}`))
  await client.subscribeAsync('#')
  return { texts }
}
