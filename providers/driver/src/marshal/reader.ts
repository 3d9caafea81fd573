import { CodePoints, Float, Opaque, Tuple, type Value } from '../value.ts'

/** Nobody sends deeper values; a body that claims to is broken. */
const deepest = 64

/** Reads what `marshal.dumps(value, 2)` wrote: bytes as Uint8Array, str as CodePoints, int as number or bigint. */
export class MarshalReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length
  }

  value(depth = 0): Value {
    if (depth > deepest) throw new Error('values are nested too deep')
    const type = this.#take(1)
    switch (this.#bytes[type]) {
      case 0x4e:
        return undefined
      case 0x54:
        return true
      case 0x46:
        return false
      case 0x69:
        return this.#bytes.readInt32LE(this.#take(4))
      case 0x6c:
        return this.#long()
      case 0x67:
        return new Float(this.#bytes.readDoubleLE(this.#take(8)))
      case 0x73: {
        const start = this.#sized()
        return Buffer.from(this.#bytes.subarray(start, this.#at))
      }
      case 0x75:
      case 0x74: {
        const start = this.#sized()
        return new CodePoints(this.#bytes.toString('utf8', start, this.#at))
      }
      case 0x28:
        return new Tuple(...this.#sequence(depth))
      case 0x5b:
        return this.#sequence(depth)
      case 0x2e:
        return new Opaque('Ellipsis')
      default:
        throw new Error(`unknown type 0x${this.#bytes[type].toString(16)} at byte ${type}`)
    }
  }

  #sequence(depth: number): Value[] {
    const length = this.#bytes.readInt32LE(this.#take(4))
    // Each element has a byte at least.
    if (length < 0 || length > this.#bytes.length - this.#at) throw new Error(`a sequence of ${length} does not fit`)
    const values: Value[] = []
    for (let index = 0; index < length; index++) values.push(this.value(depth + 1))
    return values
  }

  #long(): number | bigint {
    const count = this.#bytes.readInt32LE(this.#take(4))
    const digits = Math.abs(count)
    let at = this.#take(digits * 2)
    let value = 0n
    for (let index = 0; index < digits; index++, at += 2)
      value |= BigInt(this.#bytes.readUInt16LE(at)) << BigInt(15 * index)
    if (count < 0) value = -value
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }

  #sized(): number {
    const length = this.#bytes.readInt32LE(this.#take(4))
    if (length < 0) throw new Error(`negative length ${length}`)
    return this.#take(length)
  }

  #take(count: number): number {
    const at = this.#at
    if (count > this.#bytes.length - at) throw new Error(`ends at byte ${this.#bytes.length} in the middle of a value`)
    this.#at = at + count
    return at
  }
}
