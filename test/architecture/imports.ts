/**
 * Finds what a source file imports, without a TypeScript API (version 7 has none that is stable): comments, strings,
 * templates and regular expressions are set aside first, so that an import written inside one of them does not count.
 */

export interface ImportStatement {
  /** What follows `from`, or stands in `import('…')`; undefined when `import(…)` computes it. */
  readonly specifier: string | undefined
  /** 1-based. */
  readonly line: number
}

/** In the plain code, a string is written as this mark around its number. */
const MARK = '\u0001'
const literal = `${MARK}(\\d+)${MARK}`
const importForms = [
  new RegExp(`\\bfrom\\s*${literal}`, 'g'),
  new RegExp(`\\bimport\\s*${literal}`, 'g'),
  new RegExp(`\\bimport\\s*\\(\\s*${literal}\\s*[,)]`, 'g'),
  new RegExp(`\\brequire\\s*\\(\\s*${literal}\\s*\\)`, 'g'),
  new RegExp(`\\bimport\\.meta\\.resolve\\s*\\(\\s*${literal}\\s*\\)`, 'g'),
]
const computedImport = new RegExp(`(?<![.\\w])import\\s*\\(\\s*(?!${literal}\\s*[,)])`, 'g')

export function importsOf(source: string): ImportStatement[] {
  const { code, strings } = setLiteralsAside(source)
  const lineOf = (index: number) => code.slice(0, index).split('\n').length
  const statements: ImportStatement[] = []
  for (const form of importForms) {
    for (const match of code.matchAll(form)) {
      statements.push({ specifier: strings[Number(match[1])], line: lineOf(match.index) })
    }
  }
  for (const match of code.matchAll(computedImport)) {
    statements.push({ specifier: undefined, line: lineOf(match.index) })
  }
  return statements.sort((a, b) => a.line - b.line)
}

/** A slash starts a regular expression, not a division, after one of these or at the start. */
const beforeRegExp =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|delete|void|throw|new|else|do|await|yield))\s*$/

function setLiteralsAside(source: string): { code: string; strings: string[] } {
  const strings: string[] = []
  let code = ''
  let index = 0
  // Line breaks stay, so that line numbers do.
  const skipTo = (end: number) => {
    code += source.slice(index, end).replace(/[^\n]/g, '')
    index = end
  }
  while (index < source.length) {
    const two = source.slice(index, index + 2)
    const one = two[0]
    if (two === '//') {
      skipTo(endOr(source.indexOf('\n', index), source))
    } else if (two === '/*') {
      skipTo(endOr(source.indexOf('*/', index + 2) + 2, source, 2))
      code += ' '
    } else if (one === "'" || one === '"') {
      const end = endOfQuoted(source, index, one)
      code += `${MARK}${strings.length}${MARK}`
      strings.push(source.slice(index + 1, end - 1))
      skipTo(end)
    } else if (one === '`') {
      const end = endOfTemplate(source, index)
      const text = source.slice(index + 1, end - 1)
      code += text.includes('${') ? ' undefined ' : `${MARK}${strings.length}${MARK}`
      if (!text.includes('${')) strings.push(text)
      skipTo(end)
    } else if (one === '/' && beforeRegExp.test(code.slice(-200))) {
      skipTo(endOfRegExp(source, index))
      code += ' undefined '
    } else {
      code += one
      index += 1
    }
  }
  return { code, strings }
}

function endOr(end: number, source: string, missing = 0): number {
  return end === missing - 1 ? source.length : end
}

function endOfQuoted(source: string, start: number, quote: string): number {
  for (let index = start + 1; index < source.length; index += 1) {
    if (source[index] === '\\') index += 1
    else if (source[index] === quote) return index + 1
    else if (source[index] === '\n') return index
  }
  return source.length
}

function endOfTemplate(source: string, start: number): number {
  for (let index = start + 1; index < source.length; index += 1) {
    if (source[index] === '\\') index += 1
    else if (source[index] === '`') return index + 1
    else if (source[index] === '$' && source[index + 1] === '{') index = endOfSubstitution(source, index + 2)
  }
  return source.length
}

/** @returns the index of the closing brace */
function endOfSubstitution(source: string, start: number): number {
  let depth = 0
  for (let index = start; index < source.length; index += 1) {
    const character = source[index]
    if (character === '`') index = endOfTemplate(source, index) - 1
    else if (character === "'" || character === '"') index = endOfQuoted(source, index, character) - 1
    else if (character === '{') depth += 1
    else if (character === '}' && depth-- === 0) return index
  }
  return source.length
}

function endOfRegExp(source: string, start: number): number {
  let inClass = false
  for (let index = start + 1; index < source.length; index += 1) {
    const character = source[index]
    if (character === '\\') index += 1
    else if (character === '\n') return start + 1
    else if (character === '[') inClass = true
    else if (character === ']') inClass = false
    else if (character === '/' && !inClass) return index + 1
  }
  return source.length
}
