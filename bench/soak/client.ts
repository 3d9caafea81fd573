import { connect, type Socket } from 'node:net'
import {
  ByteWriter,
  type ControlPacket,
  encodePacket,
  PacketParser,
  type PacketSink,
  type PublishFrame,
  type QoS,
  writePublish,
} from '@hookmq/mqtt'

/** Every connection reads into the same bytes, one after the other: 20,000 buffers would be more than the broker takes. */
const readBuffer = Buffer.allocUnsafe(65_536)
const writer = new ByteWriter(4096)

/** Milliseconds until an answer is overdue. */
const patience = 60_000

const sessionExpiry = 3600

export interface Place {
  readonly port: number
  /** Of this end: one address has no more than 28,000 ports. */
  readonly address: string
}

/** A client that stays light when there are 20,000, and keeps what it needs for an exact count at QoS 2 over a reconnect. MQTT 5. */
export class SoakClient implements PacketSink {
  readonly id: string
  readonly durable: boolean
  onMessage: (topic: string, payload: Buffer, frame: PublishFrame) => void = () => {}
  /** The connection ended although nobody here wanted that. */
  onLost: (client: SoakClient) => void = () => {}
  connected = false
  readonly #place: Place
  #socket: Socket | undefined
  #parser: PacketParser | undefined
  #ended = false
  #packetId = 0
  /** Answers that somebody waits for, by type and packet identifier. */
  readonly #awaited = new Map<string, (packet: ControlPacket) => void>()
  /** QoS 2 messages that came, until PUBREL. */
  #taken: Set<number> | undefined

  constructor(place: Place, id: string, durable = false) {
    this.#place = place
    this.id = id
    this.durable = durable
  }

  /** Resolves to whether the broker had its session. */
  async connect(cleanStart = !this.durable): Promise<boolean> {
    this.#ended = false
    const { port, address } = this.#place
    const parser = new PacketParser(this, { maximumPacketSize: 1 << 20, role: 'client' })
    parser.version = 5
    this.#parser = parser
    const onread = {
      buffer: readBuffer,
      callback: (count: number): boolean => {
        this.#read(parser, readBuffer.subarray(0, count))
        return true
      },
    }
    const socket = connect({ host: '127.0.0.1', port, localAddress: address, noDelay: true, onread })
    this.#socket = socket
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      if (this.#socket !== socket) return
      this.connected = false
      this.#socket = undefined
      if (!this.#ended) this.onLost(this)
    })
    const answer = this.#answer('connack')
    this.send({
      type: 'connect',
      protocolName: 'MQTT',
      protocolVersion: 5,
      bridge: false,
      cleanStart,
      keepAlive: 90,
      clientId: this.id,
      properties: this.durable ? { sessionExpiryInterval: sessionExpiry } : {},
    })
    const connack = await answer
    if (connack.type !== 'connack' || connack.reasonCode !== 0) throw new Error(`${this.id}: CONNECT was refused`)
    this.connected = true
    if (!connack.sessionPresent) this.#taken = undefined
    return connack.sessionPresent
  }

  async subscribe(filter: string, qos: QoS): Promise<void> {
    const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    const packetId = this.#nextId()
    const answer = this.#answer('suback', packetId)
    this.send({ type: 'subscribe', packetId, subscriptions: [{ filter, options }], properties: {} })
    const suback = await answer
    if (suback.type === 'suback' && suback.reasonCodes[0] !== qos) throw new Error(`${this.id}: ${filter} was refused`)
  }

  async unsubscribe(filter: string): Promise<void> {
    const packetId = this.#nextId()
    const answer = this.#answer('unsuback', packetId)
    this.send({ type: 'unsubscribe', packetId, filters: [filter], properties: {} })
    await answer
  }

  /** Publishes. Resolves when it is acknowledged; at QoS 0 there is nothing to wait for. */
  put(topic: Buffer, payload: Buffer, qos: QoS, retain = false): Promise<unknown> | undefined {
    const packetId = qos === 0 ? 0 : this.#nextId()
    const answer = qos === 0 ? undefined : this.#answer(qos === 1 ? 'puback' : 'pubcomp', packetId)
    writer.reset()
    writePublish(writer, topic, payload, qos, retain, false, packetId, undefined, 5)
    this.#socket?.write(writer.copy())
    return answer
  }

  ping(): void {
    this.send({ type: 'pingreq' })
  }

  send(packet: ControlPacket): void {
    writer.reset()
    encodePacket(writer, packet, 5)
    this.#socket?.write(writer.copy())
  }

  /** With DISCONNECT, or by losing the connection. Resolves when the socket is closed. */
  end(gracefully: boolean): Promise<void> {
    const socket = this.#socket
    this.#ended = true
    this.connected = false
    if (socket === undefined) return Promise.resolve()
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    if (gracefully) {
      this.send({ type: 'disconnect', reasonCode: 0, properties: {} })
      socket.end()
    } else socket.resetAndDestroy()
    return closed
  }

  publish(frame: PublishFrame): void {
    const { buffer, qos, packetId } = frame
    const isNew = qos !== 2 || this.#taken?.has(packetId) !== true
    if (qos === 2) {
      this.#taken ??= new Set()
      this.#taken.add(packetId)
    }
    if (isNew) {
      const topic = buffer.toString('utf8', frame.topicStart, frame.topicEnd)
      this.onMessage(topic, buffer.subarray(frame.payloadStart, frame.end), frame)
    }
    if (qos > 0) this.send({ type: qos === 1 ? 'puback' : 'pubrec', packetId, reasonCode: 0, properties: {} })
  }

  packet(packet: ControlPacket): void {
    switch (packet.type) {
      case 'pubrec':
        return this.send({ type: 'pubrel', packetId: packet.packetId, reasonCode: 0, properties: {} })
      case 'pubrel':
        this.#taken?.delete(packet.packetId)
        return this.send({ type: 'pubcomp', packetId: packet.packetId, reasonCode: 0, properties: {} })
      case 'connack':
        return this.#settle('connack', packet)
      case 'puback':
      case 'pubcomp':
      case 'suback':
      case 'unsuback':
        return this.#settle(`${packet.type}${packet.packetId}`, packet)
    }
  }

  #settle(key: string, packet: ControlPacket): void {
    this.#awaited.get(key)?.(packet)
    this.#awaited.delete(key)
  }

  #answer(type: ControlPacket['type'], packetId: number | '' = ''): Promise<ControlPacket> {
    const key = `${type}${packetId}`
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#awaited.delete(key)
        reject(new Error(`${this.id}: no ${type} within ${patience / 1000} s`))
      }, patience)
      this.#awaited.set(key, (packet) => {
        clearTimeout(timer)
        resolve(packet)
      })
    })
  }

  #nextId(): number {
    this.#packetId = (this.#packetId % 0xffff) + 1
    return this.#packetId
  }

  #read(parser: PacketParser, bytes: Buffer): void {
    if (parser !== this.#parser) return
    try {
      parser.write(bytes)
    } catch {
      this.#socket?.destroy()
    }
  }
}
