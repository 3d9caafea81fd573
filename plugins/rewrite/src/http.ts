import { Rule } from './rule.ts'

/** As EMQX 5 shows and takes them. */
interface RuleBody {
  readonly action: 'publish' | 'subscribe' | 'all'
  readonly source_topic: string
  readonly dest_topic: string
  readonly re: string
}

/** More are not taken over HTTP. */
const most = 30

export function rulesToBody(rules: readonly Rule[]): RuleBody[] {
  return rules.map(({ text: { action, source, expression, destination } }) => ({
    action,
    source_topic: source,
    dest_topic: destination,
    re: expression,
  }))
}

/** A sentence when something is wrong with it. */
export function rulesFromBody(body: unknown): Rule[] | string {
  if (!Array.isArray(body)) return 'expected a list of rules'
  if (body.length > most) return `at most ${most} rules can be given`
  const rules: Rule[] = []
  for (const [index, entry] of body.entries()) {
    const { action, source_topic, dest_topic, re } = (entry ?? {}) as Partial<Record<keyof RuleBody, unknown>>
    if (action !== 'publish' && action !== 'subscribe' && action !== 'all') {
      return `rule ${index + 1}: action must be publish, subscribe or all`
    }
    if (typeof source_topic !== 'string' || typeof dest_topic !== 'string' || typeof re !== 'string') {
      return `rule ${index + 1}: source_topic, dest_topic and re must be texts`
    }
    try {
      rules.push(
        new Rule({ action, source: source_topic, expression: re, destination: dest_topic, from: `rule ${index + 1}` }),
      )
    } catch (error) {
      return `rule ${index + 1}: ${error instanceof Error ? error.message : String(error)}`
    }
  }
  return rules
}
