const slash = 0x2f
const plus = 0x2b
const hash = 0x23
const dollar = 0x24

/** Has a level that is `+` or `#`. The filter is valid, so these characters stand nowhere else. */
export function hasWildcard(filter: string): boolean {
  return filter.indexOf('#') !== -1 || filter.indexOf('+') !== -1
}

/** A valid filter, without `$share/group/`, matches a topic name. Allocates nothing. */
export function topicMatches(filter: string, topic: string): boolean {
  const filterLength = filter.length
  const topicLength = topic.length
  let at = 0
  let position = 0
  // [MQTT-4.7.2-1] a leading wildcard does not match a topic that begins with $.
  if (topicLength !== 0 && topic.charCodeAt(0) === dollar) {
    const first = filter.charCodeAt(0)
    if (first === plus || first === hash) return false
  }
  while (at < filterLength) {
    const code = filter.charCodeAt(at)
    if (code === hash) return true
    if (code === plus) {
      while (position < topicLength && topic.charCodeAt(position) !== slash) position++
      at++
    } else if (position < topicLength && topic.charCodeAt(position) === code) {
      at++
      position++
    } else {
      // `a/#` matches `a` too: the topic ended where `/#` begins. [MQTT-4.7.1-2]
      return position === topicLength && code === slash && at + 2 === filterLength && filter.charCodeAt(at + 1) === hash
    }
  }
  return position === topicLength
}
