import type { HookPointName } from '@hookmq/api'
import { Atom, CodePoints, Float, Opaque, Pairs, Tuple, type Value } from '../value.ts'

/** What a callback returned is no answer; the text says what it is and what was expected. */
class AnswerError extends Error {
  override readonly name = 'AnswerError'
}

/** MQTT 5: not authorized. */
const notAuthorized = 0x87

/**
 * The verdict that a handler of the broker would return: undefined for "nothing". Throws an AnswerError for what the contract of EMQX 4.1 does not
 * allow: the verdict stays as it was then.
 */
export function compatibleVerdict(point: HookPointName, value: Value, from: string): unknown {
  switch (point) {
    case 'client.authenticate':
      return decision(value)
        ? { stop: { result: 'allow', anonymous: false } }
        : { stop: { result: 'deny', reasonCode: notAuthorized } }
    case 'client.authorize':
      return { stop: { result: decision(value) ? 'allow' : 'deny', from } }
    case 'message.publish':
      return changedMessage(value)
    default:
      return undefined
  }
}

const expectedDecision = '(0, True), (0, False), or True or False from a method with @hooks_handler()'

function decision(value: Value): boolean {
  if (isAnswer(value)) {
    const [code, rest] = value.elements
    if (code === 0 && typeof rest === 'boolean') return rest
    if (code === 1) throw new AnswerError(`the callback says that it failed: ${shown(rest)}`)
  }
  throw new AnswerError(`returned ${shown(value)}; expected ${expectedDecision}`)
}

function isAnswer(value: Value): value is Tuple {
  return value instanceof Tuple && value.elements.length === 2 && typeof value.elements[0] === 'number'
}

function changedMessage(value: Value): unknown {
  if (value === undefined || value === null || (value instanceof Atom && value.name === 'ok')) return undefined
  let pairs: Value = value
  if (isAnswer(value)) {
    const [code, rest] = value.elements
    if (code === 1) throw new AnswerError(`the callback says that it failed: ${shown(rest)}`)
    if (code !== 0) throw new AnswerError(`returned ${shown(value)}; expected (0, message) or nothing`)
    pairs = rest
  }
  const list = pairs instanceof Pairs ? pairs.keys.map((key, index) => new Tuple(key, pairs.values[index])) : pairs
  if (!Array.isArray(list))
    throw new AnswerError(`returned ${shown(value)}; expected (0, message), the message, or nothing`)
  const changed: { topic?: string; qos?: number; payload?: Uint8Array } = {}
  for (const pair of list as readonly Value[]) {
    if (!(pair instanceof Tuple) || pair.elements.length !== 2)
      throw new AnswerError(`returned a message with ${shown(pair)} in it; expected (key, value)`)
    const [key, one] = pair.elements
    take(changed, textOf(key), one)
  }
  return { ok: changed }
}

function take(changed: { topic?: string; qos?: number; payload?: Uint8Array }, key: string | undefined, value: Value) {
  switch (key) {
    case 'topic':
      changed.topic = textOf(value) ?? wrong(key, value, 'bytes')
      return
    case 'qos':
      changed.qos = value === 0 || value === 1 || value === 2 ? value : wrong(key, value, '0, 1 or 2')
      return
    case 'payload':
      changed.payload =
        value instanceof Uint8Array ? value : Buffer.from(textOf(value) ?? wrong<string>(key, value, 'bytes'))
      return
    case 'timestamp':
      if (typeof value !== 'number' && typeof value !== 'bigint') wrong(key, value, 'an int')
  }
}

function wrong<T>(key: string, value: Value, expected: string): T {
  throw new AnswerError(`returned a message whose ${key} is ${shown(value)}; expected ${expected}`)
}

function textOf(value: Value): string | undefined {
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (value instanceof Atom) return value.name
  if (value instanceof CodePoints) return value.text
  return typeof value === 'string' ? value : undefined
}

/** A value for a message: its kind, and what it is where that is short. Never a payload. */
function shown(value: Value): string {
  if (value === undefined || value === null) return 'None'
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value instanceof Float) return String(value.value)
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (value instanceof CodePoints) return `the text ${JSON.stringify(cut(value.text))}`
  if (value instanceof Atom) return value.name
  if (typeof value === 'string') return JSON.stringify(cut(value))
  if (value instanceof Opaque) return 'an object'
  if (value instanceof Tuple) return `(${value.elements.slice(0, 3).map(shown).join(', ')})`
  if (value instanceof Pairs) return `a list of ${value.keys.length} pairs`
  return `a list of ${value.length}`
}

function cut(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)} …` : text
}
