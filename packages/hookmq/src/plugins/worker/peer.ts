import type { MessagePort } from 'node:worker_threads'
import { Decoder, Encoder } from './codec.ts'
import { FrameReader } from './reader.ts'
import { FrameWriter } from './writer.ts'

const CALL = 1
const TELL = 2
const RESULT = 3
const FAILED = 4

/** Bytes after which a frame is closed: what is kept of it by whoever keeps a payload stays small. */
const frameBytes = 16 * 1024
/** Frames that are worth a message of their own before the turn of the event loop ends. */
const framesAtOnce = 4

export interface PeerOptions {
  /** Calls that may wait for an answer, and bytes of their arguments. */
  readonly limit: number
  readonly limitBytes: number
  /** Does what the other end asks for. A promise is waited for. */
  readonly run: (target: number, first: unknown, second: unknown) => unknown
  /** Before the records of one message are looked at, and after each call among them. */
  readonly began?: () => void
  readonly ran?: () => void
  /** May write records of its own. */
  readonly beforeFlush?: () => void
  /** Bytes that are decoded get memory of their own, for an end that keeps many small ones. */
  readonly copies?: boolean
  /** After each message of the other end, with the frames that it had. */
  readonly seen?: (frames: number) => void
  /** A call was refused with PeerFull. */
  readonly full?: () => void
  /** A frame that makes no sense. The port is closed then. */
  readonly broken: (error: unknown) => void
}

/** There are more calls in flight than may be. */
class PeerFull extends Error {
  override readonly name = 'PeerFull'
}

/**
 * One of two ends that call each other over a message port. Calls and answers of one turn of the event loop travel together, several of them in one
 * frame of bytes, whose memory changes hands instead of being copied. They arrive in the order in which they were made.
 */
