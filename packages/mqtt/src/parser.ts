import { ackTypes, decodeControl } from './decode-control.ts'
import { decodePublish } from './decode-publish.ts'
import { MqttError, malformed } from './error.ts'
import { checkFirstByte } from './fixed-header.ts'
import type { PublishFrame } from './frame.ts'
import { giveBackFrame, takeFrame } from './frame-pool.ts'
import type { ControlPacket, ProtocolVersion } from './packets.ts'
import { noProperties } from './property-table.ts'
import { PacketReader } from './reader.ts'
import { ReasonCode } from './reason-codes.ts'

/** Gets the packets, in order. May call the parser's `pause`, `resume` and `stop`, and `write` of any parser. */
export interface PacketSink {
  /** The frame is filled anew after the call returns: copy what must outlive it. */
  publish(frame: PublishFrame): void
  /** The packet belongs to the sink. */
  packet(packet: ControlPacket): void
  /** A PUBACK that says success and nothing else; without this it comes as a packet. */
  puback?(packetId: number): void
}

export interface ParserOptions {
  /** Bytes of a whole packet, fixed header included; Infinity = no limit. */
  maximumPacketSize: number
  /** Which side this is: a 'server' (default) reads what clients send. */
  role?: 'server' | 'client'
}

/**
 * Cuts a stream of bytes into packets and checks each. Allocates nothing for a PUBLISH. Bytes that are not yet a
 * packet are copied, never more than have arrived.
 */
export class PacketParser {
  /** Taken from CONNECT by a server's parser; a client sets it. */
  version: ProtocolVersion = 4
  /** Bytes; may change at any time. */
  maximumPacketSize: number
  readonly #sink: PacketSink
  readonly #server: boolean
  /** The opening packet has been seen: CONNECT by a server, CONNACK by a client. */
  #opened = false
  #paused = false
  #running = false
  #dead = false
  #kept: Buffer | undefined = undefined
  #keptStart = 0
  #keptEnd = 0

  constructor(sink: PacketSink, options: ParserOptions) {
    this.#sink = sink
    this.maximumPacketSize = options.maximumPacketSize
    this.#server = options.role !== 'client'
  }

  get paused(): boolean {
    return this.#paused
  }

  /** Bytes held back: part of a packet, or whatever came while paused. */
  get bufferedBytes(): number {
    return this.#kept === undefined ? 0 : this.#keptEnd - this.#keptStart
  }

