import type { AuthenticateResult, AuthorizeResult, Message } from '@hookmq/api'
import { fromBinary, v3 } from '@hookmq/exhook-proto'
import type { MapContext } from './context.ts'
import { readFullHeaders, readRefusal } from './full-headers.ts'

export type ValuedPoint = 'client.authenticate' | 'client.authorize' | 'message.publish'

export function isValued(point: string): point is ValuedPoint {
  return point === 'client.authenticate' || point === 'client.authorize' || point === 'message.publish'
}

/** An answer that cannot be used; it counts as none. */
export interface Unusable {
  readonly unusable: string
}

const { CONTINUE, IGNORE, STOP_AND_RETURN } = v3.ValuedResponse_ResponsedType

/**
 * The reply to a valued call as a verdict of its hook point. Answers of the wrong kind are as good as none (`Unusable` says why); an answer that cannot
 * be carried out, such as a topic that is none, throws: the call has failed. `accumulator`: what the request was made of.
 */
export function verdictOf(context: MapContext, point: ValuedPoint, reply: Uint8Array, accumulator: unknown): unknown {
  const { type, value } = readReply(reply)
  if (type === IGNORE) return undefined
  if (type !== CONTINUE && type !== STOP_AND_RETURN)
    return unusable(`type ${type} is none of CONTINUE, IGNORE and STOP_AND_RETURN`)
  if (value.case === undefined) return unusable('it has no value')
  const stops = type === STOP_AND_RETURN
  if (point === 'message.publish') {
    if (value.case !== 'message') return unusable('it has bool_result where a message is expected')
    return published(context, value.value, accumulator as Message, stops)
  }
  if (value.case !== 'boolResult') return unusable('it has a message where bool_result is expected')
  const next =
    point === 'client.authenticate'
      ? authenticated(value.value, accumulator as AuthenticateResult)
      : authorized(value.value)
  return stops ? { stop: next } : { ok: next }
}

export function isUnusable(verdict: unknown): verdict is Unusable {
  return typeof verdict === 'object' && verdict !== null && 'unusable' in verdict
}

function readReply(reply: Uint8Array): v3.ValuedResponse {
  try {
    return fromBinary(v3.ValuedResponseSchema, reply)
  } catch (error) {
    throw new Error(`the reply is no ValuedResponse: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function unusable(why: string): Unusable {
  return { unusable: why }
}

function authenticated(allowed: boolean, before: AuthenticateResult): AuthenticateResult {
  if (!allowed) return { result: 'deny', reasonCode: 0x87 }
  // Yes to a yes changes nothing: what is known of the client, such as that it is a superuser, stays.
  if (before.result === 'allow' && before.anonymous !== true) return before
  return { result: 'allow' }
}

function authorized(allowed: boolean): AuthorizeResult {
  return { result: allowed ? 'allow' : 'deny', from: 'exhook' }
}

function published({ full }: MapContext, answer: v3.Message, before: Message, stops: boolean): unknown {
  const { headers } = answer
  if (full) {
    const refusal = readRefusal(headers)
    if (refusal !== undefined) return refusal
  }
  const change: { -readonly [K in keyof Message]?: Message[K] } = {}
  const allow = headers.allow_publish
  if (allow === 'true' || allow === 'false') change.headers = { ...before.headers, allowPublish: allow === 'true' }
  const problem = problemOf(answer)
  if (problem === undefined) {
    change.qos = answer.qos as Message['qos']
    change.topic = answer.topic
    change.payload = answer.payload
  } else if (allow !== 'false') throw new Error(`the answer's message has ${problem}`)
  if (full) Object.assign(change, readFullHeaders(headers, before))
  // Stands by itself: who comes next sees what this one made of the message, and nothing of what was before.
  const message = { ...change }
  return stops ? { stop: message } : { ok: message }
}

/** EMQX would take these and route nothing, or break: here the call has failed. Who stops a message may send an empty one. */
function problemOf({ topic, qos }: v3.Message): string | undefined {
  if (topic === '') return 'an empty topic'
  if (/[+#\0]/.test(topic)) return `a topic that is none: ${JSON.stringify(topic.slice(0, 100))}`
  if (qos > 2) return `QoS ${qos}`
  return undefined
}
