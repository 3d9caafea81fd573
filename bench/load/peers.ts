import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Peer {
  readonly name: string
  /** Version as it tells it itself; undefined: it is not installed. */
  version(): string | undefined
  /** The command of a broker on 127.0.0.1:port; `folder` is its own and is removed afterwards. */
  command(port: number, folder: string): readonly string[]
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

function hookmq(port: number, folder: string): string[] {
  return [
    process.execPath,
    join(root, 'packages/hookmq/src/main.ts'),
    'start',
    ...['--data-dir', join(folder, 'data'), '--log-level', 'error'],
    ...['--set', `listener.tcp.external=127.0.0.1:${port}`, '--set', 'listener.ws.external=127.0.0.1:0'],
    ...['--set', 'plugin.management.dashboard.listener.http=127.0.0.1:0'],
  ]
}

export const peers: readonly Peer[] = [
  {
    name: 'hookmq',
    version: () => `on Node ${process.versions.node}`,
    command: hookmq,
  },
  {
    name: 'hookmq-2-workers',
    version: () => `on Node ${process.versions.node}`,
    command: (port, folder) => [...hookmq(port, folder), '--workers', '2'],
  },
  {
    name: 'mosquitto',
    version: () => output('mosquitto', ['-h'])?.match(/version (\S+)/)?.[1],
    command(port, folder) {
      // Unlimited queues, so that it never drops; nothing written to disk; no log.
      const lines = [
        `listener ${port} 127.0.0.1`,
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

  static async start(peer: Peer, port: number): Promise<Running> {
    const folder = mkdtempSync(join(tmpdir(), `bench-${peer.name}-`))
    const [command, ...args] = peer.command(port, folder)
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
