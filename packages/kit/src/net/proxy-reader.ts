import type { Socket } from 'node:net'
import { type ProxyHeader, type ProxyPreamble, parseProxyHeader } from './proxy-header.ts'

export const DEFAULT_PROXY_TIMEOUT = 3000

/** Collects the bytes of a PROXY protocol header that may come in any number of pieces. */
export class ProxyReader {
  private collected = Buffer.alloc(0)
  private count = 0

  /** @returns the header, and when it is complete the bytes of `chunk` behind it (a view) */
  push(chunk: Buffer): { header: ProxyHeader; rest: Buffer } {
    let bytes = chunk
    if (this.count > 0) {
      this.keep(chunk)
      bytes = this.collected.subarray(0, this.count)
    }
    const header = parseProxyHeader(bytes)
    if (header.state === 'complete') {
      return { header, rest: chunk.subarray(chunk.length - (bytes.length - header.length)) }
    }
    if (this.count === 0) this.keep(chunk)
    return { header, rest: chunk.subarray(chunk.length) }
  }

  /** Doubling keeps the cost of single bytes linear. */
  private keep(chunk: Buffer): void {
    if (this.count + chunk.length > this.collected.length) {
      const larger = Buffer.alloc(Math.max(128, 2 * (this.count + chunk.length)))
      this.collected.copy(larger, 0, 0, this.count)
      this.collected = larger
    }
    chunk.copy(this.collected, this.count)
    this.count += chunk.length
  }
}

/**
 * Reads the header from a socket that another protocol is to read next, and leaves it paused, the bytes behind the header unread.
 * @param done gets the header, or the text of what is wrong with it; not called when the socket closes first
 */
export function readProxyHeader(socket: Socket, timeout: number, done: (result: ProxyPreamble | string) => void): void {
  const reader = new ProxyReader()
  const stop = (result: ProxyPreamble | string): void => {
    clearTimeout(timer)
    socket.removeListener('data', take)
    socket.removeListener('close', closed)
    done(result)
  }
  const take = (chunk: Buffer): void => {
    const { header, rest } = reader.push(chunk)
    if (header.state === 'incomplete') return
    socket.pause()
    if (header.state === 'complete' && rest.length > 0) socket.unshift(rest)
    stop(header.state === 'complete' ? header : header.problem)
  }
  const closed = (): void => clearTimeout(timer)
  const timer = setTimeout(() => stop(`no complete PROXY protocol header within ${timeout} ms`), timeout)
  socket.on('close', closed)
  socket.on('data', take)
}