  /**
   * Parses what is in the chunk, which is only borrowed. Throws MqttError on bytes that break the protocol, or whatever the
   * sink throws; the parser is dead then and ignores all that follows.
   */
  write(chunk: Buffer): void {
    if (this.#dead) return
    if (this.#paused || this.#running) {
      this.#keep(chunk, 0, chunk.length, 0)
      return
    }
    let start = 0
    if (this.#kept !== undefined) {
      start = this.#complete(chunk)
      this.#runKept()
      if (this.#dead || start === chunk.length) return
      if (this.#paused || this.#kept !== undefined) {
        this.#keep(chunk, start, chunk.length, 0)
        if (!this.#paused) this.#runKept()
        return
      }
    }
    const end = chunk.length
    const position = this.#run(chunk, start, end)
    if (position < end && !this.#dead) this.#keepBack(chunk, position, end)
    if (this.#kept !== undefined && !this.#paused) this.#runKept()
  }

  /** No more packets until `resume`; what arrives is kept. Inside the sink: this packet is the last. */
  pause(): void {
    this.#paused = true
  }

  /** Goes on with what has been kept: calls the sink, and throws as `write` does. */
  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (!this.#running) this.#runKept()
  }

  /** What has come and was not parsed, for another parser: this one ignores all that follows. Not inside the sink. */
  giveAway(): Buffer {
    const rest = this.#kept?.subarray(this.#keptStart, this.#keptEnd) ?? Buffer.alloc(0)
    this.stop()
    return rest
  }

  /** Drops what is kept and ignores all that follows: for a connection that is being closed. */
  stop(): void {
    this.#dead = true
    this.#kept = undefined
  }

  /** Parses the kept bytes as far as they go. */
  #runKept(): void {
    while (!this.#paused && !this.#dead) {
      const buffer = this.#kept
      if (buffer === undefined) return
      const start = this.#keptStart
      const end = this.#keptEnd
      // Taken out, because the sink may write to this parser again.
      this.#kept = undefined
      const position = this.#run(buffer, start, end)
      if (this.#dead) return
      if (position < end) {
        const later = this.#kept as Buffer | undefined
        const laterStart = this.#keptStart
        const laterEnd = this.#keptEnd
        this.#kept = buffer
        this.#keptStart = position
        this.#keptEnd = end
        if (later === undefined) return
        this.#keep(later, laterStart, laterEnd, 0)
      }
    }
  }

  /** Keeps the rest of a chunk, before anything that came in while it was being parsed. */
  #keepBack(chunk: Buffer, start: number, end: number): void {
    const later = this.#kept
    const laterStart = this.#keptStart
    const laterEnd = this.#keptEnd
    this.#kept = undefined
    this.#keep(chunk, start, end, 0)
    if (later !== undefined) this.#keep(later, laterStart, laterEnd, 0)
  }

  /** Copies source[start, end) behind what is kept. `wanted`: the size of the whole packet when it is known. */
  #keep(source: Buffer, start: number, end: number, wanted: number): void {
    const length = end - start
    if (length === 0) return
    const held = this.bufferedBytes
    const needed = held + length
    if (this.#kept === undefined || this.#keptEnd + length > this.#kept.length) {
      // Doubling keeps many small pieces linear; a declared length alone never allocates.
      const capacity = Math.max(needed, Math.min(wanted, Math.max(2 * held, 64)), wanted === 0 ? 2 * held : 0)
      const larger = Buffer.allocUnsafeSlow(capacity)
      if (this.#kept !== undefined) this.#kept.copy(larger, 0, this.#keptStart, this.#keptEnd)
      this.#kept = larger
      this.#keptStart = 0
      this.#keptEnd = held
    }
    source.copy(this.#kept, this.#keptEnd, start, end)
    this.#keptEnd += length
  }

  /** Takes from the chunk what the kept, incomplete packet lacks. Returns how many bytes that was. */
  #complete(chunk: Buffer): number {
    let taken = 0
    while (taken < chunk.length) {
      const kept = this.#kept
      if (kept === undefined) return taken
      const held = this.#keptEnd - this.#keptStart
      const total = this.#packetLength(kept, this.#keptStart, this.#keptEnd)
      if (total === held) return taken
      // Without the whole length one byte at a time: at most four.
      const take = total === 0 ? 1 : Math.min(total - held, chunk.length - taken)
      this.#keep(chunk, taken, taken + take, total)
      taken += take
    }
    return taken
  }

  /** Length of the packet that begins at `start`, 0 while that cannot be told. Checks the fixed header as far as it is there. */
  #packetLength(buffer: Buffer, start: number, end: number): number {
    this.#checkFirst(buffer[start])
    let length = 0
    let factor = 1
    for (let at = start + 1; at < end; at++) {
      const byte = buffer[at]
      length += (byte & 0x7f) * factor
      if (byte < 0x80) {
        const total = at + 1 - start + length
        if (total > this.maximumPacketSize) throw this.#fail(tooLarge(total, this.maximumPacketSize))
        return total
      }
      factor *= 128
      if (at === start + 4) throw this.#fail(malformed('the remaining length is longer than four bytes'))
    }
    return 0
  }

  #checkFirst(first: number): void {
    const error = checkFirstByte(first, this.version, this.#server, this.#opened)
    if (error !== undefined) throw this.#fail(error)
  }

  #fail(error: MqttError): MqttError {
    this.stop()
    return error
  }

  #run(buffer: Buffer, start: number, end: number): number {
    const frame = takeFrame(buffer)
    this.#running = true
    let finished = false
    try {
      const position = this.#parse(buffer, start, end, frame)
      finished = true
      return position
    } finally {
      if (!finished) this.stop()
      this.#running = false
      giveBackFrame(frame)
    }
  }

  #parse(buffer: Buffer, start: number, end: number, frame: PublishFrame): number {
    const sink = this.#sink
    let position = start
    while (position < end) {
      const first = buffer[position]
      const isPublish = (first & 0xf0) === 0x30 && this.#opened
      // From either side, with flags of 0, a PUBACK may always come.
      const isPuback = first === 0x40 && this.#opened
      if (!isPublish && !isPuback) this.#checkFirst(first)
      let at = position + 1
      if (at === end) break
      let length = buffer[at++]
      if (length > 0x7f) {
        const total = this.#packetLength(buffer, position, end)
        if (total === 0) break
        while (buffer[at++] > 0x7f);
        length = total - (at - position)
        // A last byte of 0 adds nothing. 3.1.1 does not forbid it. [MQTT-1.5.5-1]
        if (buffer[at - 1] === 0 && this.version === 5)
          throw malformed('the remaining length is not in its shortest form')
      } else if (length + 2 > this.maximumPacketSize) {
        throw tooLarge(length + 2, this.maximumPacketSize)
      }
      const packetEnd = at + length
      if (packetEnd > end) {
        if (isPublish && (first & 6) === 6) throw malformed('PUBLISH with QoS 3')
        break
      }
      if (isPublish) {
        decodePublish(frame, buffer, position, at, packetEnd, this.version, this.#server)
        sink.publish(frame)
      } else if (isPuback && length === 2 && sink.puback !== undefined) {
        const packetId = (buffer[at] << 8) | buffer[at + 1]
        if (packetId === 0) throw noIdentifier()
        sink.puback(packetId)
      } else {
        this.#control(first, buffer, position, at, packetEnd)
      }
      position = packetEnd
      if (this.#paused || this.#dead) break
    }
    return position
  }

  #control(first: number, buffer: Buffer, start: number, at: number, end: number): void {
    const sink = this.#sink
    const version = this.version
    const type = first >> 4
    if (end - at === 2 && type >= 4 && type <= 7) {
      const packetId = (buffer[at] << 8) | buffer[at + 1]
      if (packetId === 0) throw noIdentifier()
      sink.packet({ type: ackTypes[type - 4], packetId, reasonCode: 0, properties: noProperties })
      return
    }
    // Known before the rest of CONNECT has been read: a refusal of it is written in the form of that version.
    const versionKnown =
      type === 1
        ? (named: ProtocolVersion): void => {
            this.version = named
          }
        : undefined
    const packet = decodeControl(type, new PacketReader(buffer, at, end), version, !this.#server, versionKnown)
    if (packet.type === 'connect') {
      // The version was not known when the length was read. [MQTT-1.5.5-1]
      if (this.version === 5 && at - start > 2 && buffer[at - 1] === 0) {
        throw malformed('the remaining length is not in its shortest form')
      }
      this.#opened = true
    } else if (packet.type === 'connack') {
      this.#opened = true
    }
    sink.packet(packet)
  }
}

/** [MQTT-2.2.1-3] [MQTT-2.3.1-1 v3.1.1] */
function noIdentifier(): MqttError {
  return malformed('the packet identifier is 0')
}

function tooLarge(size: number, limit: number): MqttError {
  return new MqttError(ReasonCode.PacketTooLarge, `a packet of ${size} bytes is larger than the limit of ${limit}`)
}
