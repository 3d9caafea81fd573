import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { TestAuthority, type TestCertificate } from '@hookmq/api/testing'
import type { Carrier } from './wire.ts'

export interface Peer {
  readonly name: string
  /** Version as it tells it itself; undefined: it is not installed. */
  version(): string | undefined
  /** Ways to it besides TCP that it can be started for. */
  readonly carriers?: readonly Carrier[]
  /** The command of a broker on 127.0.0.1:port; `folder` is its own and is removed afterwards. */
  command(port: number, folder: string, carrier?: Carrier): readonly string[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const systemPath = `${process.env.PATH}:/usr/sbin:/usr/local/sbin`

function packageVersion(name: string): string | undefined {
  try {
    const file = findPackageJSON(name, import.meta.url)
    return file === undefined ? undefined : (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  } catch {
    // findPackageJSON throws for a package that is not there.
    return undefined
  }
}

function output(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, {
      encoding: 'utf8',
      env: { ...process.env, PATH: systemPath },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  } catch (error) {
    // Some print their version and exit with an error; one that is not there prints nothing.
    return (error as { stdout?: string }).stdout || undefined
  }
}

let issued: TestCertificate | undefined

/** Of this run. Needs the command `openssl`. */
function certificate(): TestCertificate {
  if (issued === undefined) {
    const authority = new TestAuthority()
    process.on('exit', () => authority.remove())
    issued = authority.issue('/CN=localhost')
  }
  return issued
}

function hookmq(port: number, folder: string, carrier: Carrier = 'tcp'): string[] {
  const portFor = (kind: Carrier): number => (kind === carrier ? port : 0)
  const settings = [
    `listener.tcp.external=127.0.0.1:${portFor('tcp')}`,
    `listener.ws.external=127.0.0.1:${portFor('ws')}`,
    'plugin.management.dashboard.listener.http=127.0.0.1:0',
  ]
  if (carrier === 'tls') {
    const { cert, key } = certificate()
    settings.push(`listener.ssl.external=127.0.0.1:${port}`)
    settings.push(`listener.ssl.external.certfile=${cert}`, `listener.ssl.external.keyfile=${key}`)
  }
  return [
    process.execPath,
    join(root, 'packages/hookmq/src/main.ts'),
    'start',
    ...['--data-dir', join(folder, 'data'), '--log-level', 'error'],
    ...settings.flatMap((setting) => ['--set', setting]),
  ]
}

/** HookMQ with a hook of message.publish that changes nothing. */
function withHook(name: string, file: string): Peer {
  return {
    name,
    version: () => `on Node ${process.versions.node}`,
    command: (port, folder, carrier) => [
      ...hookmq(port, folder, carrier),
      '--plugin',
      fileURLToPath(new URL(file, import.meta.url)),
    ],
  }
}

export const hooked = withHook('hookmq with a hook', 'hook.ts')
export const hookedLightly = withHook('hookmq with a hook that ignores payloads', 'hook-without-payload.ts')

export const peers: readonly Peer[] = [
  {
    name: 'hookmq',
    version: () => `on Node ${process.versions.node}`,
    carriers: ['tls', 'ws'],
    command: hookmq,
  },
  {
    name: 'hookmq-2-workers',
    version: () => `on Node ${process.versions.node}`,
    command: (port, folder, carrier) => [...hookmq(port, folder, carrier), '--workers', '2'],
  },
  {
    name: 'mosquitto',
    version: () => output('mosquitto', ['-h'])?.match(/version (\S+)/)?.[1],
    carriers: ['tls'],
    command(port, folder, carrier) {
      // Unlimited queues, so that it never drops; nothing written to disk; no log.
      const lines = [
        `listener ${port} 127.0.0.1`,
        ...(carrier === 'tls' ? [`certfile ${certificate().cert}`, `keyfile ${certificate().key}`] : []),
        // It would become a user who cannot read the key.
        `user ${userInfo().username}`,
        'allow_anonymous true',
        'max_inflight_messages 0',
        'max_queued_messages 0',
        'max_queued_bytes 0',
        'set_tcp_nodelay true',
        'persistence false',
        'log_type none',
      ]
      writeFileSync(join(folder, 'mosquitto.conf'), `${lines.join('\n')}\n`)
      return ['mosquitto', '-c', join(folder, 'mosquitto.conf')]
    },
  },
  {
    name: 'aedes',
    version: () => packageVersion('aedes'),
    command: (port) => [process.execPath, fileURLToPath(new URL('aedes-server.mjs', import.meta.url)), String(port)],
  },
  {
    name: 'nats-server',
    version: () => output('nats-server', ['--version'])?.match(/v?(\d\S+)/)?.[1],
    command(port, folder) {
      // QoS 1 of its MQTT needs JetStream.
      const text = `server_name: peer\nlisten: "127.0.0.1:${port + 1000}"\njetstream { store_dir: "${folder}/js" }\nlogfile: "${folder}/log"\nmqtt { listen: "127.0.0.1:${port}", max_ack_pending: 20000 }\n`
      writeFileSync(join(folder, 'nats.conf'), text)
      return ['nats-server', '-c', join(folder, 'nats.conf')]
    },
  },
]

/** A running broker. */
export class Running {
  readonly peer: Peer
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(peer: Peer, port: number, child: ChildProcess, folder: string) {
    this.peer = peer
    this.port = port
    this.#child = child
    this.#folder = folder
  }

  static async start(peer: Peer, port: number, carrier: Carrier = 'tcp'): Promise<Running> {
    const folder = mkdtempSync(join(tmpdir(), `bench-${peer.name}-`))
    const [command, ...args] = peer.command(port, folder, carrier)
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, PATH: systemPath },
      cwd: root,
    })
    const running = new Running(peer, port, child, folder)
    for (let attempt = 0; attempt < 300; attempt++) {
      if (child.exitCode !== null) break
      if (await reachable(port)) return running
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await running.stop()
    throw new Error(`${peer.name} did not start on port ${port}`)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once('exit', resolve))
      const force = setTimeout(() => this.#child.kill('SIGKILL'), 5000)
      this.#child.kill('SIGTERM')
      await ended
      clearTimeout(force)
    }
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
