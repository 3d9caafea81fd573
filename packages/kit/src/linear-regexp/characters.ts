import type { CharacterSet } from './syntax.ts'

type Ranges = readonly (readonly [from: number, to: number])[]

const highest = 0x10ffff
const code = (text: string): number => text.codePointAt(0) ?? 0
const range = (from: string, to: string): readonly [number, number] => [code(from), code(to)]

const digits: Ranges = [range('0', '9')]
const letters: Ranges = [range('a', 'z'), range('A', 'Z')]
const word: Ranges = [...letters, ...digits, range('_', '_')]
const space: Ranges = [range('\t', '\r'), range(' ', ' ')]

export const anyButNewline: CharacterSet = { ranges: [range('\n', '\n')], negated: true }

/** `\d \w \s`; the capital letters are their opposites. */
export function classOfEscape(letter: string): CharacterSet | undefined {
  const ranges = { d: digits, w: word, s: space }[letter.toLowerCase()]
  return ranges === undefined ? undefined : { ranges, negated: letter !== letter.toLowerCase() }
}

const named: Readonly<Record<string, Ranges>> = {
  alnum: [...letters, ...digits],
  alpha: letters,
  digit: digits,
  lower: [range('a', 'z')],
  upper: [range('A', 'Z')],
  space,
  blank: [range('\t', '\t'), range(' ', ' ')],
  punct: [range('!', '/'), range(':', '@'), range('[', '`'), range('{', '~')],
  xdigit: [...digits, range('a', 'f'), range('A', 'F')],
  word,
}

/** `[:alpha:]` and its like, as they stand inside a class. */
export function classOfName(name: string): CharacterSet | undefined {
  return Object.hasOwn(named, name) ? { ranges: named[name], negated: false } : undefined
}

export function inverted({ ranges, negated }: CharacterSet): Ranges {
  if (!negated) return ranges
  const sorted = [...ranges].sort((one, other) => one[0] - other[0])
  const gaps: (readonly [number, number])[] = []
  let next = 0
  for (const [from, to] of sorted) {
    if (from > next) gaps.push([next, from - 1])
    next = Math.max(next, to + 1)
  }
  if (next <= highest) gaps.push([next, highest])
  return gaps
}

/** With both cases of the letters in it. Only ASCII has cases here, as in PCRE without its Unicode mode. */
export function withoutCase({ ranges, negated }: CharacterSet): CharacterSet {
  const more: (readonly [number, number])[] = [...ranges]
  for (const [from, to] of ranges) {
    for (const [low, high, shift] of [
      [code('a'), code('z'), -32],
      [code('A'), code('Z'), 32],
    ] as const) {
      const first = Math.max(from, low)
      const last = Math.min(to, high)
      if (first <= last) more.push([first + shift, last + shift])
    }
  }
  return { ranges: more, negated }
}

export function isWord(codePoint: number): boolean {
  return word.some(([from, to]) => codePoint >= from && codePoint <= to)
}
