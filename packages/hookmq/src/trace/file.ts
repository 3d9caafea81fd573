import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'

const defaultMaxBytes = 64 * 1024 * 1024
/** Bytes that may wait for the disk; beyond that lines are dropped and counted. */
const maxWaiting = 4 * 1024 * 1024

/** A file of lines that is never longer than it may be, and that never makes the broker wait. */
export class TraceFile {
  readonly #stream: WriteStream
  readonly #maxBytes: number
  #bytes: number
  #dropped = 0
  #full = false

  private constructor(stream: WriteStream, bytes: number, maxBytes: number) {
    this.#stream = stream
    this.#bytes = bytes
    this.#maxBytes = maxBytes
    // A disk that is full ends the trace, not the broker.
    stream.on('error', () => {
      this.#full = true
    })
  }

  /** Appends, and makes the folder. Only the broker's own user may read what is made. Rejects when the file cannot be opened. */
  static async open(path: string, maxBytes = defaultMaxBytes): Promise<TraceFile> {
    await mkdir(dirname(path), { recursive: true })
    const handle = await open(path, 'a', 0o600)
    const { size } = await handle.stat()
    return new TraceFile(createWriteStream(path, { fd: handle }), size, maxBytes)
  }

  write(line: string): void {
    if (this.#full) return
    if (this.#stream.writableLength > maxWaiting) {
      this.#dropped++
      return
    }
    const lost = this.#dropped === 0 ? '' : `… ${this.#dropped} lines were dropped, the disk is too slow\n`
    this.#dropped = 0
    const text = `${lost}${printable(line)}\n`
    this.#bytes += Buffer.byteLength(text)
    if (this.#bytes > this.#maxBytes) {
      this.#full = true
      this.#stream.write(`… the trace ends here: the file may have ${this.#maxBytes} bytes\n`)
    } else this.#stream.write(text)
  }

  /** Resolves when all is written, or cannot be. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#stream.destroyed) return resolve()
      this.#stream.once('close', resolve)
      this.#stream.end()
    })
  }
}

/** Client ids and topics are strangers' texts: they must not be able to begin a line, or to move a terminal's cursor. */
function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, (unit) => `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
