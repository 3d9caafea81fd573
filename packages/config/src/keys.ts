import { joinKey } from './conf.ts'
import type { Captures, KeyDefinition } from './definition.ts'
import { brokerSchema } from './schema.ts'

export interface FoundKey {
  readonly definition: KeyDefinition
  readonly captures: Captures
  /** The key under its first spelling. */
  readonly key: string
}

interface Pattern {
  readonly words: readonly string[]
  readonly definition: KeyDefinition
}

const fixed = new Map<string, KeyDefinition>()
/** Those with `$names`, by their first word and their last. */
const patterns = new Map<string, Pattern[]>()
const spellings: (readonly string[])[] = []

for (const definition of brokerSchema) {
  for (const spelling of [definition.key, ...definition.aliases]) {
    const words = spelling.split('.')
    spellings.push(words)
    if (!spelling.includes('$')) fixed.set(spelling, definition)
    else patterns.set(words[0], [...(patterns.get(words[0]) ?? []), { words, definition }])
  }
}

/** The definition of a key in any of its spellings. */
export function findKey(words: readonly string[]): FoundKey | undefined {
  const definition = fixed.get(joinKey(words))
  if (definition !== undefined) return { definition, captures: {}, key: definition.key }
  for (const pattern of patterns.get(words[0]) ?? []) {
    const captures = capture(pattern.words, words)
    if (captures !== undefined) {
      const key = joinKey(pattern.definition.key.split('.').map((word) => captures[nameOf(word) ?? ''] ?? word))
      return { definition: pattern.definition, captures, key }
    }
  }
  return undefined
}

function nameOf(word: string): string | undefined {
  return word.startsWith('$') ? word.slice(1).replace('*', '') : undefined
}

/** `$host*` takes as many words as are left over, at least one. */
function capture(pattern: readonly string[], words: readonly string[]): Captures | undefined {
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

/** The known key that is most like this one; undefined when none is. */
export function nearestKey(words: readonly string[]): string | undefined {
  const key = joinKey(words)
  let best: string | undefined
  let least = Math.max(2, Math.floor(key.length / 3)) + 1
  for (const pattern of spellings) {
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

/** Insertions, deletions and replacements that make one text of the other; stops counting at `enough`. */
function editDistance(from: string, to: string, enough: number): number {
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
