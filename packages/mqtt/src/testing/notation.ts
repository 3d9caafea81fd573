/**
 * Bytes in a form that one can read beside the specification:
 * `hex digits`, `'text'` as bare UTF-8, `"text"` with its length in two bytes before it, `{ … }` a property list with its length
 * before it, and `|` after the first byte the remaining length of all that follows. Spaces mean nothing outside of quotes.
 */
export function bytes(notation: string): Buffer {
  let at = 0

  function list(end: string): Buffer {
    const parts: Buffer[] = []
    while (at < notation.length && notation[at] !== end) {
      const sign = notation[at]
      if (sign === ' ' || sign === '\n') {
        at++
      } else if (sign === "'" || sign === '"') {
        const close = notation.indexOf(sign, at + 1)
        if (close === -1) throw new Error(`unclosed ${sign} in: ${notation}`)
        const text = Buffer.from(notation.slice(at + 1, close))
        at = close + 1
        if (sign === '"') parts.push(Buffer.from([text.length >> 8, text.length & 0xff]))
        parts.push(text)
      } else if (sign === '{') {
        at++
        const body = list('}')
        if (notation[at] !== '}') throw new Error(`unclosed { in: ${notation}`)
        at++
        parts.push(variableInteger(body.length), body)
      } else if (sign === '|') {
        at++
        const body = list(end)
        parts.push(variableInteger(body.length), body)
      } else {
        const digits = notation.slice(at, at + 2)
        if (!/^[0-9a-f]{2}$/.test(digits)) throw new Error(`'${digits}' is not a byte in: ${notation}`)
        parts.push(Buffer.from(digits, 'hex'))
        at += 2
      }
    }
    return Buffer.concat(parts)
  }

  return list('')
}

function variableInteger(value: number): Buffer {
  const digits: number[] = []
  let rest = value
  do {
    digits.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return Buffer.from(digits)
}
