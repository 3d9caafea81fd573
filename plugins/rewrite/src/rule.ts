import { topicFilterError, topicMatches, topicNameError } from '@hookmq/api'
import { LinearRegExp } from '@hookmq/kit'

export type Action = 'all' | 'publish' | 'subscribe'

export interface RuleText {
  readonly action: Action
  /** Topic filter of the rule. */
  readonly source: string
  readonly expression: string
  readonly destination: string
  /** Where it was set, for messages. */
  readonly from: string
}

/** A piece of a destination: text, a group of the expression, or something of the client. */
type Piece = string | number | Placeholder

export interface Placeholder {
  readonly placeholder: 'clientId' | 'username'
}

export class Rule {
  readonly text: RuleText
  readonly #expression: LinearRegExp
  readonly #pieces: readonly Piece[]

  /** Throws an Error that says what is wrong with the rule. */
  constructor(text: RuleText) {
    const { source, expression, destination } = text
    const fault = topicFilterError(source)
    if (fault !== undefined) throw new Error(`the filter ${source}: ${fault.message}`)
    this.text = text
    this.#expression = new LinearRegExp(expression)
    this.#pieces = parseDestination(destination, this.#expression.groups)
    const sample = this.#pieces.map((piece) => (typeof piece === 'string' ? piece : 'x')).join('')
    const wrong = text.action === 'publish' ? topicNameError(sample) : topicFilterError(sample)
    if (wrong !== undefined) {
      throw new Error(
        `the destination ${destination} is no topic ${text.action === 'publish' ? 'name' : 'filter'}: ${wrong.message}`,
      )
    }
  }

  appliesTo(action: 'publish' | 'subscribe'): boolean {
    return this.text.action === 'all' || this.text.action === action
  }

  decides(topic: string): boolean {
    return topicMatches(this.text.source, topic)
  }

  /**
   * What the expression makes of the topic, placeholders of the client left as objects; undefined: it does not match.
   * Throws RangeError when it would take too long.
   */
  rewrite(topic: string): readonly (string | Placeholder)[] | undefined {
    const groups = this.#expression.exec(topic)
    if (groups === undefined) return undefined
    return this.#pieces.map((piece) => (typeof piece === 'number' ? (groups[piece] ?? '') : piece))
  }
}

/**
 * `$1` … `$N` are groups: as many digits as there are groups for, so that `$10` is the tenth of ten, and the first followed by 0
 * of nine. `%c`, `${clientid}`: client id; `%u`, `${username}`: user name.
 */
function parseDestination(destination: string, groups: number): Piece[] {
  const pieces: Piece[] = []
  let text = ''
  let at = 0
  const add = (piece: Piece): void => {
    if (text !== '') pieces.push(text)
    text = ''
    pieces.push(piece)
  }
  while (at < destination.length) {
    const rest = destination.slice(at)
    const client = /^(%c|%u|\$\{clientid\}|\$\{username\})/.exec(rest)
    const group = groupAt(rest, groups)
    if (client !== null) {
      add({ placeholder: client[0] === '%c' || client[0].includes('clientid') ? 'clientId' : 'username' })
      at += client[0].length
    } else if (group !== undefined) {
      add(group)
      at += 1 + String(group).length
    } else {
      text += destination[at]
      at++
    }
  }
  if (text !== '') pieces.push(text)
  return pieces
}

function groupAt(text: string, groups: number): number | undefined {
  const digits = /^\$([1-9]\d*)/.exec(text)?.[1] ?? ''
  for (let length = digits.length; length > 0; length--) {
    const number = Number(digits.slice(0, length))
    if (number <= groups) return number
  }
  return undefined
}
