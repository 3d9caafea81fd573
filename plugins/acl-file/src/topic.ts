import type { ClientInfo } from '@hookmq/api'
import { type Placeholder, placeholder, type Term } from '@hookmq/kit'
import { fail, list, text } from './who.ts'

/** Whether a rule is about this topic name or subscription filter. */
export type TopicTest = (topic: string, client: ClientInfo) => boolean

const anything: TopicTest = () => true

const forms = 'a list of topic filters in quotes and {eq, "topic"}'

/**
 * @returns undefined when every topic is meant, which needs no test
 * @throws TermError
 */
export function readTopics(term: Term, file: string): TopicTest | undefined {
  const single = term.type === 'binary' || (term.type === 'string' && term.text !== '')
  const tests = (single ? [term] : list(term, file, forms)).map((element) => readTopic(element, file))
  if (tests.includes(anything)) return undefined
  if (tests.length === 1) return tests[0]
  return (topic, client) => {
    for (const test of tests) if (test(topic, client)) return true
    return false
  }
}

function readTopic(term: Term, file: string): TopicTest {
  if (term.type === 'tuple') {
    const [kind, operand] = term.elements
    if (term.elements.length !== 2 || kind.type !== 'atom' || kind.name !== 'eq') return fail(term, file, forms)
    const exact = text(operand, file, 'a topic in quotes after eq')
    return (topic) => topic === exact
  }
  const filter = text(term, file, forms)
  const levels = filter.split('/')
  const wrong = levels.indexOf('#')
  if (wrong !== -1 && wrong !== levels.length - 1) return fail(term, file, 'a topic filter with # at its end only')
  if (filter === '#') return anything
  const compiled = levels.map((level) => placeholder(aclPlaceholders.has(level) ? level : '') ?? level)
  const last = compiled.pop() as string | Placeholder
  const plain = compiled.every((level) => level !== '+' && typeof level === 'string')
  if (plain && last === '#') {
    const parent = compiled.join('/')
    const prefix = `${parent}/`
    return (topic) => topic.startsWith(prefix) || topic === parent
  }
  if (plain && last !== '+' && typeof last === 'string') return (topic) => topic === filter
  compiled.push(last)
  return (topic, client) => covers(compiled, topic, client)
}

/** Those that stand for a level here; others are plain text. */
const aclPlaceholders = new Set(['%u', '%c', '%cida', '%cna'])

/**
 * Whether every topic that `topic` stands for is one that the filter matches. For a topic name that is itself; a
 * subscription to `a/#` is covered by `a/#`, not by `a/+`. Topics that begin with `$` are nothing special here.
 */
function covers(levels: readonly (string | Placeholder)[], topic: string, client: ClientInfo): boolean {
  const { length } = topic
  let start = 0
  for (let index = 0; index < levels.length; index += 1) {
    const level = levels[index]
    if (level === '#') return true
    // `a/#` is about `a` too.
    if (start > length) return false
    let end = topic.indexOf('/', start)
    if (end === -1) end = length
    if (level === '+') {
      if (end === start + 1 && topic.charCodeAt(start) === HASH) return false
    } else {
      const wanted = typeof level === 'string' ? level : literalValue(level, client)
      if (wanted === undefined || wanted.length !== end - start || !topic.startsWith(wanted, start)) return false
    }
    start = end + 1
  }
  return start > length
}

const HASH = 35

/** A value counts as literal text only: one that is a wildcard or several levels makes the rule not match. */
function literalValue(read: Placeholder, client: ClientInfo): string | undefined {
  const value = read(client)
  return value === undefined || /[+#/]/.test(value) ? undefined : value
}
