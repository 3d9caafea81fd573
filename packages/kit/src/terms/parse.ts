import { Scanner } from './scanner.ts'
import { type Term, TermError } from './term.ts'

/** Deeper nesting is refused, so that no file can exhaust the stack. */
const DEEPEST = 100

const anyTerm = 'an atom, number, "string", <<"binary">>, [list] or {tuple}'

/**
 * Reads a sequence of Erlang terms, each ended by a full stop, as `file:consult/1` does: acl.conf, loaded_plugins.
 * @param file name for error texts
 * @throws TermError
 */
export function parseTerms(text: string, file: string): Term[] {
  const scanner = new Scanner(text, file)
  const terms: Term[] = []
  for (;;) {
    scanner.skipBlanks()
    if (scanner.peek() === '') return terms
    terms.push(readTerm(scanner, 0))
    readFullStop(scanner)
  }
}

/**
 * Reads a file that holds exactly one term: NAME.config.
 * @throws TermError
 */
export function parseTerm(text: string, file: string): Term {
  const scanner = new Scanner(text, file)
  scanner.skipBlanks()
  const term = readTerm(scanner, 0)
  readFullStop(scanner)
  scanner.skipBlanks()
  if (scanner.peek() !== '') scanner.fail('nothing after the one term of this file')
  return term
}

/** A full stop counts only before a blank, a comment or the end: `1.5` is a number. */
function readFullStop(scanner: Scanner): void {
  scanner.skipBlanks()
  if (scanner.take(/\.(?=[\s%]|$)/y) === undefined) scanner.fail('"." after the term')
}

function readTerm(scanner: Scanner, depth: number): Term {
  scanner.skipBlanks()
  const place = scanner.place()
  if (depth > DEEPEST) throw new TermError(scanner.file, place, `at most ${DEEPEST} levels of nesting`, 'more')
  const character = scanner.peek()
  if (character === '{') return { type: 'tuple', elements: readElements(scanner, '}', depth), ...place }
  if (character === '[') return { type: 'list', elements: readElements(scanner, ']', depth), ...place }
  if (character === '"') return { type: 'string', text: readStrings(scanner), ...place }
  if (character === "'") return { type: 'atom', name: scanner.quoted("'"), ...place }
  if (scanner.startsWith('<<')) return { type: 'binary', text: readBinary(scanner), ...place }
  const name = scanner.take(/[a-z][A-Za-z0-9_@]*/y)
  if (name !== undefined) return { type: 'atom', name, ...place }
  return readNumber(scanner, place)
}

function readElements(scanner: Scanner, end: '}' | ']', depth: number): Term[] {
  const elements: Term[] = []
  scanner.index += 1
  scanner.skipBlanks()
  if (scanner.peek() === end) {
    scanner.index += 1
    return elements
  }
  for (;;) {
    elements.push(readTerm(scanner, depth + 1))
    scanner.skipBlanks()
    if (scanner.peek() === end) {
      scanner.index += 1
      return elements
    }
    if (scanner.peek() !== ',') scanner.fail(`"," or "${end}"`)
    scanner.index += 1
  }
}

/** Adjacent strings are one string. */
function readStrings(scanner: Scanner): string {
  let text = ''
  while (scanner.peek() === '"') {
    text += scanner.quoted('"')
    scanner.skipBlanks()
  }
  return text
}

function readBinary(scanner: Scanner): string {
  scanner.index += 2
  scanner.skipBlanks()
  const text = scanner.peek() === '"' ? readStrings(scanner) : ''
  scanner.take(/\/utf8\b/y)
  scanner.skipBlanks()
  if (scanner.take(/>>/y) === undefined) scanner.fail('<<"text">>')
  return text
}

function readNumber(scanner: Scanner, place: { line: number; column: number }): Term {
  const float = scanner.take(/[+-]?\d+\.\d+(?:[eE][+-]?\d+)?(?![\w@#])/y)
  if (float !== undefined) {
    const value = Number(float)
    if (!Number.isFinite(value))
      throw new TermError(scanner.file, place, 'a number that fits 64 bits', float.slice(0, 30))
    return { type: 'float', value, ...place }
  }
  const based = scanner.take(/[+-]?\d{1,2}#[0-9A-Za-z]+(?![\w@#])/y)
  if (based !== undefined) {
    const [head, digits] = based.split('#')
    const value = readDigits(digits, Math.abs(Number(head)))
    if (value === undefined)
      throw new TermError(scanner.file, place, 'digits of a base from 2 to 36', based.slice(0, 30))
    return { type: 'integer', value: head.startsWith('-') ? -value : value, ...place }
  }
  const integer = scanner.take(/[+-]?\d{1,4096}(?![\w@#])/y)
  if (integer === undefined) scanner.fail(anyTerm)
  return { type: 'integer', value: BigInt(integer.replace('+', '')), ...place }
}

function readDigits(digits: string, base: number): bigint | undefined {
  if (base < 2 || base > 36 || digits.length > 4096) return undefined
  let value = 0n
  for (const digit of digits) {
    const worth = Number.parseInt(digit, 36)
    if (worth >= base) return undefined
    value = value * BigInt(base) + BigInt(worth)
  }
  return value
}
