import type { Term } from './term.ts'

/** Words that Erlang takes for its own unless they are quoted. */
const reserved = new Set(
  (
    'after and andalso band begin bnot bor bsl bsr bxor case catch cond div else end fun if let maybe not of or orelse ' +
    'receive rem try when xor'
  ).split(' '),
)

/** A term as Erlang writes it; `parseTerm(printTerm(term) + '.')` gives the same term again. */
export function printTerm(term: Term): string {
  switch (term.type) {
    case 'atom':
      return printAtom(term.name)
    case 'integer':
      return String(term.value)
    case 'float':
      return printFloat(term.value)
    case 'string':
      return `"${escaped(term.text, '"')}"`
    case 'binary':
      // Without /utf8 Erlang would keep only the low byte of each character.
      return `<<"${escaped(term.text, '"')}"${/\P{ASCII}/u.test(term.text) ? '/utf8' : ''}>>`
    case 'list':
      return `[${term.elements.map(printTerm).join(',')}]`
    case 'tuple':
      return `{${term.elements.map(printTerm).join(',')}}`
  }
}

/** A file of terms, one a line. */
export function printTerms(terms: readonly Term[]): string {
  return terms.map((term) => `${printTerm(term)}.\n`).join('')
}

function printAtom(name: string): string {
  return /^[a-z][A-Za-z0-9_@]*$/.test(name) && !reserved.has(name) ? name : `'${escaped(name, "'")}'`
}

/** Erlang wants a fraction, also before an exponent: 1.0e21. */
function printFloat(value: number): string {
  if (Object.is(value, -0)) return '-0.0'
  const text = String(value)
  return text.includes('.') ? text : text.replace(/^(-?\d+)/, '$1.0')
}

function escaped(text: string, quote: string): string {
  return text.replace(/[\p{Cc}\\"']/gu, (character) => {
    if (character === '\\' || character === quote) return `\\${character}`
    if (character === '\n') return '\\n'
    if (character === '\t') return '\\t'
    if (character === '\r') return '\\r'
    if (character === '"' || character === "'") return character
    return `\\x{${character.charCodeAt(0).toString(16)}}`
  })
}
