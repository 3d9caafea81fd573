import { malformed } from './error.ts'
import type { Properties } from './packets.ts'
import { scanProperties } from './property-decode.ts'
import { holderMask, noProperties, type PropertyHolder } from './property-table.ts'
import { decodeString } from './utf8.ts'

/** Reads the fields of one packet. Whatever it returns is a copy. Throws MqttError 0x81 when the packet is too short. */
export class PacketReader {
  readonly buffer: Buffer
  readonly end: number
  position: number

  constructor(buffer: Buffer, start: number, end: number) {
    this.buffer = buffer
    this.position = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  byte(field: string): number {
    if (this.position >= this.end) throw tooShort(field)
    return this.buffer[this.position++]
  }

  uint16(field: string): number {
    const at = this.position
    if (at + 2 > this.end) throw tooShort(field)
    this.position = at + 2
    return (this.buffer[at] << 8) | this.buffer[at + 1]
  }

  variableInteger(field: string): number {
    let value = 0
    let factor = 1
    for (;;) {
      const byte = this.byte(field)
      value += (byte & 0x7f) * factor
      if (byte < 0x80) {
        // [MQTT-1.5.5-1]
        if (byte === 0 && factor > 1) throw malformed(`${field} is not in its shortest form`)
        return value
      }
      factor *= 128
      if (factor > 2097152) throw malformed(`${field} is longer than four bytes`)
    }
  }

  string(field: string): string {
    const start = this.#skipPrefixed(field)
    return decodeString(this.buffer, start, this.position)
  }

  binary(field: string): Buffer {
    const start = this.#skipPrefixed(field)
    // Passwords and wills stay as long as the client: not in the pool, where each would hold 64 KiB.
    const bytes = Buffer.allocUnsafeSlow(this.position - start)
    this.buffer.copy(bytes, 0, start, this.position)
    return bytes
  }

  properties(holder: PropertyHolder): Properties {
    const length = this.variableInteger('the property length')
    if (length === 0) return noProperties
    const start = this.position
    if (start + length > this.end) throw tooShort('the property list')
    this.position = start + length
    const properties: Properties = {}
    scanProperties(this.buffer, start, this.position, holderMask[holder], properties)
    return properties
  }

  /** A packet identifier: not 0. [MQTT-2.2.1-3] [MQTT-2.3.1-1 v3.1.1] */
  packetId(): number {
    const id = this.uint16('the packet identifier')
    if (id === 0) throw malformed('the packet identifier is 0')
    return id
  }

  finish(packet: string): void {
    if (this.position !== this.end) throw malformed(`${packet} has ${this.remaining} bytes too many`)
  }

  #skipPrefixed(field: string): number {
    const start = this.position + 2
    if (start > this.end) throw tooShort(field)
    const end = start + ((this.buffer[start - 2] << 8) | this.buffer[start - 1])
    if (end > this.end) throw tooShort(field)
    this.position = end
    return start
  }
}

function tooShort(field: string) {
  return malformed(`the packet ends within ${field}`)
}
