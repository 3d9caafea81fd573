import type { Term } from '@hookmq/api'
import { parseTerm, printTerm, TermError } from '@hookmq/kit'
import { quote } from './conf.ts'
import { ConfigError } from './error.ts'

/** One `{key, Value}` of a NAME.config; keys of lists within lists are joined to words. */
export interface TermSetting {
  readonly words: readonly string[]
  readonly value: Term
  readonly file: string
  readonly line: number
}

/**
 * Reads a NAME.config: one list of `{application, [{key, Value}, …]}`. `within` says whether the list behind a key is looked into, because its elements
 * are keys themselves, or is a value.
 * @param names the names that the plugin answers to; what the file says of others is left out, and told to `foreign`
 * @throws ConfigError
 */
export function parsePluginTerms(
  text: string,
  file: string,
  names: ReadonlySet<string>,
  within: (words: readonly string[]) => boolean,
  foreign: (application: string, line: number) => void,
): TermSetting[] {
  try {
    const settings: TermSetting[] = []
    for (const application of elementsOf(parseTerm(text, file), file)) {
      const [name, properties] = pairOf(application, file)
      if (!names.has(name)) foreign(name, application.line)
      else readProperties(properties, [], file, within, settings)
    }
    return settings
  } catch (error) {
    if (!(error instanceof TermError)) throw error
    // The place in the message has the column as well.
    throw ConfigError.at(file, error.line, error.message, error.expected)
  }
}

function readProperties(
  properties: Term,
  above: readonly string[],
  file: string,
  within: (words: readonly string[]) => boolean,
  settings: TermSetting[],
): void {
  for (const property of elementsOf(properties, file)) {
    if (property.type === 'atom') {
      // A bare atom in a list of properties is the same as {atom, true}.
      const value: Term = { ...property, name: 'true' }
      settings.push({ words: [...above, property.name], value, file, line: property.line })
      continue
    }
    const [name, value] = pairOf(property, file)
    const words = [...above, name]
    if (isProperties(value) && within(words)) readProperties(value, words, file, within, settings)
    else settings.push({ words, value, file, line: property.line })
  }
}

/** A list of pairs, and not empty: an empty one could be anything. */
function isProperties(term: Term): boolean {
  return (
    term.type === 'list' &&
    term.elements.length > 0 &&
    term.elements.every(
      (element) => element.type === 'tuple' && element.elements.length === 2 && element.elements[0].type === 'atom',
    )
  )
}

function elementsOf(term: Term, file: string): readonly Term[] {
  if (term.type === 'list') return term.elements
  // "" is the empty list.
  if (term.type === 'string' && term.text === '') return []
  throw new TermError(file, term, 'a list of {key, value}', shortly(term))
}

function pairOf(term: Term, file: string): [string, Term] {
  if (term.type === 'tuple' && term.elements.length === 2) {
    const [key, value] = term.elements
    if (key.type === 'atom') return [key.name, value]
  }
  throw new TermError(file, term, '{key, value} whose key is an atom', shortly(term))
}

/** The text that a simple value would have in a `key = value` file; undefined for lists and tuples. */
export function textOfTerm(term: Term): string | undefined {
  switch (term.type) {
    case 'atom':
      return term.name
    case 'integer':
    case 'float':
      return String(term.value)
    case 'string':
    case 'binary':
      return term.text
    case 'list':
      return term.elements.length === 0 ? '' : undefined
    case 'tuple':
      return undefined
  }
}

export function shortly(term: Term): string {
  return quote(printTerm(term))
}
