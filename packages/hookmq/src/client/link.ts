import type { Transport, TransportHandler } from '@hookmq/api'
import type { ByteStream } from './stream.ts'

/** Where the broker takes a connection from; the broker itself, and what tests put in its place. */
export interface LinkHost {
  accept(transport: Transport): TransportHandler
}

/**
 * A connection without a socket: what one end writes the other gets in a later turn of the event loop, as from a real one, so
 * that neither runs inside the other's call.
 */
class LinkTransport implements Transport {
  readonly socketType = 'link'
  readonly protocol = 'mqtt'
  readonly peerhost = '127.0.0.1'
  readonly peerport = 0
  readonly sockhost = '127.0.0.1'
  readonly sockport = 0
  readonly listener: string
  readonly mountpoint: string | undefined
  bufferedBytes = 0

  #handler: TransportHandler | undefined
  #toClient: Buffer[] = []
  #toBroker: { bytes: Buffer; sent: (() => void) | undefined }[] = []
  #scheduled = false
  #paused = false
  #ending: 'client' | 'broker' | undefined
  #closed = false
  readonly client: ByteStream

  constructor(listener: string, mountpoint: string | undefined) {
    this.listener = listener
    this.mountpoint = mountpoint
    this.client = {
      write: (bytes, sent) => {
        if (this.#closed || this.#ending !== undefined) return
        this.#toBroker.push({ bytes: Buffer.from(bytes), sent })
        this.#schedule()
      },
      end: () => {
        this.#ending ??= 'client'
        this.#schedule()
      },
      destroy: () => this.#close('tcp_closed', 'closed'),
      onData: () => {},
      onClose: () => {},
    }
  }

  attach(handler: TransportHandler): void {
    this.#handler = handler
  }

  write(bytes: Uint8Array): void {
    if (this.#closed || this.#ending === 'broker') return
    // A copy: the caller may reuse its buffer once bufferedBytes is 0.
    this.#toClient.push(Buffer.from(bytes))
    this.bufferedBytes += bytes.length
    this.#schedule()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  end(): void {
    this.#ending = 'broker'
    this.#schedule()
  }

  destroy(): void {
    this.#close('closed', 'closed by the broker')
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    const outgoing = this.#toClient
    this.#toClient = []
    for (const chunk of outgoing) {
      if (this.#closed) return
      this.bufferedBytes -= chunk.length
      this.client.onData(chunk)
    }
    if (outgoing.length > 0 && this.bufferedBytes === 0 && !this.#closed) this.#handler?.drain()
    while (!this.#closed && !this.#paused && this.#ending !== 'broker') {
      const chunk = this.#toBroker.shift()
      if (chunk === undefined) break
      this.#handler?.data(chunk.bytes)
      chunk.sent?.()
    }
    if (this.#closed || this.#toClient.length > 0) return
    if (this.#ending === 'broker') this.#close('closed', 'closed by the broker')
    else if (this.#ending === 'client' && this.#toBroker.length === 0) this.#close('tcp_closed', 'closed')
  }

  #close(brokerReason: string, clientReason: string): void {
    if (this.#closed) return
    this.#closed = true
    this.#toClient = []
    this.#toBroker = []
    this.bufferedBytes = 0
    // Later, as with a socket: the one who closes is still in the middle of something.
    setImmediate(() => {
      this.#handler?.closed(brokerReason)
      this.client.onClose(clientReason)
    })
  }
}

/** Opens a connection inside the process; all hooks and rules see it as any other, with socket type 'link'. */
export function openLink(host: LinkHost, listener = 'link:internal', mountpoint?: string): ByteStream {
  const transport = new LinkTransport(listener, mountpoint)
  transport.attach(host.accept(transport))
  return transport.client
}
