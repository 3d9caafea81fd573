import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { MqttWebSocket } from './ws-transport.ts'

export interface HandshakeOptions {
  /** '/mqtt' when left out. */
  readonly mqttPath?: string
  /** What the server speaks, the best first; 'mqtt', and 'mqttv3.1' for clients of MQTT 3.1, when left out. */
  readonly subprotocols?: readonly string[]
  /** Refuse a client that offers none of them; true when left out. */
  readonly failIfNoSubprotocol?: boolean
  /** Bytes of one WebSocket message, which may carry several packets; 2 MiB when left out. */
  readonly maxFrameSize?: number
}

const DEFAULT_SUBPROTOCOLS = ['mqtt', 'mqttv3.1']
const DEFAULT_MAX_FRAME_SIZE = 2 * 1024 * 1024

/** Answers the WebSocket handshakes of one path. */
export class Handshake {
  private readonly path: string
  private readonly subprotocols: readonly string[]
  private readonly failIfNoSubprotocol: boolean
  private readonly server: InstanceType<typeof WebSocketServer<typeof MqttWebSocket>>

  constructor(options: HandshakeOptions) {
    this.path = options.mqttPath ?? '/mqtt'
    this.subprotocols = options.subprotocols ?? DEFAULT_SUBPROTOCOLS
    this.failIfNoSubprotocol = options.failIfNoSubprotocol ?? true
    this.server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      // MQTT packets are small; a compressor costs each connection some 300 KB.
      perMessageDeflate: false,
      maxPayload: options.maxFrameSize ?? DEFAULT_MAX_FRAME_SIZE,
      skipUTF8Validation: true,
      WebSocket: MqttWebSocket,
      // [MQTT-6.0.0-4] the answer names the one that was chosen
      handleProtocols: (offered) => this.subprotocols.find((name) => offered.has(name)) ?? false,
    })
  }

  /** Whether a request is for this path; a query is not looked at. */
  serves(request: IncomingMessage): boolean {
    const url = request.url ?? ''
    const query = url.indexOf('?')
    return (query === -1 ? url : url.slice(0, query)) === this.path
  }

  /** Upgrades the connection, or answers with an HTTP error and closes it. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, opened: (webSocket: MqttWebSocket) => void): void {
    // [MQTT-6.0.0-3] the client offers 'mqtt'
    if (this.failIfNoSubprotocol && !this.offersKnown(request)) {
      refuseUpgrade(socket, 400, `offer one of these WebSocket subprotocols: ${this.subprotocols.join(', ')}`)
      return
    }
    this.server.handleUpgrade(request, socket, head, opened)
  }

  private offersKnown(request: IncomingMessage): boolean {
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',')
    return offered.some((name) => this.subprotocols.includes(name.trim()))
  }
}

const STATUS: Readonly<Record<number, string>> = { 400: 'Bad Request', 404: 'Not Found', 503: 'Service Unavailable' }

/** Answers an upgrade request with an error that a person can read, and closes. */
export function refuseUpgrade(socket: Duplex, status: number, text: string): void {
  const body = `${text}\n`
  socket.on('error', ignore)
  socket.end(
    `HTTP/1.1 ${status} ${STATUS[status]}\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}

function ignore(): void {}
