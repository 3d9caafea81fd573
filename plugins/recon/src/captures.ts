import { mkdir, open, readdir, rm, writeFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { getHeapSnapshot } from 'node:v8'
import type { CommandResult } from '@hookmq/api'

export interface CapturesInit {
  /** Made when it is needed. */
  readonly folder: string
  readonly maxFiles: number
  /** Bytes of heap in use. */
  readonly maxHeap: number
  /** Milliseconds since the epoch, for names. */
  readonly now: () => number
  /** Rejects when nobody wants the result any more. */
  readonly wait: (milliseconds: number) => Promise<void>
}

/** Only the owner may read them: what the broker knows, such as passwords, is in them. */
const mode = 0o600

/** Writes heap snapshots and CPU profiles, one at a time, never over a file that is there. */
export class Captures {
  readonly #init: CapturesInit
  #running = false

  constructor(init: CapturesInit) {
    this.#init = init
  }

  heapSnapshot(name: string | undefined): Promise<CommandResult> {
    return this.#capture('heap', name, 'heapsnapshot', async (file) => {
      const { heapUsed } = process.memoryUsage()
      const { maxHeap } = this.#init
      if (heapUsed > maxHeap) {
        throw new Error(`${heapUsed} bytes of heap are in use; recon.max_snapshot_heap allows ${maxHeap}`)
      }
      // Opened first: what is there already must not cost a look through the whole heap.
      const target = await open(file, 'wx', mode)
      await pipeline(getHeapSnapshot(), target.createWriteStream())
    })
  }

  cpuProfile(seconds: number, name: string | undefined): Promise<CommandResult> {
    return this.#capture('cpu', name, 'cpuprofile', async (file) => {
      const session = new Session()
      session.connect()
      try {
        // Taken now, so that nobody waits for a profile that cannot be written.
        await writeFile(file, '', { flag: 'wx', mode })
        await session.post('Profiler.enable')
        await session.post('Profiler.start')
        await this.#init.wait(seconds * 1000)
        const { profile } = await session.post('Profiler.stop')
        await writeFile(file, JSON.stringify(profile), { mode })
      } finally {
        session.disconnect()
      }
    })
  }

  async #capture(
    kind: string,
    name: string | undefined,
    extension: string,
    write: (file: string) => Promise<void>,
  ): Promise<CommandResult> {
    const { folder, maxFiles, now } = this.#init
    if (name !== undefined && !/^\w[\w.-]{0,99}$/.test(name)) {
      throw new Error(`'${name}' cannot be a name: expected up to 100 letters, digits, '_', '-' and '.', and no folder`)
    }
    if (this.#running) throw new Error('a snapshot or profile is being written already; wait until it is done')
    this.#running = true
    try {
      await mkdir(folder, { recursive: true })
      const files = await readdir(folder)
      if (files.length >= maxFiles) {
        throw new Error(`${folder} has ${files.length} files, recon.max_files allows ${maxFiles}: remove some of them`)
      }
      const stamp = new Date(now()).toISOString().replace(/[-:]|\.\d+/g, '')
      const base = name ?? `${kind}-${stamp}`
      const file = join(folder, base.endsWith(`.${extension}`) ? base : `${base}.${extension}`)
      await this.#write(file, write)
      return { lines: [file], json: { file } }
    } finally {
      this.#running = false
    }
  }

  /** What was begun and failed leaves no half a file. */
  async #write(file: string, write: (file: string) => Promise<void>): Promise<void> {
    try {
      await write(file)
    } catch (error) {
      const exists = error instanceof Error && 'code' in error && error.code === 'EEXIST'
      if (exists) throw new Error(`${file} is there already, and is not overwritten: give another name`)
      await rm(file, { force: true })
      throw error
    }
  }
}
