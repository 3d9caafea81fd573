import { topicFilterError, topicMatches } from '@hookmq/mqtt'

export function topicMatchesAny(topic: string, filters: readonly string[]): boolean {
  for (const filter of filters) if (topicMatches(filter, topic)) return true
  return false
}

/** What is wrong with a filter; undefined for a good one. */
export function filterProblem(filter: unknown): string | undefined {
  if (typeof filter !== 'string') return `a topic filter must be a string, got ${typeof filter}`
  const error = topicFilterError(filter)
  return error === undefined ? undefined : `${error.message}: ${JSON.stringify(filter)}`
}
