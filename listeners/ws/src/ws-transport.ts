import type { Duplex } from 'node:stream'
import type { PeerCertificate, Transport, TransportHandler } from '@hookmq/api'
import { DEFAULT_END_TIMEOUT, type Endpoints, type TransportOrigin } from '@hookmq/kit'
import { WebSocket } from 'ws'

/** A WebSocket that knows its transport, so that all share their event functions. */
export class MqttWebSocket extends WebSocket {
  transport: WsTransport | undefined = undefined
}

const NOTHING = Buffer.alloc(0)
/** RFC 6455, section 7.4.1. */
const NORMAL = 1000
const UNSUPPORTED_DATA = 1003

/** A WebSocket as the port `Transport` wants it: the bytes of its binary messages, wherever packets begin or end in them. */
export class WsTransport implements Transport {
  readonly peerhost: string
  readonly peerport: number
  readonly sockhost: string
  readonly sockport: number
  readonly peerCertificate: PeerCertificate | undefined
  private readonly origin: TransportOrigin
  private readonly webSocket: MqttWebSocket
  /** Below the WebSocket. */
  private readonly socket: Duplex
  private handler: TransportHandler | undefined = undefined
  /** Messages of a read that was under way when the transport was paused. */
  private held: Buffer[] = []
  private paused = false
  private ending = false
  private watching = false
  private flushed: ((error?: Error | null) => void) | undefined = undefined
  private reason: string | undefined = undefined
  private timer: NodeJS.Timeout | undefined = undefined

  constructor(
    webSocket: MqttWebSocket,
    socket: Duplex,
    origin: TransportOrigin,
    endpoints: Endpoints,
    certificate?: PeerCertificate,
  ) {
    this.webSocket = webSocket
    this.socket = socket
    this.origin = origin
    this.peerhost = endpoints.peerhost
    this.peerport = endpoints.peerport
    this.sockhost = endpoints.sockhost
    this.sockport = endpoints.sockport
    this.peerCertificate = certificate
    webSocket.transport = this
    webSocket.on('message', onMessage)
    webSocket.on('error', onError)
    webSocket.on('close', onClose)
  }

  get socketType(): string {
    return this.origin.socketType
  }

  get listener(): string {
    return this.origin.listener
  }

  get protocol(): string {
    return this.origin.protocol
  }

  get mountpoint(): string | undefined {
    return this.origin.mountpoint
  }

  get bufferedBytes(): number {
    return this.webSocket.bufferedAmount
  }

  handle(handler: TransportHandler): void {
    this.handler = handler
  }

  /** One binary frame. [MQTT-6.0.0-1] */
  write(bytes: Uint8Array): void {
    if (this.ending || this.webSocket.readyState !== WebSocket.OPEN) return
    this.webSocket.send(bytes)
    if (!this.watching && this.bufferedBytes > 0) this.watch()
  }

  pause(): void {
    this.paused = true
    this.webSocket.pause()
  }

  resume(): void {
    if (!this.paused) return
    this.paused = false
    if (this.held.length > 0) this.release()
    if (!this.paused) this.webSocket.resume()
  }

  end(timeout: number = DEFAULT_END_TIMEOUT): void {
    this.close(NORMAL, timeout)
  }

  destroy(): void {
    // Messages of the read that is under way are not delivered any more.
    this.ending = true
    this.webSocket.terminate()
  }

  private close(code: number, timeout: number): void {
    if (this.ending) return
    this.ending = true
    this.held = []
    this.webSocket.close(code)
    // To see the answer of the peer.
    this.webSocket.resume()
    this.timer ??= setTimeout(terminate, timeout, this.webSocket).unref()
  }

  /** A message has come. [MQTT-6.0.0-2] packets are not aligned with frames: the parser puts them together. */
  received(bytes: Buffer, isBinary: boolean): void {
    if (this.ending) return
    if (!isBinary) {
      // [MQTT-6.0.0-1] any other data frame closes the connection
      this.reason ??= 'ws_error'
      this.origin.log.info('a WebSocket client sent text; MQTT takes binary messages only', {
        listener: this.listener,
        peer: this.peerhost,
      })
      this.close(UNSUPPORTED_DATA, DEFAULT_END_TIMEOUT)
      return
    }
    if (this.paused) this.held.push(bytes)
    else this.deliver(bytes)
  }

  failed(error: NodeJS.ErrnoException): void {
    const code = error.code
    // Errors of the system; those of the WebSocket protocol begin with WS_ERR.
    this.reason ??= code !== undefined && /^E[A-Z0-9]+$/.test(code) ? code.toLowerCase() : 'ws_error'
    this.origin.log.debug('a WebSocket failed', { listener: this.listener, peer: this.peerhost, error: error.message })
  }

  closed(): void {
    clearTimeout(this.timer)
    const handler = this.handler
    this.handler = undefined
    this.held = []
    if (handler !== undefined) {
      try {
        handler.closed(this.reason ?? this.origin.closedReason)
      } catch (error) {
        this.threw('closed', error)
      }
    }
  }

  private deliver(bytes: Buffer): void {
    try {
      this.handler?.data(bytes)
    } catch (error) {
      this.threw('data', error)
    }
  }

  private release(): void {
    const held = this.held
    this.held = []
    while (held.length > 0 && !this.paused && !this.ending) this.deliver(held.shift() as Buffer)
    // Paused again: what is left stays first.
    if (this.paused) this.held = [...held, ...this.held]
  }

  private watch(): void {
    this.watching = true
    this.flushed ??= (error) => this.drained(error)
    // An empty write below the WebSocket adds nothing to the stream, and calls back behind everything that waits there.
    this.socket.write(NOTHING, this.flushed)
  }

  private drained(error: Error | null | undefined): void {
    this.watching = false
    if (error || this.ending || this.handler === undefined) return
    if (this.bufferedBytes > 0) {
      if (this.socket.writable) this.watch()
      return
    }
    try {
      this.handler.drain()
    } catch (thrown) {
      this.threw('drain', thrown)
    }
  }

  private threw(where: string, error: unknown): void {
    this.origin.log.error('the handler of a connection failed; the connection is closed', {
      listener: this.listener,
      peer: `${this.peerhost}:${this.peerport}`,
      in: where,
      error,
    })
    this.reason ??= 'internal_error'
    this.destroy()
  }
}

function onMessage(this: WebSocket, data: unknown, isBinary: boolean): void {
  // `binaryType` is 'nodebuffer', so a message is one Buffer.
  ;(this as MqttWebSocket).transport?.received(data as Buffer, isBinary)
}

function onError(this: WebSocket, error: Error): void {
  ;(this as MqttWebSocket).transport?.failed(error)
}

function onClose(this: WebSocket): void {
  ;(this as MqttWebSocket).transport?.closed()
}

function terminate(webSocket: WebSocket): void {
  webSocket.terminate()
}
