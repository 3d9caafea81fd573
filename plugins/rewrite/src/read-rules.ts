import type { PluginSettings, Term } from '@hookmq/api'
import { TermError } from '@hookmq/kit'
import type { Action, RuleText } from './rule.ts'

const actions = [
  ['module.rewrite.rule.$N', 'all'],
  ['module.rewrite.pub.rule.$N', 'publish'],
  ['module.rewrite.sub.rule.$N', 'subscribe'],
] as const satisfies readonly (readonly [string, Action])[]

/**
 * The rules of a `.conf` file, by N (numbers by value, words as text), those of both directions before those of one. Throws a TypeError for
 * one that is not three words.
 */
export function rulesOfKeys(settings: PluginSettings): RuleText[] {
  const found = actions.flatMap(([pattern, action], kind) =>
    settings
      .matching(pattern)
      .map(({ key, words }) => ({ rule: readRule(key, settings.text(key), action), index: words.N, kind })),
  )
  found.sort((one, other) => compareIndices(one.index, other.index) || one.kind - other.kind)
  return found.map(({ rule }) => rule)
}

function readRule(key: string, text: string, action: Action): RuleText {
  const [source, expression, destination, ...more] = text.split(/\s+/)
  if (destination === undefined || more.length > 0) {
    throw new TypeError(`${key} = ${text}: expected three words: topic filter, regular expression, destination`)
  }
  return { action, source, expression, destination, from: key }
}

function compareIndices(one: string, other: string): number {
  const numbers = /^\d+$/.test(one) && /^\d+$/.test(other) ? Number(one) - Number(other) : 0
  return numbers || (one < other ? -1 : one > other ? 1 : 0)
}

/** The rules of a `.config` file: a list of `{rewrite, "filter", "expression", "destination"}`. Throws TermError. */
export function rulesOfTerm(term: Term, file = 'rules'): RuleText[] {
  if (term.type === 'string' && term.text === '') return []
  if (term.type !== 'list') throw new TermError(file, term, 'a list of rules', term.type)
  return term.elements.map((element) => {
    const form = '{rewrite, "filter", "regular expression", "destination"}'
    if (element.type !== 'tuple' || element.elements.length !== 4)
      throw new TermError(file, element, form, element.type)
    const [name, ...texts] = element.elements
    if (name.type !== 'atom' || name.name !== 'rewrite') throw new TermError(file, name, 'rewrite', name.type)
    const [source, expression, destination] = texts.map((text) => {
      if (text.type !== 'string' && text.type !== 'binary') throw new TermError(file, text, 'a string', text.type)
      return text.text
    })
    return { action: 'all', source, expression, destination, from: `${file}:${element.line}` }
  })
}
