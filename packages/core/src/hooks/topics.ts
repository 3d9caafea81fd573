// Until the wire package has its topic functions, the plain rules: '+' one level, '#' the rest, '$' topics are not met by a
// leading wildcard. [MQTT-4.7.2-1]
function matches(topic: string, filter: string): boolean {
  if (filter === topic) return true
  const levels = topic.split('/')
  const wanted = filter.split('/')
  if (topic.startsWith('$') && (wanted[0] === '+' || wanted[0] === '#')) return false
  for (let index = 0; index < wanted.length; index++) {
    if (wanted[index] === '#') return true
    if (index >= levels.length) return false
    if (wanted[index] !== '+' && wanted[index] !== levels[index]) return false
  }
  return levels.length === wanted.length
}

export function topicMatchesAny(topic: string, filters: readonly string[]): boolean {
  for (const filter of filters) if (matches(topic, filter)) return true
  return false
}

/** What is wrong with a filter; undefined for a good one. */
export function filterProblem(filter: unknown): string | undefined {
  if (typeof filter !== 'string') return `a topic filter must be a string, got ${typeof filter}`
  if (filter === '') return 'a topic filter must not be empty'
  const levels = filter.split('/')
  for (let index = 0; index < levels.length; index++) {
    const level = levels[index]
    if (level.includes('#') && (level !== '#' || index !== levels.length - 1))
      return `'#' must be the whole last level of '${filter}'`
    if (level.includes('+') && level !== '+') return `'+' must be a whole level of '${filter}'`
  }
  return undefined
}
