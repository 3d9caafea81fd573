import { readFileSync } from 'node:fs'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import { HookmqError, messageOf } from '../errors.ts'

/** The client's end of a connection: bytes in both directions. */
export interface ByteStream {
  /** `sent` runs once the bytes have left the process; never, when the connection ends before. */
  write(bytes: Uint8Array, sent?: () => void): void
  /** Sends what is queued, then closes. */
  end(): void
  destroy(): void
  /** Set once by the client, before any byte can arrive. */
  onData: (chunk: Buffer) => void
  /** Exactly once, with a short reason. */
  onClose: (reason: string) => void
}

export interface TlsFiles {
  ca?: string
  cert?: string
  key?: string
  /** Accept any server certificate. */
  insecure?: boolean
}

export interface Endpoint {
  protocol: 'mqtt' | 'mqtts' | 'ws' | 'wss' | 'unix'
  host: string
  port: number
  /** Of a WebSocket or Unix socket. */
  path: string
}

const defaultPorts: Record<string, number> = { mqtt: 1883, mqtts: 8883, ws: 8083, wss: 8084, unix: 0 }
const protocolNames: Record<string, Endpoint['protocol']> = {
  mqtt: 'mqtt',
  tcp: 'mqtt',
  mqtts: 'mqtts',
  ssl: 'mqtts',
  tls: 'mqtts',
  ws: 'ws',
  wss: 'wss',
  unix: 'unix',
}

/** Takes 'mqtt://host:port', 'mqtts://', 'ws://host/path', 'wss://' or 'unix:///path' apart. Throws a HookmqError. */
export function parseEndpoint(text: string): Endpoint & { username?: string; password?: string } {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new HookmqError('CONNECT_FAILED', `'${text}' is not a URL; expected such as mqtt://127.0.0.1:1883`)
  }
  const protocol = protocolNames[url.protocol.slice(0, -1)]
  if (protocol === undefined)
    throw new HookmqError(
      'CONNECT_FAILED',
      `'${url.protocol}//' is not known; expected mqtt://, mqtts://, ws://, wss:// or unix://`,
    )
  const web = protocol === 'ws' || protocol === 'wss'
  return {
    protocol,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1',
    port: url.port === '' ? defaultPorts[protocol] : Number(url.port),
    path: web && (url.pathname === '/' || url.pathname === '') ? '/mqtt' : url.pathname,
    username: url.username === '' ? undefined : decodeURIComponent(url.username),
    password: url.password === '' ? undefined : decodeURIComponent(url.password),
  }
}

/** Opens the connection; resolves when bytes can be sent. Rejects with a HookmqError that names address and cause. */
export async function openStream(endpoint: Endpoint, tls: TlsFiles = {}, timeout = 30_000): Promise<ByteStream> {
  const files = {
    ca: readFileOf('--cafile', tls.ca),
    cert: readFileOf('--cert', tls.cert),
    key: readFileOf('--key', tls.key),
    rejectUnauthorized: tls.insecure !== true,
  }
  const address = endpoint.protocol === 'unix' ? endpoint.path : `${endpoint.host}:${endpoint.port}`
  try {
    switch (endpoint.protocol) {
      case 'mqtt':
      case 'unix': {
        const socket = connectTcp(
          endpoint.protocol === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port },
        )
        return await opened(socket, 'connect', timeout)
      }
      case 'mqtts': {
        const servername = isIP(endpoint.host) === 0 ? endpoint.host : ''
        const socket = connectTls({ host: endpoint.host, port: endpoint.port, servername, ...files })
        return await opened(socket, 'secureConnect', timeout)
      }
      default: {
        const url = `${endpoint.protocol}://${isIP(endpoint.host) === 6 ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}${endpoint.path}`
        return await openedWebSocket(new WebSocket(url, 'mqtt', { ...files, handshakeTimeout: timeout }))
      }
    }
  } catch (error) {
    throw new HookmqError('CONNECT_FAILED', `cannot connect to ${address}: ${explain(error)}`, { cause: error })
  }
}

function readFileOf(option: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined
  try {
    return readFileSync(path)
  } catch (error) {
    throw new HookmqError('CONNECT_FAILED', `${option} ${path}: ${explain(error)}`, { cause: error })
  }
}

function opened(socket: Socket, event: 'connect' | 'secureConnect', timeout: number): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error(`no answer within ${timeout / 1000} s`)), timeout)
    socket.once('error', reject)
    socket.once(event, () => {
      clearTimeout(timer)
      socket.off('error', reject)
      socket.setNoDelay(true)
      const stream: ByteStream = {
        write: (bytes, sent) => void socket.write(bytes, (error) => (error == null ? sent?.() : undefined)),
        end: () => void socket.end(),
        destroy: () => void socket.destroy(),
        onData: () => {},
        onClose: () => {},
      }
      let reason = 'closed by the broker'
      socket.on('error', (error) => (reason = explain(error)))
      socket.on('data', (chunk: Buffer) => stream.onData(chunk))
      socket.on('close', () => stream.onClose(reason))
      resolve(stream)
    })
    socket.once('close', () => clearTimeout(timer))
  })
}

function openedWebSocket(socket: WebSocket): Promise<ByteStream> {
  return new Promise((resolve, reject) => {
    socket.binaryType = 'nodebuffer'
    let reason = 'closed by the broker'
    const stream: ByteStream = {
      write: (bytes, sent) => socket.send(bytes, (error) => (error == null ? sent?.() : undefined)),
      end: () => socket.close(),
      destroy: () => socket.terminate(),
      onData: () => {},
      onClose: () => {},
    }
    socket.on('error', (error) => {
      reason = explain(error)
      reject(error)
    })
    socket.on('open', () => resolve(stream))
    socket.on('message', (data: Buffer) => stream.onData(data))
    socket.on('close', () => stream.onClose(reason))
  })
}

const explanations: Record<string, string> = {
  ECONNREFUSED: 'connection refused (is a broker listening there?)',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ENOENT: 'no such file',
  ECONNRESET: 'the connection was reset',
  ETIMEDOUT: 'no answer',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed; name its authority with --cafile, or use --insecure',
  SELF_SIGNED_CERT_IN_CHAIN:
    'the authority of the certificate is not trusted; name it with --cafile, or use --insecure',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'the authority of the certificate is not trusted; name it with --cafile, or use --insecure',
}

function explain(error: unknown): string {
  // A host with several addresses fails with one error per address.
  const first = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error
  const code = (first as NodeJS.ErrnoException | undefined)?.code
  return (code === undefined ? undefined : explanations[code]) ?? messageOf(first)
}
