/** Bytes from hex text: blanks and line breaks are free, `'text'` stands for its UTF-8 bytes, `# …` runs to the end of the line. */
export function hex(text: string): Buffer {
  const parts: Buffer[] = []
  for (const line of text.split('\n')) {
    for (const [, quoted, digits, comment, bad] of line.matchAll(/'([^']*)'|([0-9a-fA-F]+)|(#.*)|(\S)/g)) {
      if (comment !== undefined) break
      if (bad !== undefined) throw new Error(`hex: unexpected "${bad}" in "${line.trim()}"`)
      if (digits !== undefined && digits.length % 2 !== 0) throw new Error(`hex: odd number of digits in "${digits}"`)
      parts.push(quoted === undefined ? Buffer.from(digits ?? '', 'hex') : Buffer.from(quoted))
    }
  }
  return Buffer.concat(parts)
}

/** 'c0 00' */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ')
}

/** A length-prefixed UTF-8 string, as MQTT writes it. */
export function utf8(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

/** A fixed header with its remaining length, followed by the body. */
export function frame(firstByte: number, ...body: Uint8Array[]): Buffer {
  const rest = Buffer.concat(body)
  const header = [firstByte]
  let length = rest.length
  do {
    header.push((length & 0x7f) | (length > 0x7f ? 0x80 : 0))
    length >>= 7
  } while (length > 0)
  return Buffer.concat([Buffer.from(header), rest])
}
