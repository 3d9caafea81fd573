import { type FoundKey as Found, KeyTable } from '@hookmq/kit'
import type { KeyDefinition } from './definition.ts'
import { brokerSchema } from './schema.ts'

export type FoundKey = Found<KeyDefinition>

const table = new KeyTable(brokerSchema)

/** The definition of a key in any of its spellings. */
export function findKey(words: readonly string[]): FoundKey | undefined {
  return table.find(words)
}

/** The known key that is most like this one; undefined when none is. */
export function nearestKey(words: readonly string[]): string | undefined {
  return table.nearest(words)
}
