import { splitKey } from '@hookmq/kit'
import { ConfigError } from './error.ts'

/** One `key = value` line. */
export interface Setting {
  /** The words between the dots. */
  readonly words: readonly string[]
  /** The words joined again; a dot inside a word is written `\.`. */
  readonly key: string
  /** Without blanks around it; '' means: not set. */
  readonly value: string
  readonly file: string
  /** From 1. */
  readonly line: number
}

/** Finds the files of an `include`: their names for error texts and what is in them. */
export type ReadIncluded = (pattern: string, from: string) => readonly { file: string; text: string }[]

const word = String.raw`(?:[A-Za-z0-9_@/:$-]|\\\.)+`
const keyPattern = new RegExp(`^${word}(?:\\.${word})*$`)

/** Files that include each other deeper than this include themselves. */
const DEEPEST = 16

/**
 * Reads `key = value` lines in order. Comments begin with `#` (or `%%`) at the start of a line; a `#` later on belongs to
 * the value. `include FILE` reads the lines of another file in its place. The same key may come again: the last counts,
 * which is the reader's of the list to apply.
 * @param file name for error texts
 * @param readIncluded without it an include is an error
 * @throws ConfigError
 */
export function parseConf(text: string, file: string, readIncluded?: ReadIncluded): Setting[] {
  const settings: Setting[] = []
  readLines(text, file, readIncluded, settings, 0)
  return settings
}

function readLines(
  text: string,
  file: string,
  readIncluded: ReadIncluded | undefined,
  settings: Setting[],
  depth: number,
): void {
  let line = 0
  for (const raw of text.replace(/^\ufeff/, '').split('\n')) {
    line += 1
    const content = raw.trim()
    // {{…}} is what a template leaves for its installer to fill in.
    if (content === '' || content.startsWith('#') || content.startsWith('%%') || content.startsWith('{{')) continue
    const origin = { kind: 'file', file, line } as const
    const included = /^include\s+(?!=)(.+)$/.exec(content)?.[1]
    if (included !== undefined) {
      if (depth === DEEPEST) throw new ConfigError(origin, undefined, `include ${included}: files include each other`)
      if (readIncluded === undefined) throw new ConfigError(origin, undefined, `include ${included}: not possible here`)
      let found: readonly { file: string; text: string }[]
      try {
        found = readIncluded(included, file)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        throw new ConfigError(origin, undefined, `include ${included}: ${reason}`, 'a file that can be read')
      }
      for (const part of found) readLines(part.text, part.file, readIncluded, settings, depth + 1)
      continue
    }
    const split = content.indexOf('=')
    const key = (split === -1 ? content : content.slice(0, split)).trim()
    if (split === -1)
      throw new ConfigError(origin, undefined, `expected key = value, got ${quote(content)}`, 'key = value')
    if (!keyPattern.test(key)) {
      const expected = 'a key of words with dots between them'
      throw new ConfigError(origin, undefined, `expected ${expected} before the "=", got ${quote(key)}`, expected)
    }
    settings.push({ words: splitKey(key), key, value: content.slice(split + 1).trim(), file, line })
  }
}

/** A text for an error message: on one line, and not endless. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)
}
