/** What a ProviderFrame says, as it is read. */
export interface ProviderFrameSink {
  hello(version: number, grant: number, maxFrameBytes: number, maxFrameEvents: number): void
  done(first: number, count: number): void
  /** `response`: a ValuedResponse; a view on the frame. */
  verdict(id: number, response: Buffer | undefined, metadata: ReadonlyMap<string, string> | undefined): void
  failed(id: number, code: number, message: string): void
  grant(events: number): void
  closing(): void
}

/** Reads a frame in place. Throws an Error when the bytes are none. */
export function readProviderFrame(frame: Buffer, sink: ProviderFrameSink): void {
  const cursor = new Cursor(frame, 0, frame.length)
  while (cursor.more) {
    const tag = cursor.varint()
    if (tag === 0x12) readRange(cursor.message(), sink)
    else if (tag === 0x1a) readVerdict(cursor.message(), sink)
    else if (tag === 0x20) sink.grant(cursor.varint())
    else if (tag === 0x0a) readHello(cursor.message(), sink)
    else if (tag === 0x28) {
      if (cursor.varint() !== 0) sink.closing()
    } else cursor.skip(tag)
  }
}

function readHello(cursor: Cursor, sink: ProviderFrameSink): void {
  const fields = [0, 0, 0, 0, 0]
  while (cursor.more) {
    const tag = cursor.varint()
    if ((tag & 7) === 0 && tag <= 0x20) fields[tag >>> 3] = cursor.varint()
    else cursor.skip(tag)
  }
  sink.hello(fields[1], fields[2], fields[3], fields[4])
}

function readRange(cursor: Cursor, sink: ProviderFrameSink): void {
  let first = 0
  let count = 0
  while (cursor.more) {
    const tag = cursor.varint()
    if (tag === 0x08) first = cursor.varint()
    else if (tag === 0x10) count = cursor.varint()
    else cursor.skip(tag)
  }
  sink.done(first, count === 0 ? 1 : count)
}

function readVerdict(cursor: Cursor, sink: ProviderFrameSink): void {
  let id = 0
  let response: Buffer | undefined
  let error: Cursor | undefined
  let metadata: Map<string, string> | undefined
  while (cursor.more) {
    const tag = cursor.varint()
    if (tag === 0x08) id = cursor.varint()
    else if (tag === 0x12) response = cursor.bytes()
    else if (tag === 0x1a) error = cursor.message()
    else if (tag === 0x22) {
      metadata ??= new Map()
      const [name, value] = readTexts(cursor.message(), [0x0a, 0x12])
      metadata.set(name, value)
    } else cursor.skip(tag)
  }
  if (error === undefined) return sink.verdict(id, response, metadata)
  let code = 2
  let message = ''
  while (error.more) {
    const tag = error.varint()
    if (tag === 0x08) code = error.varint()
    else if (tag === 0x12) message = error.bytes().toString()
    else error.skip(tag)
  }
  sink.failed(id, code, message)
}

function readTexts(cursor: Cursor, tags: readonly number[]): string[] {
  const texts = tags.map(() => '')
  while (cursor.more) {
    const tag = cursor.varint()
    const index = tags.indexOf(tag)
    if (index === -1) cursor.skip(tag)
    else texts[index] = cursor.bytes().toString()
  }
  return texts
}

class Cursor {
  readonly #buffer: Buffer
  readonly #end: number
  #position: number

  constructor(buffer: Buffer, position: number, end: number) {
    this.#buffer = buffer
    this.#position = position
    this.#end = end
  }

  get more(): boolean {
    return this.#position < this.#end
  }

  varint(): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < 10; count++) {
      if (this.#position >= this.#end) break
      const byte = this.#buffer[this.#position++]
      value += (byte & 0x7f) * factor
      if (byte < 0x80) return value
      factor *= 128
    }
    throw broken()
  }

  bytes(): Buffer {
    const start = this.#forward(this.varint())
    return this.#buffer.subarray(start, this.#position)
  }

  message(): Cursor {
    const start = this.#forward(this.varint())
    return new Cursor(this.#buffer, start, this.#position)
  }

  skip(tag: number): void {
    const wireType = tag & 7
    if (wireType === 0) this.varint()
    else if (wireType === 1) this.#forward(8)
    else if (wireType === 2) this.#forward(this.varint())
    else if (wireType === 5) this.#forward(4)
    else throw broken()
  }

  /** Returns where it was. */
  #forward(bytes: number): number {
    const start = this.#position
    if (bytes > this.#end - start) throw broken()
    this.#position += bytes
    return start
  }
}

function broken(): Error {
  return new Error('the provider sent a frame that is no ProviderFrame')
}
