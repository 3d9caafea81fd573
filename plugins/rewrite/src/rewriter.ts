import { parseShared, topicFilterError, topicNameError } from '@hookmq/api'
import type { Placeholder, Rule } from './rule.ts'

export type Order = '2.x' | '4.x'

/** Whose topic it is. */
export interface Owner {
  readonly clientId: string
  readonly username?: string
}

/** Topics whose result is remembered, for each direction. */
const remembered = 8192
/** Longer ones are not: the memory stays bounded. */
const longestRemembered = 512

/** What the rules make of a topic: nothing, another topic, or one that the name of a client goes into. */
type Result = undefined | string | readonly (string | Placeholder)[]

/** Applies rules: the first whose filter matches decides, and no other is tried. */
export class Rewriter {
  /** In the order in which they are tried. */
  readonly #rules: readonly Rule[]
  readonly #failed: (rule: Rule, error: Error) => void
  readonly #known = { publish: new Map<string, Result>(), subscribe: new Map<string, Result>() }

  /** `rules` as they were written; 4.x tries the last one first. `failed`: an expression takes too long on a topic. */
  constructor(rules: readonly Rule[], order: Order, failed: (rule: Rule, error: Error) => void) {
    this.#rules = order === '4.x' ? rules.toReversed() : rules
    this.#failed = failed
  }

  /** The topic itself when nothing changes it, or when the result could not be published to. */
  topicName(topic: string, owner: Owner): string {
    const result = this.#decide('publish', topic)
    if (result === undefined) return topic
    const name = fill(result, owner)
    return name === undefined || topicNameError(name) !== undefined ? topic : name
  }

  /** A share prefix stays in front. */
  topicFilter(filter: string, owner: Owner): string {
    const topic = parseShared(filter)?.filter ?? filter
    const result = this.#decide('subscribe', topic)
    if (result === undefined) return filter
    const name = fill(result, owner)
    if (name === undefined) return filter
    const rewritten = filter.slice(0, filter.length - topic.length) + name
    // A rule that makes a shared subscription of an ordinary one would hide messages from a client that asked for all.
    if (topicFilterError(rewritten) !== undefined || parseShared(name) !== undefined) return filter
    return rewritten
  }

  #decide(action: 'publish' | 'subscribe', topic: string): Result {
    const known = this.#known[action]
    const before = known.get(topic)
    if (before !== undefined || known.has(topic)) return before
    const result = this.#apply(action, topic)
    if (topic.length > longestRemembered) return result
    if (known.size >= remembered) known.clear()
    known.set(topic, result)
    return result
  }

  #apply(action: 'publish' | 'subscribe', topic: string): Result {
    const rule = this.#rules.find((candidate) => candidate.appliesTo(action) && candidate.decides(topic))
    if (rule === undefined) return undefined
    try {
      const parts = rule.rewrite(topic)
      if (parts === undefined) return undefined
      return parts.every((part) => typeof part === 'string') ? parts.join('') : parts
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      this.#failed(rule, error)
      return undefined
    }
  }
}

/** undefined: the client has no such name, or one that would change what the topic means. */
function fill(result: string | readonly (string | Placeholder)[], owner: Owner): string | undefined {
  if (typeof result === 'string') return result
  let text = ''
  for (const part of result) {
    if (typeof part === 'string') text += part
    else {
      const name = owner[part.placeholder]
      if (name === undefined || name === '' || /[+#]/.test(name)) return undefined
      text += name
    }
  }
  return text
}
