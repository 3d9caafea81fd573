import type { FoldPointName, TopicSubscription } from '@hookmq/api'
import { isReasonCodeAllowed } from '@hookmq/mqtt'
import { BrokerMessage } from '../message.ts'
import type { Hook } from './hook.ts'
import { propertiesProblem } from './properties.ts'
import { filterProblem } from './topics.ts'

/** Turns what a hook gave into the accumulator of its point; a sentence when it is not one. No accumulator is a string. */
export type Adopt = (previous: unknown, next: unknown, hook: Hook) => unknown

type Fields = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value
}

/** The first field that has another type than said; absent fields are fine. */
function wrongField(value: Fields, types: Readonly<Record<string, string>>): string | undefined {
  for (const field in types) {
    const type = types[field]
    const given = value[field]
    if (given === undefined) continue
    const fits =
      type === 'bytes' ? given instanceof Uint8Array : type === 'object' ? isObject(given) : typeof given === type
    if (!fits) return `${field} must be ${type === 'bytes' ? 'a Uint8Array' : `of type ${type}`}, got ${kindOf(given)}`
  }
  return undefined
}

const adoptProperties =
  (holder: 'connect' | 'connack'): Adopt =>
  (_previous, next) =>
    isObject(next) ? (propertiesProblem(next, holder) ?? next) : `expected an object of properties, got ${kindOf(next)}`

function adoptMessage(previous: unknown, next: unknown, hook: Hook): unknown {
  const before = previous as BrokerMessage
  if (isObject(next)) {
    const { properties, headers } = next
    // Most hooks spread the message that they got: then these are the same objects and have been looked at.
    if (properties !== undefined && properties !== before.properties) {
      const wrong = isObject(properties)
        ? propertiesProblem(properties, 'publish')
        : `expected an object, got ${kindOf(properties)}`
      if (wrong !== undefined) return `message.properties: ${wrong}`
    }
    if (headers !== undefined && headers !== before.headers && !isObject(headers))
      return `message.headers must be an object, got ${kindOf(headers)}`
  }
  return BrokerMessage.adopt(before, next, hook.answersForTopic)
}

const allowFields = {
  superuser: 'boolean',
  anonymous: 'boolean',
  clientId: 'string',
  username: 'string',
  attributes: 'object',
  expiresAt: 'number',
  data: 'bytes',
}

function adoptAuthentication(_previous: unknown, next: unknown): unknown {
  if (!isObject(next)) return `expected { result: 'allow' | 'deny' | 'ignore' | 'continue' }, got ${kindOf(next)}`
  switch (next.result) {
    case 'ignore':
      return next
    case 'allow':
      return wrongField(next, allowFields) ?? next
    case 'continue':
      return wrongField(next, { data: 'bytes' }) ?? next
    case 'deny': {
      const wrong = wrongField(next, { reasonCode: 'number', reasonString: 'string', serverReference: 'string' })
      if (wrong !== undefined) return wrong
      const code = next.reasonCode as number | undefined
      if (code !== undefined && (code < 0x80 || !isReasonCodeAllowed('connack', code)))
        return `reasonCode must be a reason code of CONNACK that refuses, got 0x${code.toString(16)}`
      return next
    }
    default:
      return `result must be 'allow', 'deny', 'ignore' or 'continue', got ${JSON.stringify(next.result)}`
  }
}

function adoptAuthorization(_previous: unknown, next: unknown, hook: Hook): unknown {
  if (!isObject(next)) return `expected { result: 'allow' | 'deny' }, got ${kindOf(next)}`
  if (next.result !== 'allow' && next.result !== 'deny')
    return `result must be 'allow' or 'deny', got ${JSON.stringify(next.result)}`
  const wrong = wrongField(next, { from: 'string', cacheable: 'boolean' })
  if (wrong !== undefined) return wrong
  return next.from === undefined ? { ...next, from: hook.owner.name } : next
}

