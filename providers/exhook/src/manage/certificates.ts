import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SettingTexts } from '../settings.ts'

const kinds = ['cacertfile', 'certfile', 'keyfile'] as const
const ownFile = /^(?:cacertfile|certfile|keyfile)-[0-9a-f]{16}\.pem$/

/** Certificates and keys that were given as text: each server has a folder of its own, which nobody else can read. */
export class Certificates {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The same keys with paths in the place of PEM texts, which are on the disk then. */
  async store(server: string, texts: SettingTexts): Promise<SettingTexts> {
    const stored: Record<string, string> = { ...texts }
    for (const kind of kinds) {
      const text = texts[`ssl.${kind}`]
      if (text === undefined || !text.includes('-----BEGIN ')) continue
      const folder = join(this.#folder, server)
      const path = join(folder, `${kind}-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.pem`)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await writeFile(path, text, { mode: 0o600 })
      stored[`ssl.${kind}`] = path
    }
    return stored
  }

  /** Removes the files of a server that its keys do not name; of one without keys: all. */
  async clean(server: string, texts: SettingTexts | undefined): Promise<void> {
    const folder = join(this.#folder, server)
    const used = new Set(Object.values(texts ?? {}))
    const files = await filesOf(folder)
    const left = files.filter((file) => !ownFile.test(file) || used.has(join(folder, file)))
    for (const file of files) if (!left.includes(file)) await rm(join(folder, file), { force: true })
    if (files.length > 0 && left.length === 0) await rm(folder, { recursive: true, force: true })
  }

  /** What a program that was killed has left behind. */
  async cleanAll(servers: ReadonlyMap<string, SettingTexts>): Promise<void> {
    for (const server of await filesOf(this.#folder)) await this.clean(server, servers.get(server))
  }
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return []
    throw error
  }
}
