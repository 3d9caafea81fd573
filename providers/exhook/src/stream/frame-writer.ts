/** Longest string that is written character by character: for longer ones the call into C++ is worth it. */
const shortString = 48

/**
 * Writes protobuf into a buffer that grows, front to back: the length of a message is written when its end is known, into room that
 * was left for it.
 */
export class FrameWriter {
  readonly #room: number
  #buffer: Buffer
  #length: number

  /** `room`: bytes that are left free at the front of what is taken. */
  constructor(capacity = 16_384, room = 0) {
    this.#room = room
    this.#length = room
    this.#buffer = Buffer.allocUnsafeSlow(capacity)
  }

  get length(): number {
    return this.#length - this.#room
  }

  /** Where the next byte goes in what `room` gave. */
  get position(): number {
    return this.#length
  }

  set position(position: number) {
    this.#length = position
  }

  /** For who writes many small fields at once: the buffer, with so many bytes free from `position` on. */
  room(bytes: number): Buffer {
    this.#reserve(bytes)
    return this.#buffer
  }

  /** What was written; the writer begins again with a buffer of its own. */
  take(): Buffer {
    const buffer = this.#buffer
    const length = this.#length
    this.#length = this.#room
    // Little is copied, so that the large buffer stays; much is handed out as it is.
    if (length * 4 < buffer.length) return Buffer.from(buffer.subarray(0, length))
    this.#buffer = Buffer.allocUnsafeSlow(buffer.length)
    return buffer.subarray(0, length)
  }

  varint(value: number): void {
    this.#reserve(10)
    this.#length = putVarint(this.#buffer, this.#length, value)
  }

  fixed32(value: number): void {
    this.#reserve(4)
    const buffer = this.#buffer
    const at = this.#length
    buffer[at] = value
    buffer[at + 1] = value >>> 8
    buffer[at + 2] = value >>> 16
    buffer[at + 3] = value >>> 24
    this.#length = at + 4
  }

  /** Bytes without a tag. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** A field of bytes; nothing when there are none, as proto3 has it. */
  bytes(tag: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return
    this.varint(tag)
    this.varint(bytes.length)
    this.raw(bytes)
  }

  /** A field of text; nothing for ''. */
  string(tag: number, text: string): void {
    if (text !== '') this.present(tag, text)
  }

  /** A field of text, also when it is empty: the parts of a map's entry. */
  present(tag: number, text: string): void {
    this.varint(tag)
    this.#reserve(mostBytes(text))
    this.#length = putText(this.#buffer, this.#length, text)
  }

  /**
   * Begins a message inside. `expected`: about how many bytes it will have. Returns what `end` must be given.
   */
  begin(tag: number, expected: number): number {
    this.varint(tag)
    const room = varintSize(expected)
    this.#reserve(room)
    const mark = this.#length * 8 + room
    this.#length += room
    return mark
  }

  end(mark: number): void {
    const room = mark % 8
    const at = (mark - room) / 8
    const start = at + room
    const size = this.#length - start
    const needed = varintSize(size)
    if (needed !== room) {
      this.#reserve(needed)
      this.#buffer.copyWithin(at + needed, start, this.#length)
    }
    this.#length = at
    this.varint(size)
    this.#length = at + needed + size
  }

  /** Forgets what was written after it had this length. */
  cut(length: number): void {
    this.#length = this.#room + length
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes
    if (needed <= this.#buffer.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, needed))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}

export function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) size++
  return size
}

/** Returns where it ends. */
export function putVarint(buffer: Uint8Array, start: number, value: number): number {
  let at = start
  let rest = value
  while (rest >= 0x80) {
    buffer[at++] = (rest & 0x7f) | 0x80
    rest = rest < 0x80000000 ? rest >>> 7 : Math.floor(rest / 128)
  }
  buffer[at++] = rest
  return at
}

/** Length and bytes of a text, into room for `mostBytes` of it. Returns where it ends. */
export function putText(buffer: Buffer, start: number, text: string): number {
  const { length } = text
  if (length <= shortString) {
    const first = start + 1
    let index = 0
    for (; index < length; index++) {
      const character = text.charCodeAt(index)
      if (character >= 0x80) break
      buffer[first + index] = character
    }
    if (index === length) {
      buffer[start] = length
      return first + length
    }
  }
  const at = putVarint(buffer, start, Buffer.byteLength(text))
  return at + buffer.write(text, at)
}

/** What a text takes at most, with its length. */
export function mostBytes(text: string): number {
  return 10 + 3 * text.length
}
