import { fromBinary, type ValuedPoint, v3 } from '@hookmq/provider-exhook/client'

const { CONTINUE, IGNORE, STOP_AND_RETURN } = v3.ValuedResponse_ResponsedType

type AnswerType = 'IGNORE' | 'CONTINUE' | 'STOP_AND_RETURN'

/** The reply to a valued call, as it stands there. */
export interface Answer {
  readonly type: AnswerType
  /** Absent where it has none, or one of the wrong kind. */
  readonly allowed?: boolean
  readonly message?: v3.Message
  readonly problem?: AnswerProblem
}

/** Why an answer cannot be used, by a name that stays. */
interface AnswerProblem {
  readonly name:
    | 'unreadable-answer'
    | 'unknown-answer-type'
    | 'value-missing'
    | 'wrong-value-kind'
    | 'invalid-topic'
    | 'invalid-qos'
  readonly text: string
  /** The broker counts the call as failed; else the answer counts as IGNORE. */
  readonly fails: boolean
}

const types = new Map<number, AnswerType>([
  [CONTINUE, 'CONTINUE'],
  [IGNORE, 'IGNORE'],
  [STOP_AND_RETURN, 'STOP_AND_RETURN'],
])

export function readAnswer(hook: ValuedPoint, reply: Uint8Array): Answer {
  let response: v3.ValuedResponse
  try {
    response = fromBinary(v3.ValuedResponseSchema, reply)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return broken('IGNORE', 'unreadable-answer', `the reply is no ValuedResponse: ${why}`, true)
  }
  const { value } = response
  const type = types.get(response.type)
  if (type === undefined)
    return broken('IGNORE', 'unknown-answer-type', `type ${response.type} is none of CONTINUE, IGNORE, STOP_AND_RETURN`)
  if (type === 'IGNORE') return { type }
  if (value.case === undefined) return broken(type, 'value-missing', `${type} without a value`)
  if (hook !== 'message.publish')
    return value.case === 'boolResult'
      ? { type, allowed: value.value }
      : broken(type, 'wrong-value-kind', `${type} with a message, where ${hook} takes bool_result`)
  if (value.case !== 'message')
    return broken(type, 'wrong-value-kind', `${type} with bool_result, where ${hook} takes a message`)
  return readMessage(type, value.value)
}

function readMessage(type: AnswerType, message: v3.Message): Answer {
  const stops = message.headers.allow_publish === 'false'
  const { topic, qos } = message
  // Who stops a message may send an empty one.
  if (stops) return { type, message }
  if (topic === '') return broken(type, 'invalid-topic', 'the message of the answer has an empty topic', true)
  if (/[+#\0]/.test(topic))
    return broken(type, 'invalid-topic', `nobody can publish to ${JSON.stringify(topic.slice(0, 100))}`, true)
  if (qos > 2) return broken(type, 'invalid-qos', `the message of the answer has QoS ${qos}`, true)
  return { type, message }
}

function broken(type: AnswerType, name: AnswerProblem['name'], text: string, fails = false): Answer {
  return { type, problem: { name, text, fails } }
}
