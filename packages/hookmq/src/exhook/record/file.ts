import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { HookmqError, messageOf } from '../../errors.ts'
import {
  type RecordEnd,
  type RecordedEvent,
  type RecordHeader,
  type RecordLine,
  readEvent,
  readHeader,
  unusable,
} from './format.ts'

/** Lines go to a file, or to standard output for `-`. */
export class RecordWriter {
  readonly #file: FileHandle | undefined

  private constructor(file: FileHandle | undefined) {
    this.#file = file
  }

  /** Only this user may read what is made: it has names of clients and topics in it. Rejects with a HookmqError when the file is there already, unless `replace`. */
  static async open(path: string, replace = false): Promise<RecordWriter> {
    if (path === '-') return new RecordWriter(undefined)
    try {
      return new RecordWriter(await open(path, replace ? 'w' : 'wx', 0o600))
    } catch (error) {
      const exists = (error as NodeJS.ErrnoException).code === 'EEXIST'
      throw new HookmqError(
        'USAGE',
        exists ? `${path}: there already; give another name, or --force` : messageOf(error),
      )
    }
  }

  async write(lines: readonly RecordLine[]): Promise<void> {
    if (lines.length === 0) return
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
    if (this.#file !== undefined) await this.#file.appendFile(text)
    else await new Promise<void>((resolve) => process.stdout.write(text, () => resolve()))
  }

  async close(): Promise<void> {
    await this.#file?.close()
  }
}

/** A record that is read from its beginning to its end, one event at a time. */
export class RecordReader {
  readonly header: RecordHeader
  /** The last line, once it has been read; a record that was cut off has none. */
  end: RecordEnd | undefined
  readonly #path: string
  readonly #lines: AsyncIterator<string>

  private constructor(path: string, header: RecordHeader, lines: AsyncIterator<string>) {
    this.#path = path
    this.header = header
    this.#lines = lines
  }

  /** Rejects with a HookmqError. */
  static async open(path: string): Promise<RecordReader> {
    const lines = linesOf(path)
    const first = await lines.next()
    if (first.done === true) throw unusable(path, 'the file is empty')
    return new RecordReader(path, readHeader(first.value, `${path}:1`), lines)
  }

  /** Throws a HookmqError for a line that is none; a last line without an end is one that was cut off. */
  async *events(): AsyncGenerator<RecordedEvent> {
    let number = 1
    let held: string | undefined
    for (;;) {
      const { value, done } = await this.#lines.next()
      if (held !== undefined) {
        const event = this.#read(held, number, done === true)
        if (event === undefined) return
        yield event
      }
      if (done === true) return
      held = value
      number++
    }
  }

  #read(line: string, number: number, last: boolean): RecordedEvent | undefined {
    try {
      const event = readEvent(line, `${this.#path}:${number}`)
      if (!('end' in event)) return event
      this.end = event
      return undefined
    } catch (error) {
      if (last && !line.endsWith('}')) return undefined
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#lines.return?.()
  }
}

async function* linesOf(path: string): AsyncGenerator<string, undefined> {
  const stream = createReadStream(path)
  try {
    yield* createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY })
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    throw new HookmqError('USAGE', missing ? `${path}: there is no such file` : messageOf(error))
  } finally {
    stream.destroy()
  }
  return undefined
}
