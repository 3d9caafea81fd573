import type { AuthenticateResult, AuthorizeResult, Message } from '@hookmq/api'
import { Refusal } from '@hookmq/core'
import type { RecordedVerdict } from './format.ts'

/** What a run of a chain has led to. `took`: milliseconds. */
export interface ChainResult {
  readonly result: unknown
  readonly took: number
}

/** The result of a chain as a verdict. `before`: what it folds over, as it was. */
export function chainVerdict(
  point: string,
  before: unknown,
  settled: ChainResult | undefined,
  payloads: boolean,
): RecordedVerdict {
  if (settled === undefined) return { result: 'unanswered' }
  const { result } = settled
  if (result instanceof Refusal) {
    // Who is not let in by a failure is not let in.
    if (point !== 'message.publish') return { result: 'deny', code: result.reasonCode }
    return { result: result.kind, code: result.reasonCode }
  }
  if (point === 'message.publish') return publishVerdict(before as Message, result as Message, payloads)
  const answer = result as AuthenticateResult | AuthorizeResult
  if (answer.result === 'deny' && 'reasonCode' in answer && answer.reasonCode !== undefined)
    return { result: 'deny', code: answer.reasonCode }
  return { result: answer.result === 'ignore' ? 'deny' : answer.result }
}

/** QoS as a number: providers answer what they like. */
type Published = Pick<Message, 'topic' | 'payload'> & { readonly qos: number }

/** What became of a message that is published. */
export function publishVerdict(before: Published, after: Published, payloads: boolean): RecordedVerdict {
  const same = Buffer.compare(before.payload, after.payload) === 0
  if (same && before.topic === after.topic && before.qos === after.qos) return { result: 'pass' }
  return {
    result: 'change',
    topic: after.topic,
    qos: after.qos,
    ...(payloads
      ? { payload: Buffer.from(after.payload).toString('base64') }
      : { payload_bytes: after.payload.length }),
  }
}
