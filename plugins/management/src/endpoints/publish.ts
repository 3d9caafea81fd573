import type { BrokerAdmin, HttpResponse, MessageInit, PublishOutcome } from '@hookmq/api'
import type { Endpoint } from '../http/endpoint.ts'
import { ApiError, badRequest, type ErrorCode } from '../http/errors.ts'

const tag = 'Publish'
const text = { type: 'string', maxLength: 65_535 } as const
const messageSchema = {
  type: 'object',
  required: ['topic', 'payload'],
  properties: {
    topic: { ...text, minLength: 1 },
    payload: { type: 'string' },
    payload_encoding: { enum: ['plain', 'base64'] },
    encoding: { enum: ['plain', 'base64'], description: 'Same as payload_encoding' },
    qos: { type: 'integer', enum: [0, 1, 2], default: 0 },
    retain: { type: 'boolean', default: false },
    clientid: { ...text, description: 'Shown as the sender' },
    properties: {
      type: 'object',
      properties: {
        payload_format_indicator: { type: 'integer', enum: [0, 1] },
        message_expiry_interval: { type: 'integer', minimum: 0, maximum: 0xffffffff, description: 'Seconds' },
        response_topic: text,
        correlation_data: text,
        content_type: text,
        user_properties: { type: 'object', additionalProperties: { type: 'string', maxLength: 65_535 } },
      },
    },
  },
} as const
/** Quota exceeded: what a client of MQTT 5 is told then. */
const NO_STORE = 0x97
const resultSchema = {
  type: 'object',
  properties: { id: { type: 'string' }, reason_code: { type: 'integer' }, message: { type: 'string' } },
} as const

interface Body {
  readonly topic: string
  readonly payload: string
  readonly payload_encoding?: 'plain' | 'base64'
  readonly encoding?: 'plain' | 'base64'
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly clientid?: string
  readonly properties?: {
    readonly payload_format_indicator?: 0 | 1
    readonly message_expiry_interval?: number
    readonly response_topic?: string
    readonly correlation_data?: string
    readonly content_type?: string
    readonly user_properties?: Readonly<Record<string, string>>
  }
}

/** Reason codes of MQTT 5. */
const NO_MATCHING_SUBSCRIBERS = 0x10
const TOPIC_NAME_INVALID = 0x90

export function publishEndpoints(admin: BrokerAdmin): Endpoint[] {
  const responses = { 200: 'Published', 202: 'Published, but nobody is subscribed to it' }
  return [
    {
      method: 'POST',
      path: '/publish',
      tag,
      summary: 'Publish a message',
      bodySchema: messageSchema,
      responseSchema: resultSchema,
      responses,
      handle: async ({ body }) => publish(admin, messageOf(body as Body, 'body')),
    },
    {
      method: 'POST',
      path: '/publish/bulk',
      tag,
      summary: 'Publish several messages, in this order; all are checked before the first is sent',
      bodySchema: { type: 'array', items: messageSchema, maxItems: 10_000 },
      responseSchema: { type: 'array', items: resultSchema },
      responses: { ...responses, 202: 'Published, but to some of them nobody is subscribed, or a hook refused them' },
      async handle({ body }) {
        const messages = (body as Body[]).map((one, index) => messageOf(one, `body.${index}`))
        const answers: HttpResponse[] = []
        for (const message of messages) answers.push(await publishOne(admin, message))
        const status = answers.every((answer) => answer.status === 200) ? 200 : 202
        return { status, body: answers.map((answer) => answer.body) }
      },
    },
  ]
}

const codes: Readonly<Record<number, ErrorCode>> = { 403: 'FORBIDDEN', 503: 'SERVICE_UNAVAILABLE' }

async function publish(admin: BrokerAdmin, message: MessageInit): Promise<HttpResponse> {
  const answer = await publishOne(admin, message)
  if (answer.status < 400) return answer
  const { message: why } = answer.body as { message: string }
  throw new ApiError(answer.status, codes[answer.status] ?? 'BAD_REQUEST', why)
}

async function publishOne(admin: BrokerAdmin, message: MessageInit): Promise<HttpResponse> {
  let outcome: PublishOutcome
  try {
    outcome = await admin.publish(message)
  } catch (error) {
    // A topic that is too long or too deep for this broker.
    if (error instanceof TypeError) return failed(400, TOPIC_NAME_INVALID, error.message)
    // The store has failed meanwhile.
    if ((error as { code?: unknown }).code === 'STORE_PENDING') return failed(503, NO_STORE, (error as Error).message)
    throw error
  }
  const { id, receivers, refused } = outcome
  if (refused?.by === 'store') return failed(503, NO_STORE, 'the store does not work at present; try again later')
  if (refused?.reasonCode !== undefined) return failed(403, refused.reasonCode, `refused by ${refused.by}`)
  if (receivers > 0) return { status: 200, body: { id } }
  return { status: 202, body: { id, reason_code: NO_MATCHING_SUBSCRIBERS, message: 'no_matching_subscribers' } }
}

function failed(status: number, reason_code: number, message: string): HttpResponse {
  return { status, body: { reason_code, message } }
}

/** Throws ApiError 400. */
function messageOf(body: Body, where: string): MessageInit {
  const { topic, payload, qos, retain, clientid, properties = {} } = body
  const fault = topicFault(topic)
  if (fault !== undefined) throw badRequest(`${where}.topic: ${fault}`)
  const encoding = body.payload_encoding ?? body.encoding ?? 'plain'
  // Buffer.from passes over what is no base64.
  if (encoding === 'base64' && !/^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}(?:==)?|[A-Za-z\d+/]{3}=?)?$/.test(payload)) {
    throw badRequest(`${where}.payload: is not base64`)
  }
  return {
    topic,
    payload: Buffer.from(payload, encoding === 'base64' ? 'base64' : 'utf8'),
    qos,
    retain,
    from: clientid ?? 'http',
    properties: {
      ...given('payloadFormatIndicator', properties.payload_format_indicator),
      ...given('messageExpiryInterval', properties.message_expiry_interval),
      ...given('responseTopic', properties.response_topic),
      ...given('contentType', properties.content_type),
      ...given(
        'correlationData',
        properties.correlation_data === undefined ? undefined : Buffer.from(properties.correlation_data),
      ),
      ...given(
        'userProperties',
        properties.user_properties === undefined ? undefined : Object.entries(properties.user_properties),
      ),
    },
  }
}

function given<Key extends string, Value>(key: Key, value: Value | undefined): { [name in Key]?: Value } {
  return (value === undefined ? {} : { [key]: value }) as { [name in Key]?: Value }
}

function topicFault(topic: string): string | undefined {
  if (/[+#]/.test(topic)) return "a topic to publish to has no '+' and no '#'"
  if (topic.includes('\0')) return 'a topic has no null character'
  return Buffer.byteLength(topic) > 65_535 ? 'a topic has at most 65535 bytes' : undefined
}
