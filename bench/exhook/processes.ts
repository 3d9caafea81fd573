/** The processes of the ExHook bench, and what one round of them used. */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

interface Report {
  readonly messages: number
  readonly received: number
  readonly p50: number
  readonly p99: number
  readonly cpu: NodeJS.CpuUsage
}

/** Per second, and microseconds of CPU for each message. */
export interface Round {
  readonly rate: number
  readonly delivered: number
  readonly asker: number
  readonly provider: number
  readonly load: number
  readonly p50: number
  readonly p99: number
}

export interface Provider {
  readonly address: string
  /** Microseconds of CPU until now. */
  cpu(): Promise<number>
  stop(): Promise<void>
}

export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const spent = ({ user, system }: NodeJS.CpuUsage): number => user + system

function run(name: string, ...args: string[]): ChildProcess {
  return fork(fileURLToPath(new URL(`./${name}.ts`, import.meta.url)), args)
}

async function said<T>(child: ChildProcess): Promise<T> {
  return ((await once(child, 'message')) as [T])[0]
}

async function ask(child: ChildProcess): Promise<Report> {
  const answer = said<Report>(child)
  child.send('report')
  return answer
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.disconnect()
  await ended
}

export async function typescriptProvider(hooks: readonly string[]): Promise<Provider> {
  const child = run('provider', ...hooks)
  const { address } = await said<{ address: string }>(child)
  return { address, cpu: async () => spent((await ask(child)).cpu), stop: () => end(child) }
}

/** One that leaves each message as it is. */
export async function pythonProvider(python: string): Promise<Provider> {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-bench-'))
  const file = join(folder, 'hooks.py')
  const program =
    'from hookmq import App\n\napp = App()\n\n@app.on_message_publish\ndef publish(message):\n    return None\n'
  writeFileSync(file, program)
  const port = await freePort()
  const child = spawn(python, ['-m', 'hookmq', 'serve', file, '--listen', `127.0.0.1:${port}`], {
    env: { ...process.env, PYTHONPATH: fileURLToPath(new URL('../../sdk/python', import.meta.url)) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const ended = once(child, 'exit')
  while (child.exitCode === null && !(await listens(port))) await pause(100)
  if (child.exitCode !== null) throw new Error(`${python} -m hookmq serve ended with ${child.exitCode}`)
  return {
    address: `127.0.0.1:${port}`,
    cpu: async () => cpuOf(child.pid),
    async stop() {
      child.kill()
      await ended
      rmSync(folder, { recursive: true })
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  return typeof address === 'object' && address !== null ? address.port : 0
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Of another process; NaN where there is no /proc. Its clock has 100 ticks a second. */
function cpuOf(pid: number | undefined): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10_000
  } catch {
    return Number.NaN
  }
}

/** A new broker under a load; `argument`: clients of a flood, or messages a second. */
export async function askedByBroker(
  load: 'flood' | 'steady',
  argument: number,
  seconds: number,
  provider?: Provider,
  stream: 'on' | 'off' = 'on',
): Promise<Round> {
  const broker = provider === undefined ? run('broker') : run('broker', provider.address, stream)
  const { port } = await said<{ port: number }>(broker)
  const client = run(load, String(port), String(argument))
  // The compilers have their time before; the fewer messages come, the more of it they need.
  await pause(load === 'steady' ? 5000 : 2000)
  // Forgets the times of the beginning.
  await ask(client)
  const [before, clientBefore, providerBefore] = [await ask(broker), await ask(client), (await provider?.cpu()) ?? 0]
  const began = performance.now()
  await pause(seconds * 1000)
  const [after, clientAfter, providerAfter] = [await ask(broker), await ask(client), (await provider?.cpu()) ?? 0]
  const took = (performance.now() - began) / 1000
  for (const child of [client, broker]) await end(child)
  const messages = after.messages - before.messages
  return {
    rate: messages / took,
    delivered: ((clientAfter.received ?? 0) - (clientBefore.received ?? 0)) / took,
    asker: (spent(after.cpu) - spent(before.cpu)) / messages,
    provider: provider === undefined ? Number.NaN : (providerAfter - providerBefore) / messages,
    load: (spent(clientAfter.cpu) - spent(clientBefore.cpu)) / messages,
    p50: clientAfter.p50,
    p99: clientAfter.p99,
  }
}

/** Unary calls from @grpc/grpc-js, and no broker. */
export async function askedByBareClient(seconds: number, provider: Provider): Promise<Round> {
  const client = run('bare-client', provider.address, String(seconds))
  await said(client)
  const before = await provider.cpu()
  const { rate, cpu } = await said<{ rate: number; cpu: number }>(client)
  const used = (await provider.cpu()) - before
  const nothing = Number.NaN
  return {
    rate,
    asker: cpu,
    provider: used / (rate * seconds),
    delivered: 0,
    load: nothing,
    p50: nothing,
    p99: nothing,
  }
}
