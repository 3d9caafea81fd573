import { type ClientHttp2Session, connect, constants } from 'node:http2'
import { socketOpener } from '@hookmq/provider-exhook/client'
import type { ServerPlace } from '../link.ts'
import type { Findings } from './findings.ts'

const pings = 5
const betweenPings = 30

/** Pings a connection on which nothing happens, as EMQX does each 60 seconds, and sees whether the server takes it. */
export async function tryPings(place: ServerPlace, patience: number, findings: Findings): Promise<void> {
  const { address, settings } = place
  const session = connect(`${address.scheme}://${address.authority}`, {
    createConnection: socketOpener(settings, address),
  })
  let refusal: string | undefined
  session.on('error', () => {})
  session.on('goaway', (code, _last, data) => {
    if (code !== constants.NGHTTP2_ENHANCE_YOUR_CALM) return
    const text = data === undefined ? '' : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')
    refusal = /^[\x20-\x7e]{1,100}$/.test(text) ? text : 'ENHANCE_YOUR_CALM'
  })
  let sent = 0
  try {
    if (!(await connected(session, patience))) return
    while (sent < pings && refusal === undefined) {
      sent++
      if (!(await pong(session, patience))) break
      // What the server makes of it may come behind its answer.
      await new Promise((resolve) => setTimeout(resolve, betweenPings))
    }
  } finally {
    session.destroy()
  }
  if (refusal === undefined) return
  // The first one is what HookMQ itself would send.
  if (sent === 1) findings.add('too-many-pings', `The server closes the connection at the first ping: “${refusal}”`)
  else
    findings.add(
      'pings-limited',
      `At ping number ${sent} without a call the server closes the connection: “${refusal}”`,
    )
}

function connected(session: ClientHttp2Session, patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patience, false)
    session.once('connect', () => {
      clearTimeout(timer)
      resolve(true)
    })
    session.once('close', () => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}

function pong(session: ClientHttp2Session, patience: number): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      clearTimeout(timer)
      resolve(answer)
    }
    const timer = setTimeout(end, patience, false)
    try {
      session.ping((error) => end(error === null))
    } catch {
      end(false)
    }
  })
}