export class Peer {
  readonly #port: MessagePort
  readonly #options: PeerOptions
  readonly #writer = new FrameWriter(2 * frameBytes)
  readonly #encoder = new Encoder(this.#writer)
  readonly #decoder: Decoder
  #frames: Uint8Array<ArrayBuffer>[] = []
  #flushing = false
  /** By slot: who waits for the answer. */
  readonly #resolve: (((value: unknown) => void) | undefined)[] = []
  readonly #reject: (((error: unknown) => void) | undefined)[] = []
  readonly #bytes: number[] = []
  readonly #free: number[] = []
  #inFlight = 0
  #inFlightBytes = 0
  /** Frames sent; wraps as what is counted in shared memory does. */
  #sent = 0
  #closed: Error | undefined
  readonly #flushLater = (): void => {
    this.#flushing = false
    this.flush()
  }

  constructor(port: MessagePort, options: PeerOptions) {
    this.#port = port
    this.#options = options
    this.#decoder = new Decoder(options.copies)
    port.on('message', (frames: readonly Uint8Array[]) => this.#receive(frames))
  }

  /** Calls that have not been answered. */
  get inFlight(): number {
    return this.#inFlight
  }

  get sent(): number {
    return this.#sent
  }

  /** Rejects with what the other end threw, with PeerFull, or with what `close` was given. */
  call(target: number, first?: unknown, second?: unknown): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed)
    const { limit, limitBytes } = this.#options
    if (this.#inFlight >= limit || this.#inFlightBytes >= limitBytes) {
      this.#options.full?.()
      const most = this.#inFlight >= limit ? `${limit} calls` : `${limitBytes} bytes`
      return Promise.reject(new PeerFull(`more than ${most} wait for an answer`))
    }
    const slot = this.#free.pop() ?? this.#bytes.length
    const start = this.#writer.at
    try {
      this.#record(CALL, slot, target, first, second)
    } catch (error) {
      this.#free.push(slot)
      this.#bytes[slot] ??= 0
      return Promise.reject(error)
    }
    const bytes = this.#writer.at - start
    this.#bytes[slot] = bytes
    this.#inFlight++
    this.#inFlightBytes += bytes
    this.#written()
    return new Promise((resolve, reject) => {
      this.#resolve[slot] = resolve
      this.#reject[slot] = reject
    })
  }

  /** Nobody waits for it. Throws a TypeError for what cannot be sent. */
  tell(target: number, first?: unknown, second?: unknown): void {
    if (this.#closed !== undefined) return
    this.#record(TELL, 0, target, first, second)
    this.#written()
  }

  /** Sends what has been written so far. */
  flush(): void {
    this.#options.beforeFlush?.()
    this.#cut()
    if (this.#frames.length === 0 || this.#closed !== undefined) return
    const frames = this.#frames
    this.#frames = []
    this.#sent = (this.#sent + frames.length) | 0
    this.#port.postMessage(
      frames,
      frames.map(({ buffer }) => buffer),
    )
  }

  /** Ends it: whoever waits gets the error. */
  close(error: Error): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    this.#frames = []
    this.#port.close()
    for (let slot = 0; slot < this.#reject.length; slot++) this.#reject[slot]?.(error)
    this.#resolve.length = 0
    this.#reject.length = 0
    this.#inFlight = 0
    this.#inFlightBytes = 0
  }

  #record(type: number, slot: number, target: number, first: unknown, second: unknown): void {
    const writer = this.#writer
    const start = writer.at
    try {
      writer.byte(type)
      writer.uint32(slot)
      writer.uint32(target)
      this.#encoder.begin()
      this.#encoder.value(first)
      this.#encoder.value(second)
    } catch (error) {
      writer.at = start
      this.#encoder.abandon()
      throw error
    }
  }

  #answer(type: number, slot: number, value: unknown): void {
    if (this.#closed !== undefined) return
    const writer = this.#writer
    const start = writer.at
    try {
      writer.byte(type)
      writer.uint32(slot)
      this.#encoder.begin()
      this.#encoder.value(value)
    } catch (error) {
      writer.at = start
      this.#encoder.abandon()
      if (type === RESULT) return this.#answer(FAILED, slot, error)
      return this.#answer(FAILED, slot, new Error('an error that cannot be sent'))
    }
    this.#written()
  }

  #written(): void {
    if (this.#writer.at >= frameBytes) {
      this.#cut()
      if (this.#frames.length >= framesAtOnce) this.flush()
    }
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(this.#flushLater)
  }

  #cut(): void {
    if (this.#writer.at > 0) this.#frames.push(this.#writer.take())
  }

  #receive(frames: readonly Uint8Array[]): void {
    this.#options.began?.()
    try {
      for (const frame of frames) {
        const reader = new FrameReader(frame)
        while (!reader.done && this.#closed === undefined) this.#read(reader)
      }
    } catch (error) {
      this.#options.broken(error)
    }
    this.#options.seen?.(frames.length)
  }

  #read(reader: FrameReader): void {
    const type = reader.byte()
    const slot = reader.uint32()
    if (type === RESULT || type === FAILED) {
      this.#settle(type, slot, this.#decoder.value(reader))
      return
    }
    const target = reader.uint32()
    const first = this.#decoder.value(reader)
    const second = this.#decoder.value(reader)
    let result: unknown
    try {
      result = this.#options.run(target, first, second)
    } catch (error) {
      if (type === CALL) this.#answer(FAILED, slot, error)
      return
    }
    if (isThenable(result)) {
      result.then(
        (value) => {
          if (type === CALL) this.#answer(RESULT, slot, value)
        },
        (error) => {
          if (type === CALL) this.#answer(FAILED, slot, error)
        },
      )
    } else if (type === CALL) this.#answer(RESULT, slot, result)
    this.#options.ran?.()
  }

  #settle(type: number, slot: number, value: unknown): void {
    const settle = (type === RESULT ? this.#resolve : this.#reject)[slot]
    if (settle === undefined) return
    this.#resolve[slot] = undefined
    this.#reject[slot] = undefined
    this.#free.push(slot)
    this.#inFlight--
    this.#inFlightBytes -= this.#bytes[slot]
    settle(value)
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
