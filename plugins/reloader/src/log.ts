import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Bytes; then the file becomes FILE.1, and the one before that goes. */
const largest = 1024 * 1024

/** One line for each reload. A file that cannot be written is told once, and nothing stops for it. */
export class ReloadLog {
  readonly #file: string
  readonly #failed: (problem: string) => void
  #broken = false
  #writing: Promise<void> = Promise.resolve()

  constructor(file: string, failed: (problem: string) => void) {
    this.#file = file
    this.#failed = failed
  }

  /** Never rejects. Lines keep their order. */
  write(time: Date, line: string): Promise<void> {
    this.#writing = this.#writing.then(() => this.#append(`${time.toISOString()} ${line}\n`))
    return this.#writing
  }

  /** Resolves when all lines so far are in the file. */
  written(): Promise<void> {
    return this.#writing
  }

  async #append(text: string): Promise<void> {
    try {
      await mkdir(dirname(this.#file), { recursive: true })
      const size = await stat(this.#file).then(
        (stats) => stats.size,
        () => 0,
      )
      if (size + text.length > largest) await rename(this.#file, `${this.#file}.1`)
      await appendFile(this.#file, text)
      this.#broken = false
    } catch (error) {
      if (!this.#broken) this.#failed(error instanceof Error ? error.message : String(error))
      this.#broken = true
    }
  }
}
