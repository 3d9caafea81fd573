import {
  type ControlPacket,
  decodeProperties,
  MqttError,
  type Packet,
  PacketParser,
  type ProtocolVersion,
  type PublishFrame,
} from '@hookmq/mqtt'

/** Turns the bytes of one connection into packets, for the client's side. */
export class PacketReader {
  readonly #parser: PacketParser
  readonly #version: ProtocolVersion
  readonly #receive: (packet: Packet) => void

  constructor(version: ProtocolVersion, receive: (packet: Packet) => void) {
    this.#version = version
    this.#receive = receive
    const sink = {
      publish: (frame: PublishFrame) => this.#publish(frame),
      packet: (packet: ControlPacket) => receive(packet),
    }
    this.#parser = new PacketParser(sink, { maximumPacketSize: Number.POSITIVE_INFINITY, role: 'client' })
    this.#parser.version = version
  }

  /** What is wrong with the bytes, or undefined. Nothing is read any more after a fault. */
  push(chunk: Buffer): string | undefined {
    try {
      this.#parser.write(chunk)
      return undefined
    } catch (error) {
      if (error instanceof MqttError) return error.message
      throw error
    }
  }

  #publish(frame: PublishFrame): void {
    const { buffer, qos, retain, dup } = frame
    this.#receive({
      type: 'publish',
      topic: buffer.toString('utf8', frame.topicStart, frame.topicEnd),
      // A copy: the frame's bytes are gone when the parser goes on.
      payload: Buffer.from(buffer.subarray(frame.payloadStart, frame.end)),
      qos,
      retain,
      dup,
      packetId: qos === 0 ? undefined : frame.packetId,
      properties:
        this.#version === 5 ? decodeProperties(buffer, frame.propertiesStart, frame.propertiesEnd, 'publish') : {},
    })
  }
}