const clientFields = {
  clientId: 'string',
  username: 'string',
  mountpoint: 'string',
  superuser: 'boolean',
  anonymous: 'boolean',
  attributes: 'object',
  expiresAt: 'number',
}

function adoptClient(previous: unknown, next: unknown): unknown {
  if (!isObject(next)) return `expected a client, got ${kindOf(next)}`
  const wrong = wrongField(next, clientFields)
  if (wrong !== undefined) return wrong
  if (next.clientId === '') return 'clientId must not be empty'
  return next === previous ? previous : { ...(previous as Fields), ...next }
}

/** SUBACK and UNSUBACK answer by position: a list with more, fewer or exchanged filters would answer the wrong ones. */
function listProblem(previous: readonly { readonly filter: string }[], next: unknown): string | undefined {
  if (!Array.isArray(next)) return `expected a list, got ${kindOf(next)}`
  if (next.length !== previous.length)
    return `the list must keep its length, and the order of its filters: expected ${previous.length} entries, got ${next.length}`
  let moved = false
  for (let index = 0; index < next.length; index++) {
    const entry: unknown = next[index]
    if (!isObject(entry)) return `entry ${index} must be an object with a filter, got ${kindOf(entry)}`
    const wrong = filterProblem(entry.filter)
    if (wrong !== undefined) return `entry ${index}: ${wrong}`
    if (entry.filter !== previous[index].filter) moved = true
  }
  if (!moved || next.length < 2) return undefined
  const before = previous.map(({ filter }) => filter).sort()
  const after = next.map(({ filter }: { readonly filter: string }) => filter).sort()
  return before.every((filter, index) => filter === after[index])
    ? 'the list must keep the order of its filters'
    : undefined
}

function adoptSubscriptions(previous: unknown, next: unknown): unknown {
  const before = previous as readonly TopicSubscription[]
  const wrong = listProblem(before, next)
  if (wrong !== undefined) return wrong
  const entries = next as readonly TopicSubscription[]
  const adopted: TopicSubscription[] = []
  for (let index = 0; index < entries.length; index++) {
    const given = entries[index].options as Partial<TopicSubscription['options']> | undefined
    if (given !== undefined && !isObject(given)) return `entry ${index}: options must be an object`
    const options = { ...before[index].options, ...given }
    if (options.qos !== 0 && options.qos !== 1 && options.qos !== 2)
      return `entry ${index}: qos must be 0, 1 or 2, got ${String(options.qos)}`
    if (options.retainHandling !== 0 && options.retainHandling !== 1 && options.retainHandling !== 2)
      return `entry ${index}: retainHandling must be 0, 1 or 2, got ${String(options.retainHandling)}`
    const flags = wrongField(options, {
      noLocal: 'boolean',
      retainAsPublished: 'boolean',
      subscriptionIdentifier: 'number',
    })
    if (flags !== undefined) return `entry ${index}: ${flags}`
    adopted.push({ filter: entries[index].filter, options })
  }
  return adopted
}

export const adoptAccumulator: { readonly [P in FoldPointName]: Adopt } = {
  'client.connect': adoptProperties('connect'),
  'client.connack': adoptProperties('connack'),
  'client.authenticate': adoptAuthentication,
  'client.post_authn': adoptClient,
  'client.authorize': adoptAuthorization,
  'client.subscribe': adoptSubscriptions,
  'client.unsubscribe': (previous, next) => listProblem(previous as readonly { filter: string }[], next) ?? next,
  'message.publish': adoptMessage,
  'message.delivered': adoptMessage,
  'message.puback': (_previous, next) =>
    typeof next === 'number' && isReasonCodeAllowed('puback', next)
      ? next
      : `expected a reason code of PUBACK, got ${typeof next === 'number' ? `0x${next.toString(16)}` : kindOf(next)}`,
  'message.nack': (_previous, next) => (typeof next === 'boolean' ? next : `expected a boolean, got ${kindOf(next)}`),
}
