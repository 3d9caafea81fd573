import { TermError } from './term.ts'

const namedEscapes: Readonly<Record<string, string>> = {
  b: '\b',
  d: '\x7f',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  s: ' ',
  t: '\t',
  v: '\v',
}

/** Walks over a text and knows line and column. */
export class Scanner {
  readonly text: string
  readonly file: string
  index = 0
  private lineStart = 0
  private lineNumber = 1
  private counted = 0

  constructor(text: string, file: string) {
    this.text = text
    this.file = file
  }

  /** The character here; '' at the end. */
  peek(): string {
    return this.text.charAt(this.index)
  }

  startsWith(part: string): boolean {
    return this.text.startsWith(part, this.index)
  }

  /** Line and column of an index that is not before an index asked for earlier. */
  place(index = this.index): { line: number; column: number } {
    for (; this.counted < index; this.counted += 1) {
      if (this.text.charCodeAt(this.counted) === 10) {
        this.lineNumber += 1
        this.lineStart = this.counted + 1
      }
    }
    return { line: this.lineNumber, column: index - this.lineStart + 1 }
  }

  /** Blanks and comments. */
  skipBlanks(): void {
    for (;;) {
      const character = this.peek()
      if (character === '%') {
        const end = this.text.indexOf('\n', this.index)
        this.index = end === -1 ? this.text.length : end + 1
      } else if (character !== '' && (character <= ' ' || character === '\u00a0' || character === '\ufeff')) {
        this.index += 1
      } else return
    }
  }

  /** Takes what a sticky pattern matches here. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.index
    const found = pattern.exec(this.text)?.[0]
    if (found !== undefined) this.index += found.length
    return found
  }

  /** The text between two quotes, escapes resolved; stands on the opening quote. */
  quoted(quote: '"' | "'"): string {
    const start = this.place()
    let text = ''
    this.index += 1
    for (;;) {
      const character = this.peek()
      if (character === '') throw new TermError(this.file, start, `a closing ${quote}`, 'the end of the file')
      if (character === quote) {
        this.index += 1
        return text
      }
      if (character === '\\') text += this.escape()
      else {
        text += character
        this.index += 1
      }
    }
  }

  private escape(): string {
    const place = this.place()
    this.index += 1
    const octal = this.take(/[0-7]{1,3}/y)
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8))
    if (this.startsWith('x')) {
      const hexadecimal = this.take(/x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,6}\})/y)
      const code = Number.parseInt((hexadecimal ?? '').replace(/[x{}]/g, ''), 16)
      if (!(code <= 0x10ffff)) throw new TermError(this.file, place, 'two hexadecimal digits after \\x', this.shown())
      return String.fromCodePoint(code)
    }
    const control = this.take(/\^[@-_]/y)
    if (control !== undefined) return String.fromCharCode(control.charCodeAt(1) & 31)
    const character = String.fromCodePoint(this.text.codePointAt(this.index) ?? 0)
    if (this.peek() === '') throw new TermError(this.file, place, 'a character after \\', 'the end of the file')
    this.index += character.length
    return namedEscapes[character] ?? character
  }

  /** What stands here, for an error text. */
  shown(): string {
    if (this.peek() === '') return 'the end of the file'
    const word = /[A-Za-z0-9_@]+|./suy
    word.lastIndex = this.index
    return JSON.stringify((word.exec(this.text)?.[0] ?? this.peek()).slice(0, 30))
  }

  fail(expected: string): never {
    throw new TermError(this.file, this.place(), expected, this.shown())
  }
}
