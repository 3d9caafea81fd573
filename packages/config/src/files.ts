import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import type { ReadIncluded } from './conf.ts'
import { ConfigError } from './error.ts'

/** A name for people: from the current folder when the file is in it. */
export function shown(file: string): string {
  const name = relative('.', file)
  return name === '' || name.startsWith('..') ? file : name
}

export function readFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(
      { kind: 'default' },
      undefined,
      `${shown(file)}: cannot be read (${reasonOf(error)})`,
      'a file',
    )
  }
}

/** A name may have `*` in its last part: `etc/conf.d/*.conf`. */
export const readIncluded: ReadIncluded = (pattern, from) => {
  const path = join(dirname(from), pattern)
  const wanted = resolve(dirname(from), pattern)
  if (!pattern.includes('*')) return [{ file: path, text: contentOf(wanted) }]
  const parts = basename(pattern).split('*')
  const fits = new RegExp(`^${parts.map((part) => part.replace(/[^\w]/g, '\\$&')).join('.*')}$`)
  return readdirSync(dirname(wanted))
    .filter((name) => fits.test(name))
    .sort()
    .map((name) => ({ file: join(dirname(path), name), text: contentOf(join(dirname(wanted), name)) }))
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Error(`cannot be read (${reasonOf(error)})`)
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return 'no such file'
  if (code === 'EACCES') return 'no permission'
  if (code === 'EISDIR') return 'it is a folder'
  return code === '' ? String(error) : code
}
