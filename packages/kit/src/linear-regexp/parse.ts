import { anyButNewline, classOfEscape, classOfName, inverted, withoutCase } from './characters.ts'
import { type CharacterSet, type Node, PatternError } from './syntax.ts'

/** Groups within groups; deeper ones would be parsed by deeper recursion. */
const deepest = 100

export interface Parsed {
  readonly node: Node
  /** Capturing groups. */
  readonly groups: number
}

/** Reads a pattern in the syntax of PCRE, as far as it can be matched in linear time. Throws PatternError. */
export function parse(pattern: string): Parsed {
  return new Parser(pattern).parse()
}

class Parser {
  readonly #pattern: string
  readonly #text: readonly string[]
  #at = 0
  #groups = 0
  #depth = 0
  #ignoreCase = false

  constructor(pattern: string) {
    this.#pattern = pattern
    this.#text = [...pattern]
  }

  parse(): Parsed {
    if (this.#takes('(?i)')) this.#ignoreCase = true
    const node = this.#choice()
    if (this.#at < this.#text.length) throw this.#error("')' without '('")
    return { node, groups: this.#groups }
  }

  #choice(): Node {
    const items = [this.#sequence()]
    while (this.#takes('|')) items.push(this.#sequence())
    return items.length === 1 ? items[0] : { type: 'choice', items }
  }

  #sequence(): Node {
    const items: Node[] = []
    while (this.#at < this.#text.length && this.#peek !== '|' && this.#peek !== ')') {
      items.push(this.#repeated(this.#atom()))
    }
    if (items.length === 0) return { type: 'empty' }
    return items.length === 1 ? items[0] : { type: 'sequence', items }
  }

  #repeated(body: Node): Node {
    const start = this.#at
    const bounds = this.#bounds()
    if (bounds === undefined) return body
    const [minimum, maximum] = bounds
    const greedy = !this.#takes('?')
    if (greedy && this.#peek === '+') throw this.#error('possessive repetition is not supported')
    if (this.#at > start && (this.#peek === '*' || this.#peek === '?' || this.#peek === '+' || this.#atBounds())) {
      throw this.#error('a repetition of a repetition; put the inner one into (?:…)')
    }
    return { type: 'repeat', body, minimum, maximum, greedy }
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#takes('*')) return [0, Number.POSITIVE_INFINITY]
    if (this.#takes('+')) return [1, Number.POSITIVE_INFINITY]
    if (this.#takes('?')) return [0, 1]
    if (!this.#atBounds()) return undefined
    const start = this.#at
    const end = this.#text.indexOf('}', start)
    const [minimum, maximum = minimum] = this.#text
      .slice(start + 1, end)
      .join('')
      .split(',')
    const bounds = [Number(minimum), maximum === '' ? Number.POSITIVE_INFINITY : Number(maximum)] as const
    if (bounds[0] > bounds[1]) throw this.#error('the numbers of {n,m} are out of order')
    this.#at = end + 1
    return bounds
  }

  /** `{` that does not begin a repetition is an ordinary character, as in PCRE. */
  #atBounds(): boolean {
    return this.#peek === '{' && /^\{\d{1,5}(,\d{0,5})?\}/.test(this.#text.slice(this.#at, this.#at + 13).join(''))
  }

  #atom(): Node {
    const character = this.#peek
    if (character === '(') return this.#group()
    if (character === '[') return { type: 'set', set: this.#class() }
    if (character === '*' || character === '+' || character === '?')
      throw this.#error(`nothing to repeat before '${character}'`)
    this.#at++
    switch (character) {
      case '^':
        return { type: 'assertion', at: 'start' }
      case '$':
        return { type: 'assertion', at: 'end' }
      case '.':
        return { type: 'set', set: anyButNewline }
      case '\\':
        return this.#escapedAtom()
      default:
        return this.#single(character)
    }
  }

  #single(character: string): Node {
    const code = character.codePointAt(0) ?? 0
    return { type: 'set', set: this.#cased({ ranges: [[code, code]], negated: false }) }
  }

  #cased(set: CharacterSet): CharacterSet {
    return this.#ignoreCase ? withoutCase(set) : set
  }

  #group(): Node {
    const start = this.#at
    this.#at++
    if (++this.#depth > deepest) throw this.#error(`groups nested deeper than ${deepest}`)
    let index: number | undefined
    if (this.#takes('?')) {
      if (
        this.#takes('P<') ||
        (this.#peek === '<' && /[A-Za-z_]/.test(this.#text[this.#at + 1] ?? '') && this.#takes('<'))
      ) {
        this.#name()
        index = ++this.#groups
      } else if (!this.#takes(':')) {
        throw this.#error('only (…), (?:…), (?<name>…) and a leading (?i) are supported; no look-around')
      }
    } else index = ++this.#groups
    const body = this.#choice()
    if (!this.#takes(')')) throw this.#error("'(' is never closed", start)
    this.#depth--
    return index === undefined ? body : { type: 'group', index, body }
  }

  #name(): void {
    const end = this.#text.indexOf('>', this.#at)
    if (end === -1 || !/^\w+$/.test(this.#text.slice(this.#at, end).join('')))
      throw this.#error('a group name needs an end: >')
    this.#at = end + 1
  }

  #escapedAtom(): Node {
    const letter = this.#peek
    const set = classOfEscape(letter)
    if (set !== undefined) {
      this.#at++
      return { type: 'set', set }
    }
    const at = ({ b: 'boundary', B: 'inside', A: 'start', z: 'end', Z: 'end' } as const)[letter]
    if (at !== undefined) {
      this.#at++
      return { type: 'assertion', at }
    }
    if (/^[1-9gk]$/.test(letter)) throw this.#error('back-references are not supported', this.#at - 1)
    return this.#single(this.#escapedCharacter())
  }

  /** After the backslash: the character that is meant. */
  #escapedCharacter(): string {
    const letter = this.#peek
    if (letter === '') throw this.#error('a backslash at the end', this.#at - 1)
    this.#at++
    const control = { t: '\t', n: '\n', r: '\r', f: '\f', v: '\v', e: '\x1b', a: '\x07', '0': '\0' }[letter]
    if (control !== undefined) return control
    if (letter === 'x') return this.#hexadecimal()
    if (/^[A-Za-z0-9]$/.test(letter)) throw this.#error(`\\${letter} is not supported`, this.#at - 2)
    return letter
  }

  #hexadecimal(): string {
    const rest = this.#text.slice(this.#at, this.#at + 8).join('')
    const match = /^(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/.exec(rest)
    const code = match === null ? Number.NaN : Number.parseInt(match[1] ?? match[2], 16)
    if (match === null || code > 0x10ffff) throw this.#error('expected \\xHH or \\x{HHHH}')
    this.#at += match[0].length
    return String.fromCodePoint(code)
  }

  #class(): CharacterSet {
    const start = this.#at
    this.#at++
    const negated = this.#takes('^')
    const ranges: (readonly [number, number])[] = []
    for (let first = true; first || this.#peek !== ']'; first = false) {
      if (this.#at >= this.#text.length) throw this.#error("'[' is never closed", start)
      const from = this.#classItem(ranges)
      if (from === undefined) continue
      if (this.#peek !== '-' || (this.#text[this.#at + 1] ?? ']') === ']') {
        ranges.push([from, from])
        continue
      }
      this.#at++
      const to = this.#classItem(ranges)
      if (to === undefined) throw this.#error('a range must end with one character')
      if (to < from) throw this.#error('a range is out of order')
      ranges.push([from, to])
    }
    this.#at++
    return this.#cased({ ranges, negated })
  }

  /** One character of a class; or a class in it, which is added to `ranges`. */
  #classItem(ranges: (readonly [number, number])[]): number | undefined {
    const character = this.#peek
    if (character === '[' && this.#text[this.#at + 1] === ':') {
      const name = /^\[:(\w+):\]/.exec(this.#text.slice(this.#at, this.#at + 12).join(''))
      const set = name === null ? undefined : classOfName(name[1])
      if (name !== null && set === undefined) throw this.#error(`there is no class ${name[0]}`)
      if (name !== null && set !== undefined) {
        this.#at += name[0].length
        ranges.push(...set.ranges)
        return undefined
      }
    }
    this.#at++
    if (character !== '\\') return character.codePointAt(0)
    const set = classOfEscape(this.#peek)
    if (set !== undefined) {
      this.#at++
      ranges.push(...inverted(set))
      return undefined
    }
    if (this.#takes('b')) return 8
    return this.#escapedCharacter().codePointAt(0)
  }

  get #peek(): string {
    return this.#text[this.#at] ?? ''
  }

  #takes(text: string): boolean {
    if (this.#text.slice(this.#at, this.#at + text.length).join('') !== text) return false
    this.#at += text.length
    return true
  }

  #error(problem: string, index = this.#at): PatternError {
    return new PatternError(this.#pattern, index, problem)
  }
}
