/** A key that has other spellings too. */
export interface KeySpelling {
  /** Words with dots between them; `$name` stands for any one word, `$host*` for one or more. */
  readonly key: string
  /** With the same `$names`. */
  readonly aliases?: readonly string[]
}

export interface FoundKey<T> {
  readonly definition: T
  /** The words that `$names` stood for. */
  readonly captures: Readonly<Record<string, string>>
  /** The key under its first spelling. */
  readonly key: string
}

interface Pattern<T> {
  readonly words: readonly string[]
  readonly definition: T
}

/** Finds keys by any of their spellings. */
export class KeyTable<T extends KeySpelling> {
  readonly #fixed = new Map<string, T>()
  /** Those with `$names`, by their first word. */
  readonly #patterns = new Map<string, Pattern<T>[]>()
  readonly #spellings: (readonly string[])[] = []

  constructor(definitions: Iterable<T>) {
    for (const definition of definitions) {
      for (const spelling of [definition.key, ...(definition.aliases ?? [])]) {
        const words = splitKey(spelling)
        this.#spellings.push(words)
        if (!spelling.includes('$')) {
          this.#fixed.set(joinKey(words), definition)
          continue
        }
        const first = nameOf(words[0]) === undefined ? words[0] : ''
        this.#patterns.set(first, [...(this.#patterns.get(first) ?? []), { words, definition }])
      }
    }
  }

  find(words: readonly string[]): FoundKey<T> | undefined {
    const definition = this.#fixed.get(joinKey(words))
    if (definition !== undefined) return { definition, captures: {}, key: definition.key }
    for (const pattern of [...(this.#patterns.get(words[0]) ?? []), ...(this.#patterns.get('') ?? [])]) {
      const captures = capture(pattern.words, words)
      if (captures === undefined) continue
      const first = splitKey(pattern.definition.key).map((word) => captures[nameOf(word) ?? ''] ?? word)
      return { definition: pattern.definition, captures, key: joinKey(first) }
    }
    return undefined
  }

  /** The known key that is most like this one; undefined when none is. */
  nearest(words: readonly string[]): string | undefined {
    const key = joinKey(words)
    let best: string | undefined
    let least = Math.max(2, Math.floor(key.length / 3)) + 1
    for (const pattern of this.#spellings) {
      const candidate = joinKey(
        pattern.map((word, index) =>
          nameOf(word) === undefined ? word : (words[index] ?? nameOf(word)?.toUpperCase() ?? ''),
        ),
      )
      const distance = editDistance(key, candidate, least)
      if (distance < least) {
        least = distance
        best = candidate
      }
    }
    return best
  }
}

/** `a.b\.c` is the words `a` and `b.c`. */
export function splitKey(key: string): string[] {
  return key.split(/(?<!\\)\./).map((part) => part.replaceAll('\\.', '.'))
}

export function joinKey(words: readonly string[]): string {
  return words.map((part) => part.replaceAll('.', '\\.')).join('.')
}

function nameOf(word: string): string | undefined {
  return word.startsWith('$') ? word.slice(1).replace('*', '') : undefined
}

/** `$host*` takes as many words as are left over, at least one. */
function capture(pattern: readonly string[], words: readonly string[]): Record<string, string> | undefined {
  const captures: Record<string, string> = {}
  const spare = words.length - pattern.length
  if (spare < 0) return undefined
  let at = 0
  for (const part of pattern) {
    const name = nameOf(part)
    const taken = part.endsWith('*') ? spare + 1 : 1
    if (name !== undefined) captures[name] = words.slice(at, at + taken).join('.')
    else if (part !== words[at]) return undefined
    at += taken
  }
  return at === words.length ? captures : undefined
}

/** Insertions, deletions and replacements that make one text of the other; stops counting at `enough`. */
export function editDistance(from: string, to: string, enough: number): number {
  if (Math.abs(from.length - to.length) >= enough) return enough
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const replace = previous[column - 1] + (from[row - 1] === to[column - 1] ? 0 : 1)
      current.push(Math.min(replace, previous[column] + 1, current[column - 1] + 1))
    }
    previous = current
  }
  return previous[to.length]
}
