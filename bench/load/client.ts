import {
  ByteWriter,
  type ControlPacket,
  encodePacket,
  PacketParser,
  type PacketSink,
  type ProtocolVersion,
  type PublishFrame,
  type QoS,
} from '@hookmq/mqtt'
import { type Carrier, openWire, type Wire } from './wire.ts'

/**
 * One MQTT connection of the load generator: raw socket, our codec, every packet of a turn in one write, so that what is measured is
 * the broker.
 */
export class LoadClient implements PacketSink {
  readonly #wire: Wire
  readonly version: ProtocolVersion
  readonly #parser: PacketParser
  readonly #writer = new ByteWriter(65_536)
  #flushScheduled = false
  #awaited: { type: ControlPacket['type']; resolve: () => void; reject: (error: Error) => void } | undefined
  onPublish: (frame: PublishFrame) => void = () => {}
  onAcknowledged: () => void = () => {}
  onFailure: (error: Error) => void = () => {}
  closing = false

  constructor(port: number, version: ProtocolVersion, carrier: Carrier = 'tcp') {
    this.version = version
    this.#parser = new PacketParser(this, { maximumPacketSize: 0xfffffff, role: 'client' })
    this.#parser.version = version
    this.#wire = openWire(carrier, port)
    const { socket } = this.#wire
    this.#wire.onBytes = (chunk) => {
      try {
        this.#parser.write(chunk)
      } catch (error) {
        this.#failed(error as Error)
      }
    }
    socket.on('error', (error) => this.#failed(error))
    socket.on('close', () => {
      if (!this.closing) this.#failed(new Error('the broker closed a connection'))
    })
  }

  async connect(clientId: string): Promise<void> {
    await this.#wire.open()
    this.send({
      type: 'connect',
      protocolName: 'MQTT',
      protocolVersion: this.version,
      bridge: false,
      cleanStart: true,
      keepAlive: 0,
      clientId,
      properties: {},
    })
    await this.#await('connack')
  }

  async subscribe(filters: string | readonly string[], qos: QoS): Promise<void> {
    const options = { qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
    const subscriptions = [filters].flat().map((filter) => ({ filter, options }))
    this.send({ type: 'subscribe', packetId: 1, subscriptions, properties: {} })
    await this.#await('suback')
  }

  /** What is appended leaves at the end of the turn. */
  get writer(): ByteWriter {
    if (!this.#flushScheduled) {
      this.#flushScheduled = true
      setImmediate(() => {
        this.#flushScheduled = false
        this.#wire.write(this.#writer.copy())
        this.#writer.reset()
      })
    }
    return this.#writer
  }

  send(packet: ControlPacket): void {
    encodePacket(this.writer, packet, this.version)
  }

  end(): void {
    this.closing = true
    this.#wire.socket.destroy()
  }

  publish(frame: PublishFrame): void {
    this.onPublish(frame)
    if (frame.qos === 0) return
    this.send({ type: frame.qos === 1 ? 'puback' : 'pubrec', packetId: frame.packetId, reasonCode: 0, properties: {} })
  }

  packet(packet: ControlPacket): void {
    switch (packet.type) {
      case 'puback':
      case 'pubcomp':
        return this.onAcknowledged()
      case 'pubrec':
        return this.send({ type: 'pubrel', packetId: packet.packetId, reasonCode: 0, properties: {} })
      case 'pubrel':
        return this.send({ type: 'pubcomp', packetId: packet.packetId, reasonCode: 0, properties: {} })
      default:
        if (this.#awaited?.type === packet.type) {
          this.#awaited.resolve()
          this.#awaited = undefined
        }
    }
  }

  #await(type: ControlPacket['type']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#awaited = { type, resolve, reject }
    })
  }

  #failed(error: Error): void {
    if (this.closing) return
    this.#awaited?.reject(error)
    this.onFailure(error)
  }
}
