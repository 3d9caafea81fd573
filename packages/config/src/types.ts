import { isAbsolute, resolve } from 'node:path'
import {
  type HostAndPort,
  type Rate,
  readByteSize,
  readDuration,
  readFlag,
  readHostAndPort,
  readInteger,
  readPort,
  readRate,
} from '@hookmq/kit'

/** How the text of a key becomes a value. */
export interface ValueType<T> {
  /** Name in the reference, such as 'duration'. */
  readonly name: string
  /** What a right text looks like; completes "expected …". */
  readonly expected: string
  /** @returns undefined when the text is not of this type */
  read(text: string, context: ReadContext): T | undefined
  /** true: the value must not be shown. */
  readonly secret?: boolean
}

interface ReadContext {
  /** Folder that relative paths of this setting are in. */
  readonly folder: string
}

interface Range {
  readonly min?: number
  readonly max?: number
}

/** Node's timers cannot wait longer, and would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

export function integer(range: Range = {}): ValueType<number> {
  return {
    name: 'integer',
    expected: `an integer${rangeText(range)}`,
    read: (text) => within(range, readInteger(text)),
  }
}

/** An integer from 0, where 0 and `infinity` mean no limit. */
export const limit: ValueType<number> = {
  name: 'integer',
  expected: 'an integer from 0 (no limit)',
  read: (text) => (text === 'infinity' ? 0 : within({ min: 0 }, readInteger(text))),
}

export const number = (range: Range): ValueType<number> => ({
  name: 'number',
  expected: `a number${rangeText(range)}`,
  read: (text) => (/^\d+(\.\d+)?$/.test(text) ? within(range, Number(text)) : undefined),
})

export const flag: ValueType<boolean> = { name: 'flag', expected: 'on, off, true or false', read: readFlag }

/** A duration for a timer, in milliseconds. `bare`: 2.x wrote this key in seconds without a unit. */
export const timer = (options: { min?: number; bareSeconds?: boolean } = {}): ValueType<number> => ({
  name: 'duration',
  expected: `a duration such as 30s or 1h30m${(options.min ?? 0) > 0 ? ' (not 0)' : ''} of at most 24d`,
  read: (text) => {
    const bare = options.bareSeconds === true && /^\d+$/.test(text)
    return within(
      { min: options.min ?? 0, max: LONGEST_TIMER },
      bare ? readDuration(text, 1000, true) : readDuration(text),
    )
  },
})

/** A duration in seconds; a bare number is seconds too. */
export const seconds = (max: number): ValueType<number> => ({
  name: 'duration in seconds',
  expected: `a duration such as 30s or 2h, or a number of seconds${max === 0xffffffff ? ', or infinity' : ` up to ${max}`}`,
  read: (text) => {
    if (text === 'infinity' && max === 0xffffffff) return max
    const value = readDuration(text, 1000, true)
    return value === undefined ? undefined : within({ max }, value / 1000)
  },
})

export const byteSize = (range: Range = {}): ValueType<number> => ({
  name: 'byte size',
  expected: `bytes such as 512, 64KB or 1MB${range.max === undefined ? '' : ','}${rangeText(range)}`,
  read: (text) => within(range, readByteSize(text)),
})

/** A port alone listens on this machine only. */
export const listenAddress: ValueType<HostAndPort> = {
  name: 'listener',
  expected: 'port or ip:port',
  read: (text) => {
    const port = readPort(text)
    if (port !== undefined) return { host: '127.0.0.1', port }
    return readHostAndPort(text.replace(/^localhost:/, '127.0.0.1:'))
  },
}

export const messageRate: ValueType<Rate> = {
  name: 'rate',
  expected: 'COUNT,DURATION such as 100,10s, or COUNT/s',
  read: (text) => readRate(text),
}

export const byteRate: ValueType<Rate> = {
  name: 'rate of bytes',
  expected: 'BYTES,DURATION such as 100KB,10s, or BYTES/s',
  read: (text) => readRate(text, readByteSize),
}

/** Words that stand for values; words whose value another word has too are accepted, and not listed. */
export function oneOf<const T>(
  words: Readonly<Record<string, T>>,
  alsoAccepted: Readonly<Record<string, T>> = {},
): ValueType<T> {
  const names = Object.keys(words)
  return {
    name: names.join(' \\| '),
    expected: names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`,
    read: (text) => {
      if (Object.hasOwn(words, text)) return words[text]
      return Object.hasOwn(alsoAccepted, text) ? alsoAccepted[text] : undefined
    },
  }
}

export const string: ValueType<string> = { name: 'string', expected: 'text', read: (text) => text }

export const secret: ValueType<string> = { ...string, secret: true }

export const stringList: ValueType<readonly string[]> = {
  name: 'list',
  expected: 'words with commas between them',
  read: (text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
}

/** A file or folder; the value is absolute. */
export const path: ValueType<string> = {
  name: 'path',
  expected: 'a path',
  read: (text, context) => (text.includes('\0') ? undefined : isAbsolute(text) ? text : resolve(context.folder, text)),
}

export const matching = (name: string, pattern: RegExp, expected: string): ValueType<string> => ({
  name,
  expected,
  read: (text) => (pattern.test(text) ? text : undefined),
})

function within(range: Range, value: number | undefined): number | undefined {
  if (value === undefined || value < (range.min ?? 0) || value > (range.max ?? Number.MAX_SAFE_INTEGER))
    return undefined
  return value
}

function rangeText({ min, max }: Range): string {
  if (max !== undefined) return ` from ${min ?? 0} to ${max}`
  return min === undefined ? '' : ` from ${min}`
}
