import { createConnection, type Socket } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'

export interface Identity {
  readonly clientId: string
  readonly version: 4 | 5
  readonly clean: boolean
}

export interface Listening {
  packet(packet: Packet): void
  closed(): void
}

/** Milliseconds. Says when to give up, nothing is measured against it. */
const patience = 20_000

/** One connection of a client, through a codec that is not the broker's. */
export class Connection {
  readonly sessionPresent: boolean
  readonly #socket: Socket
  readonly #version: 4 | 5

  /** Resolves with CONNACK. Rejects when the connection ends before, or the client is refused. */
  static open(port: number, { clientId, version, clean }: Identity, listening: Listening): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
      const reader = parser({ protocolVersion: version })
      let open = false
      const timer = setTimeout(() => socket.destroy(new Error(`${clientId}: no CONNACK in ${patience} ms`)), patience)
      const fail = (error: Error): void => {
        socket.destroy()
        reject(error)
      }
      reader.on('packet', (packet: Packet) => {
        if (open) return listening.packet(packet)
        clearTimeout(timer)
        if (packet.cmd !== 'connack') return fail(new Error(`${clientId}: ${packet.cmd} before CONNACK`))
        const code = packet.reasonCode ?? packet.returnCode
        if (code !== 0) return fail(new Error(`${clientId}: CONNACK with code ${code}`))
        open = true
        resolve(new Connection(socket, version, packet.sessionPresent))
      })
      reader.on('error', fail)
      socket.on('data', (chunk) => reader.parse(chunk))
      socket.on('error', reject)
      socket.on('close', () => {
        clearTimeout(timer)
        if (open) listening.closed()
        else reject(new Error(`${clientId}: closed before CONNACK`))
      })
      socket.write(
        generate(
          {
            cmd: 'connect',
            protocolId: 'MQTT',
            protocolVersion: version,
            clean,
            keepalive: 0,
            clientId,
            properties: version === 5 ? { sessionExpiryInterval: clean ? 0 : 86_400 } : undefined,
          },
          { protocolVersion: version },
        ),
      )
    })
  }

  private constructor(socket: Socket, version: 4 | 5, sessionPresent: boolean) {
    this.#socket = socket
    this.#version = version
    this.sessionPresent = sessionPresent
  }

  send(packet: Packet): void {
    this.#socket.write(generate(packet, { protocolVersion: this.#version }))
  }

  /** Without DISCONNECT. */
  destroy(): void {
    this.#socket.destroy()
  }
}
