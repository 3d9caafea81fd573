import type { Transport } from '@hookmq/api'
import { ByteWriter } from '@hookmq/mqtt'

const initialBytes = 4096
/** Past this, what is waiting is written before the turn ends: larger buffers cost more to grow than a write. */
const earlyFlushBytes = 256 * 1024
/** Bytes of buffers kept for the next turn: as many as a burst to a few thousand clients needs. */
const pooledBytesLimit = 16 * 1024 * 1024

/**
 * Collects what goes to all sockets in one turn of the event loop and writes each socket once at its end: a system call
 * per message is what brokers lose most of their time to.
 */
export class FlushScheduler {
  #dirty: Outbox[] = []
  /** The list of the turn before, empty, to be used again. */
  #spare: Outbox[] = []
  readonly #pool: ByteWriter[] = []
  #pooledBytes = 0
  #scheduled = false
  /** Bytes that wait in sockets which do not take them, all connections together. */
  pendingBytes = 0
  /** Milliseconds since the epoch, by the broker's clock. */
  readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  schedule(outbox: Outbox): void {
    this.#dirty.push(outbox)
    if (this.#scheduled) return
    this.#scheduled = true
    // After the poll phase: every socket that had something to read in this turn has been read by then.
    setImmediate(this.#flushAll)
  }

  takeWriter(): ByteWriter {
    const writer = this.#pool.pop()
    if (writer === undefined) return new ByteWriter(initialBytes)
    this.#pooledBytes -= writer.buffer.length
    return writer
  }

  giveBack(writer: ByteWriter): void {
    const size = writer.buffer.length
    if (size > 2 * earlyFlushBytes || this.#pooledBytes + size > pooledBytesLimit) return
    this.#pooledBytes += size
    writer.reset()
    this.#pool.push(writer)
  }

  readonly #flushAll = (): void => {
    this.#scheduled = false
    const dirty = this.#dirty
    // A flush can close a connection, which can make others dirty: those come in the next turn.
    this.#dirty = this.#spare
    for (let index = 0; index < dirty.length; index++) dirty[index].flush()
    dirty.length = 0
    this.#spare = dirty
  }
}

/** What waits to be written to one connection. */
export class Outbox {
  readonly #transport: Transport
  readonly #scheduler: FlushScheduler
  #writer: ByteWriter | undefined
  #dirty = false
  /** Bytes that were in the socket's own buffer after the last write. */
  #buffered = 0
  /** When bytes began to wait in the socket; 0 = none wait. */
  stalledSince = 0
  bytesSent = 0

  constructor(transport: Transport, scheduler: FlushScheduler) {
    this.#transport = transport
    this.#scheduler = scheduler
  }

  /** Bytes that the client has not taken yet. */
  get pending(): number {
    return this.#buffered + (this.#writer?.length ?? 0)
  }

  /** The writer to append to; what is appended leaves at the end of this turn. */
  get writer(): ByteWriter {
    const writer = this.#writer
    if (writer !== undefined) {
      if (writer.length < earlyFlushBytes) return writer
      this.flush()
    }
    if (!this.#dirty) {
      this.#dirty = true
      this.#scheduler.schedule(this)
    }
    this.#writer ??= this.#scheduler.takeWriter()
    return this.#writer
  }

  /** Writes what has been collected. Called by the scheduler, and before closing. */
  flush(): void {
    this.#dirty = false
    const writer = this.#writer
    if (writer === undefined) return
    this.#writer = undefined
    if (writer.length === 0) {
      this.#scheduler.giveBack(writer)
      return
    }
    this.bytesSent += writer.length
    this.#transport.write(writer.buffer.subarray(0, writer.length))
    const buffered = this.#transport.bufferedBytes
    // The kernel took it all: the buffer is ours again.
    if (buffered === 0) this.#scheduler.giveBack(writer)
    this.#setBuffered(buffered)
  }

  /** The socket's buffer is empty again. */
  drained(): void {
    this.#setBuffered(this.#transport.bufferedBytes)
  }

  /** The connection is gone: nothing will be sent any more. */
  close(): void {
    this.#writer = undefined
    this.#setBuffered(0)
  }

  #setBuffered(buffered: number): void {
    this.#scheduler.pendingBytes += buffered - this.#buffered
    if (buffered === 0) this.stalledSince = 0
    // Progress restarts the clock: a slow reader is not a dead one.
    else if (this.stalledSince === 0 || buffered < this.#buffered) this.stalledSince = this.#scheduler.now()
    this.#buffered = buffered
  }
}
