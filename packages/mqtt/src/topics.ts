import { MqttError } from './error.ts'
import { ReasonCode } from './reason-codes.ts'

export interface TopicLimits {
  /** Bytes of UTF-8. Default 65,535. */
  maxLength?: number
  /** Levels between slashes; default and 0: no limit. */
  maxLevels?: number
}

export interface TopicError {
  /** 0x90 for a topic name, 0x8F for a filter. */
  reasonCode: number
  message: string
}

const slash = 0x2f
const plus = 0x2b
const hash = 0x23
const dollar = 0x24

/** What keeps a string from being a topic name; undefined = it is one. */
export function topicNameError(topic: string, limits: TopicLimits = {}): TopicError | undefined {
  const error = lengthError(topic, limits)
  if (error !== undefined) return { reasonCode: ReasonCode.TopicNameInvalid, message: `topic name ${error}` }
  for (let at = 0; at < topic.length; at++) {
    const unit = topic.charCodeAt(at)
    // [MQTT-3.3.2-2] [MQTT-4.7.1-1] [MQTT-3.3.2-2 v3.1.1] [MQTT-4.7.1-1 v3.1.1]
    if (unit === plus || unit === hash) {
      return { reasonCode: ReasonCode.TopicNameInvalid, message: 'topic name contains a wildcard' }
    }
  }
  return undefined
}

/** What keeps a string from being a topic filter, `$share/group/` and `$queue/` included; undefined = it is one. */
export function topicFilterError(filter: string, limits: TopicLimits = {}): TopicError | undefined {
  const message = filterProblem(filter, limits)
  return message === undefined
    ? undefined
    : { reasonCode: ReasonCode.TopicFilterInvalid, message: `topic filter ${message}` }
}

function filterProblem(filter: string, limits: TopicLimits): string | undefined {
  const start = shareEnd(filter)
  if (typeof start === 'string') return start
  const error = lengthError(start === 0 ? filter : filter.slice(start), limits)
  if (error !== undefined) return error
  for (let at = start; at < filter.length; at++) {
    const unit = filter.charCodeAt(at)
    if (unit !== plus && unit !== hash) continue
    const alone =
      (at === start || filter.charCodeAt(at - 1) === slash) &&
      (at + 1 === filter.length || filter.charCodeAt(at + 1) === slash)
    // [MQTT-4.7.1-1] [MQTT-4.7.1-2] [MQTT-4.7.1-2 v3.1.1] [MQTT-4.7.1-3 v3.1.1]
    if (!alone) return `has a ${unit === hash ? '#' : '+'} that does not fill a whole level`
    // [MQTT-4.7.1-1] [MQTT-4.7.1-2 v3.1.1]
    if (unit === hash && at + 1 !== filter.length) return 'has a # that is not its last level'
  }
  return undefined
}

function lengthError(topic: string, limits: TopicLimits): string | undefined {
  // [MQTT-4.7.3-1] [MQTT-4.7.3-1 v3.1.1]
  if (topic.length === 0) return 'is empty'
  // [MQTT-4.7.3-2] [MQTT-4.7.3-2 v3.1.1]
  if (topic.includes('\0')) return 'contains U+0000'
  // [MQTT-1.5.4-1]
  if (!topic.isWellFormed()) return 'contains half of a surrogate pair'
  // [MQTT-4.7.3-3] [MQTT-4.7.3-3 v3.1.1]
  const maxLength = Math.min(limits.maxLength || 0xffff, 0xffff)
  if (topic.length * 3 > maxLength && Buffer.byteLength(topic) > maxLength) return `is longer than ${maxLength} bytes`
  const maxLevels = limits.maxLevels || Number.POSITIVE_INFINITY
  if (topic.length >= maxLevels) {
    let levels = 1
    for (let at = 0; at < topic.length; at++) if (topic.charCodeAt(at) === slash) levels++
    if (levels > maxLevels) return `has more than ${maxLevels} levels`
  }
  return undefined
}

export interface SharedFilter {
  /** The group's name; '$queue' for `$queue/filter`. */
  group: string
  /** The filter that topics are matched with. */
  filter: string
  /** Written as `$queue/filter`. */
  queue: boolean
}

/** Index at which the filter proper begins: 0 = not shared. A string = what is wrong. */
function shareEnd(filter: string): number | string {
  if (filter.startsWith('$queue/')) return filter.length > 7 ? 7 : '$queue/ is followed by nothing'
  if (filter === '$share') return '$share is not followed by a group name and a filter'
  if (!filter.startsWith('$share/')) return 0
  const end = filter.indexOf('/', 7)
  // [MQTT-4.8.2-2]
  if (end === -1 || end + 1 === filter.length) return '$share/group/ is followed by no filter'
  // [MQTT-4.8.2-1]
  if (end === 7) return '$share/ is followed by an empty group name'
  for (let at = 7; at < end; at++) {
    const unit = filter.charCodeAt(at)
    if (unit === plus || unit === hash) return 'has a wildcard in its group name'
  }
  return end + 1
}

/**
 * Takes a shared filter apart; undefined = not a shared one. Throws MqttError 0x8F when it begins like one and is none: ask
 * `topicFilterError` first.
 */
export function parseShared(filter: string): SharedFilter | undefined {
  const start = shareEnd(filter)
  if (start === 0) return undefined
  if (typeof start === 'string') throw new MqttError(ReasonCode.TopicFilterInvalid, `topic filter ${start}`)
  const queue = start === 7
  return { group: queue ? '$queue' : filter.slice(7, start - 1), filter: filter.slice(start), queue }
}

/**
 * Whether the filter (without share prefix) matches the topic name.
 * [MQTT-4.7.2-1] [MQTT-4.7.3-4] [MQTT-4.7.2-1 v3.1.1] [MQTT-4.7.3-4 v3.1.1]
 */
export function topicMatches(filter: string, topic: string): boolean {
  const filterLength = filter.length
  const topicLength = topic.length
  if (topicLength > 0 && topic.charCodeAt(0) === dollar && filterLength > 0) {
    // Wildcards at the beginning do not reach the server's own topics.
    const first = filter.charCodeAt(0)
    if (first === plus || first === hash) return false
  }
  let at = 0
  let position = 0
  while (at < filterLength) {
    const unit = filter.charCodeAt(at)
    if (unit === hash) return true
    if (unit === plus) {
      while (position < topicLength && topic.charCodeAt(position) !== slash) position++
      at++
      continue
    }
    if (position === topicLength) {
      // `a/#` also matches its parent `a`.
      return unit === slash && at + 2 === filterLength && filter.charCodeAt(at + 1) === hash
    }
    if (unit !== topic.charCodeAt(position)) return false
    at++
    position++
  }
  return position === topicLength
}

/** Whether `rule` matches every topic that `filter` can match; both without share prefix and valid. */
export function filterCovers(rule: string, filter: string): boolean {
  const ruleLevels = rule.split('/')
  const filterLevels = filter.split('/')
  // A tail matches its parent too, but no topic is empty: `#` means the same as `+/#`, and `/#` as `/+/#`.
  if (filter === '#' || filter === '/#') filterLevels.splice(-1, 0, '+')
  for (let at = 0; at < ruleLevels.length; at++) {
    const ruleLevel = ruleLevels[at]
    const system = at === 0 && filterLevels[0].startsWith('$')
    if (ruleLevel === '#') return !system
    if (at >= filterLevels.length) return false
    const filterLevel = filterLevels[at]
    if (ruleLevel === '+') {
      if (filterLevel === '#' || system) return false
    } else if (ruleLevel !== filterLevel) {
      return false
    }
  }
  return ruleLevels.length === filterLevels.length
}
