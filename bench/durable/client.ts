import { connect, type Socket } from 'node:net'
import {
  ByteWriter,
  type ControlPacket,
  encodePacket,
  PacketParser,
  type PacketSink,
  type PublishFrame,
  writePublish,
} from '@hookmq/mqtt'

/** A client of MQTT 5 whose session may stay. What it sends in one turn of the event loop leaves in one write. */
export class DurableClient implements PacketSink {
  readonly #socket: Socket
  readonly #parser = new PacketParser(this, { maximumPacketSize: 0xfffffff, role: 'client' })
  readonly #writer = new ByteWriter(65_536)
  #scheduled = false
  /** Messages that have no acknowledgement on the wire: now, and at most. */
  #unanswered = 0
  most = 0
  #awaited: { readonly type: ControlPacket['type']; readonly resolve: () => void } | undefined
  onPublish: (frame: PublishFrame) => void = () => {}
  onAcknowledged: () => void = () => {}

  constructor(port: number) {
    this.#parser.version = 5
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => this.#parser.write(chunk))
    this.#socket.on('error', () => {})
  }

  /** `expiry`: seconds; 0 = the session ends with the connection. */
  async connect(clientId: string, expiry: number, cleanStart = true, receiveMaximum = 65_535): Promise<void> {
    await new Promise((resolve) => this.#socket.once('connect', resolve))
    const properties = { sessionExpiryInterval: expiry, receiveMaximum }
    this.send({
      type: 'connect',
      protocolName: 'MQTT',
      protocolVersion: 5,
      bridge: false,
      cleanStart,
      keepAlive: 0,
      clientId,
      properties,
    })
    await this.#await('connack')
  }

  async subscribe(filter: string): Promise<void> {
    const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    this.send({ type: 'subscribe', packetId: 1, subscriptions: [{ filter, options }], properties: {} })
    await this.#await('suback')
  }

  send(packet: ControlPacket): void {
    encodePacket(this.#writer, packet, 5)
    this.#flush()
  }

  /** QoS 1. */
  sendMessage(topic: string, payload: Uint8Array, packetId: number): void {
    writePublish(this.#writer, topic, payload, 1, false, false, packetId, undefined, 5)
    this.#flush()
  }

  #flush(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#unanswered = 0
      this.#socket.write(this.#writer.copy())
      this.#writer.reset()
    })
  }

  end(): void {
    this.#socket.destroy()
  }

  publish(frame: PublishFrame): void {
    this.most = Math.max(this.most, ++this.#unanswered)
    this.onPublish(frame)
    if (frame.qos === 1) this.send({ type: 'puback', packetId: frame.packetId, reasonCode: 0, properties: {} })
  }

  packet(packet: ControlPacket): void {
    if (packet.type === 'puback') this.onAcknowledged()
    else if (this.#awaited?.type === packet.type) this.#awaited.resolve()
  }

  #await(type: ControlPacket['type']): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited = { type, resolve }
    })
  }
}
