import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** How a client of the load generator reaches the broker. */
export type Carrier = 'tcp' | 'tls' | 'ws'

/** The bytes of one connection. */
export interface Wire {
  readonly socket: Socket
  /** Resolves when MQTT may begin. */
  open(): Promise<void>
  write(bytes: Buffer): void
  onBytes: (bytes: Buffer) => void
}

export function openWire(carrier: Carrier, port: number): Wire {
  if (carrier === 'ws') return new WebSocketWire(port)
  if (carrier === 'tcp') return new PlainWire(connect({ host: '127.0.0.1', port, noDelay: true }), 'connect')
  // The certificate is one of this run, and its authority is nobody's.
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
  socket.setNoDelay(true)
  return new PlainWire(socket, 'secureConnect')
}

function happened(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, () => resolve())
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('the broker closed a connection')))
  })
}

class PlainWire implements Wire {
  readonly socket: Socket
  readonly #opened: Promise<void>
  onBytes: (bytes: Buffer) => void = () => {}

  constructor(socket: Socket, event: string) {
    this.socket = socket
    this.#opened = happened(socket, event)
    this.#opened.catch(() => {})
    socket.on('data', (chunk: Buffer) => this.onBytes(chunk))
  }

  open(): Promise<void> {
    return this.#opened
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes)
  }
}

/** RFC 6455 as far as a load needs it: binary messages, one for each write, masked with zeros, which changes nothing. */
class WebSocketWire implements Wire {
  readonly socket: Socket
  #rest: Buffer = Buffer.alloc(0)
  #answered = false
  #upgraded: () => void = () => {}
  onBytes: (bytes: Buffer) => void = () => {}

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk))
  }

  async open(): Promise<void> {
    await happened(this.socket, 'connect')
    const lines = [
      'GET /mqtt HTTP/1.1',
      'Host: 127.0.0.1',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      'Sec-WebSocket-Protocol: mqtt',
    ]
    const upgraded = new Promise<void>((resolve) => {
      this.#upgraded = resolve
    })
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    await upgraded
  }

  write(bytes: Buffer): void {
    const { length } = bytes
    const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14)
    head[0] = 0x82
    if (length < 126) head[1] = 0x80 | length
    else if (length < 65_536) {
      head[1] = 0x80 | 126
      head.writeUInt16BE(length, 2)
    } else {
      head[1] = 0x80 | 127
      head.writeBigUInt64BE(BigInt(length), 2)
    }
    this.socket.write(Buffer.concat([head, bytes]))
  }

  #take(chunk: Buffer): void {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (!this.#answered) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) {
        this.#rest = Buffer.from(bytes)
        return
      }
      if (!bytes.subarray(0, 12).toString('latin1').endsWith('101'))
        return void this.socket.destroy(new Error('the broker refused the WebSocket'))
      this.#answered = true
      bytes = bytes.subarray(end + 4)
      this.#upgraded()
    }
    for (;;) {
      if (bytes.length < 2) break
      const short = bytes[1]
      const head = short < 126 ? 2 : short === 126 ? 4 : 10
      if (bytes.length < head) break
      const length = short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
      if (bytes.length < head + length) break
      const type = bytes[0] & 0x0f
      if (type === 2 || type === 0) this.onBytes(bytes.subarray(head, head + length))
      bytes = bytes.subarray(head + length)
    }
    this.#rest = Buffer.from(bytes)
  }
}
