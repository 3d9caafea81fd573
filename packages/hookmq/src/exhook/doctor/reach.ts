import { lookup } from 'node:dns/promises'
import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { ServerAddress } from '@hookmq/provider-exhook/client'
import { socketOpener } from '@hookmq/provider-exhook/client'
import { messageOf } from '../../errors.ts'
import type { ServerPlace } from '../link.ts'
import type { Findings } from './findings.ts'

/** How an HTTP/2 client begins: the preface, and empty settings. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')
const betweenTries = 100

/**
 * Looks at the connection alone, before gRPC comes into it: is there somebody, and does he speak HTTP/2 in the way that the address says? `wait`:
 * milliseconds for which somebody who is not there yet is waited for. Resolves to the milliseconds that were waited; undefined: no, and the
 * findings say why.
 */
export async function reach(place: ServerPlace, wait: number, findings: Findings): Promise<number | undefined> {
  const { address, settings } = place
  const { host, port } = address
  try {
    await lookup(host)
  } catch {
    findings.add('host-unknown', `There is no host ${host}`)
    return undefined
  }
  const began = performance.now()
  const patience = settings.requestTimeout
  for (;;) {
    const problem = await knock(address, patience)
    if (problem === undefined) break
    if (performance.now() - began >= wait) {
      if (problem === 'ECONNREFUSED') findings.add('nobody-listens', `Nobody listens on port ${port} of ${host}`)
      else findings.add('no-connection', `No connection to ${host}:${port} (${problem})`)
      return undefined
    }
    await sleep(betweenTries)
  }
  const waited = performance.now() - began
  const good =
    address.scheme === 'http' ? await plain(place, patience, findings) : await secured(place, patience, findings)
  return good ? waited : undefined
}

/** undefined: somebody is there. */
function knock({ host, port }: ServerAddress, patience: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port })
    const end = (problem: string | undefined): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(problem)
    }
    const timer = setTimeout(end, patience, 'no answer')
    socket.once('connect', () => end(undefined))
    socket.once('error', (error: NodeJS.ErrnoException) => end(codeOf(error)))
  })
}

function codeOf(error: NodeJS.ErrnoException): string {
  const [first] = error instanceof AggregateError ? (error.errors as NodeJS.ErrnoException[]) : [error]
  return first?.code ?? messageOf(error)
}

type Heard = 'http2' | 'http1' | 'tls' | 'nothing' | 'closed' | 'other'

async function plain({ address, settings }: ServerPlace, patience: number, findings: Findings): Promise<boolean> {
  const heard = await greet(connectTcp({ host: address.host, port: address.port }), patience)
  if (heard === 'http2') return true
  const { host, port, authority } = address
  const isTls =
    heard === 'tls' || ((heard === 'closed' || heard === 'nothing') && (await speaksTls(host, port, patience)))
  if (isTls) findings.add('tls-server', `http://${authority} is a server with TLS`)
  else complain(heard, authority, settings.requestTimeout, findings)
  return false
}

async function secured(place: ServerPlace, patience: number, findings: Findings): Promise<boolean> {
  const { address, settings } = place
  let socket: Socket
  try {
    socket = socketOpener(settings, address)()
  } catch (error) {
    findings.add('tls-failed', messageOf(error).replaceAll('exhook.server.it.', ''))
    return false
  }
  const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
    const timer = setTimeout(() => resolve(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' })), patience)
    socket.once('secureConnect', () => {
      clearTimeout(timer)
      resolve(undefined)
    })
    socket.once('error', (error) => {
      clearTimeout(timer)
      resolve(error)
    })
  })
  if (problem !== undefined) {
    socket.destroy()
    const heard = await greet(connectTcp({ host: address.host, port: address.port }), patience)
    if (heard === 'http2' || heard === 'http1')
      findings.add('plain-server', `https://${address.authority} is a server without TLS`)
    else findings.add('tls-failed', `TLS with ${address.authority} failed: ${messageOf(problem)}`)
    return false
  }
  if ((socket as Socket & { alpnProtocol?: unknown }).alpnProtocol !== 'h2') {
    socket.destroy()
    findings.add('no-http2-over-tls', `${address.authority} does not offer HTTP/2 (ALPN h2) over TLS`)
    return false
  }
  const heard = await greet(socket, patience)
  if (heard === 'http2') return true
  // With TLS 1.3 a server refuses a client's certificate, or its absence, after the handshake.
  if (heard === 'closed')
    findings.add(
      'tls-failed',
      `${address.authority} closes the connection after the TLS handshake: does it want a certificate of the client?`,
    )
  else complain(heard, address.authority, patience, findings)
  return false
}

function complain(heard: Heard, authority: string, patience: number, findings: Findings): void {
  if (heard === 'http1') findings.add('http1-server', `${authority} answers in HTTP/1.1`)
  else if (heard === 'nothing')
    findings.add('silent-server', `${authority} takes the connection and says nothing for ${patience} ms`)
  else if (heard === 'closed')
    findings.add('not-http2', `${authority} closes the connection when it is spoken to in HTTP/2`)
  else findings.add('not-http2', `${authority} answers in something that is not HTTP/2`)
}

/** Says what an HTTP/2 client says first, and looks at what comes back. */
function greet(socket: Socket, patience: number): Promise<Heard> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0)
    const end = (heard: Heard): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(heard)
    }
    const timer = setTimeout(() => end(bytes.length === 0 ? 'nothing' : 'other'), patience)
    socket.on('error', () => end(bytes.length === 0 ? 'closed' : 'other'))
    socket.on('close', () => end(bytes.length === 0 ? 'closed' : 'other'))
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk])
      const heard = recognize(bytes)
      if (heard !== undefined) end(heard)
    })
    socket.write(preface)
  })
}

/** undefined: not enough to say. The first frame of an HTTP/2 server is SETTINGS (type 4, stream 0). */
function recognize(bytes: Buffer): Heard | undefined {
  if (bytes.subarray(0, 5).toString('latin1') === 'HTTP/') return 'http1'
  if (bytes.length >= 2 && (bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 3) return 'tls'
  if (bytes.length < 9) return undefined
  return bytes[3] === 4 && bytes.readUInt32BE(5) === 0 ? 'http2' : 'other'
}

function speaksTls(host: string, port: number, patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ['h2'] })
    const end = (answer: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    const timer = setTimeout(end, patience, false)
    socket.once('secureConnect', () => end(true))
    socket.once('error', (error: NodeJS.ErrnoException) => end(/alert/i.test(error.message)))
  })
}
