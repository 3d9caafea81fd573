import type { AuthorizeRequest } from '@hookmq/api'
import { parseTerms, type Term } from '@hookmq/kit'
import { readTopics, type TopicTest } from './topic.ts'
import { fail, readWho, type Who } from './who.ts'

export type Decision = 'allow' | 'deny' | 'ignore'

interface Rule {
  readonly decision: 'allow' | 'deny'
  readonly who: Who | undefined
  readonly topics: TopicTest | undefined
}

/** The rules of a file, ready to be asked. */
export interface AclRules {
  /** The number of rules. */
  readonly count: number
  /** The first rule that is about the request decides; 'ignore' when none is. */
  decide(request: AuthorizeRequest): Decision
}

/**
 * Reads the text of an acl.conf.
 * @param file name for error texts
 * @throws TermError with file, line and column
 */
export function parseAcl(text: string, file: string): AclRules {
  const publish: Rule[] = []
  const subscribe: Rule[] = []
  const terms = parseTerms(text, file)
  for (const term of terms) {
    const { rule, access } = readRule(term, file)
    if (access !== 'subscribe') publish.push(rule)
    if (access !== 'publish') subscribe.push(rule)
  }
  return {
    count: terms.length,
    decide: (request) => {
      const { client, topic } = request
      for (const { decision, who, topics } of request.action === 'publish' ? publish : subscribe) {
        // The topic first: it rules out more, and costs less than an address.
        if ((topics === undefined || topics(topic, client)) && (who === undefined || who(client))) return decision
      }
      return 'ignore'
    },
  }
}

const shape = '{allow, all}, {deny, all} or {allow | deny, Who, Access, [Topics]}'

function readRule(term: Term, file: string): { rule: Rule; access: string } {
  if (term.type !== 'tuple' || (term.elements.length !== 2 && term.elements.length !== 4))
    return fail(term, file, shape)
  const [verb, who, access, topics] = term.elements
  const decision = verb.type === 'atom' ? verb.name : ''
  if (decision !== 'allow' && decision !== 'deny') return fail(verb, file, 'allow or deny')
  if (term.elements.length === 2) {
    if (who.type !== 'atom' || who.name !== 'all') return fail(who, file, 'all, in a rule of two parts')
    return { rule: { decision, who: undefined, topics: undefined }, access: 'pubsub' }
  }
  const direction = access.type === 'atom' ? access.name : ''
  if (direction !== 'publish' && direction !== 'subscribe' && direction !== 'pubsub') {
    return fail(access, file, 'publish, subscribe or pubsub')
  }
  return { rule: { decision, who: readWho(who, file), topics: readTopics(topics, file) }, access: direction }
}
