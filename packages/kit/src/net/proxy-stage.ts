import type { PeerCertificate, TransportHandler } from '@hookmq/api'
import type { ProxyPreamble } from './proxy-header.ts'
import { ProxyReader } from './proxy-reader.ts'
import type { SocketTransport } from './socket-transport.ts'

/** Handles a transport until its PROXY protocol header is there. */
export class ProxyStage implements TransportHandler {
  private readonly transport: SocketTransport
  private readonly next: (transport: SocketTransport, header: ProxyPreamble) => void
  private readonly failed: (transport: SocketTransport, problem: string) => void
  private readonly reader = new ProxyReader()
  private readonly timer: NodeJS.Timeout

  /** @param next takes the transport over: it sets another handler or destroys it */
  constructor(
    transport: SocketTransport,
    timeout: number,
    next: (transport: SocketTransport, header: ProxyPreamble) => void,
    failed: (transport: SocketTransport, problem: string) => void,
  ) {
    this.transport = transport
    this.next = next
    this.failed = failed
    this.timer = setTimeout(() => failed(transport, `no complete PROXY protocol header within ${timeout} ms`), timeout)
  }

  data(chunk: Buffer): void {
    const { header, rest } = this.reader.push(chunk)
    if (header.state === 'incomplete') return
    clearTimeout(this.timer)
    if (header.state === 'invalid') {
      this.failed(this.transport, header.problem)
      return
    }
    this.next(this.transport, header)
    if (rest.length > 0 && !this.transport.destroyed) this.transport.receive(rest)
  }

  drain(): void {}

  closed(): void {
    clearTimeout(this.timer)
  }
}

/** What a proxy tells of the certificate that it has verified. */
export function certificateOf(commonName: string | undefined): PeerCertificate | undefined {
  return commonName === undefined ? undefined : { commonName, subject: `CN=${escapeName(commonName)}` }
}

/** RFC 2253, section 2.4. */
function escapeName(value: string): string {
  return value.replace(/[,+"\\<>;]/g, '\\$&').replace(/^[ #]| $/g, '\\$&')
}
