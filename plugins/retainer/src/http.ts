import { type HttpResponse, type HttpRoute, type Message, type PluginContext, topicFilterError } from '@hookmq/api'
import { keepSettings, readByteSize, readDuration } from '@hookmq/kit'
import { inTurns } from './in-turns.ts'
import { type RetainerSettings, readRatePerSecond } from './settings.ts'

const badRequest = (message: string): HttpResponse => ({ status: 400, body: { code: 'BAD_REQUEST', message } })

/** The endpoints that EMQX 5 has for retained messages. `use`: the settings were changed. */
export function routes(ctx: PluginContext, settings: RetainerSettings, use: () => void): HttpRoute[] {
  const tag = 'Retainer'
  const { retained } = ctx.admin
  const notFound = (topic: string): HttpResponse => ({
    status: 404,
    body: { code: 'NOT_FOUND', message: `there is no retained message of ${topic}` },
  })
  return [
    {
      method: 'GET',
      path: '/mqtt/retainer',
      summary: 'Settings of retained messages',
      tag,
      handle: () => ({ status: 200, body: describeSettings(settings) }),
    },
    {
      method: 'PUT',
      path: '/mqtt/retainer',
      summary: 'Changes settings; the changes hold until the file of settings is changed',
      tag,
      async handle({ body }) {
        const changes = readChanges(body)
        if (typeof changes === 'string') return badRequest(changes)
        await keepSettings(ctx, describeSettings({ ...settings, ...changes }))
        Object.assign(settings, changes)
        use()
        return { status: 200, body: describeSettings(settings) }
      },
    },
    {
      method: 'GET',
      path: '/mqtt/retainer/messages',
      summary: 'Retained messages, a page of them; `topic`: those that a filter matches',
      tag,
      async handle({ query }) {
        const page = positive(query.page, 1)
        const limit = positive(query.limit, 100)
        if (page === undefined || limit === undefined || limit > 10_000) {
          return badRequest('page must be a number from 1, limit one from 1 to 10000')
        }
        const filter = typeof query.topic === 'string' && query.topic !== '' ? query.topic : undefined
        const fault = filter === undefined ? undefined : topicFilterError(filter)
        if (fault !== undefined) return badRequest(`topic: ${fault.message}`)
        return listPage(ctx, filter, page, limit)
      },
    },
    {
      method: 'DELETE',
      path: '/mqtt/retainer/messages',
      summary: 'Takes all retained messages away',
      tag,
      handle() {
        retained.clear()
        return { status: 204 }
      },
    },
    {
      method: 'GET',
      path: '/mqtt/retainer/message/:topic',
      summary: 'One message, with its payload in base64',
      tag,
      handle({ params: { topic } }) {
        const message = retained.get(topic)
        if (message === undefined) return notFound(topic)
        return { status: 200, body: { ...row(message), payload: Buffer.from(message.payload).toString('base64') } }
      },
    },
    {
      method: 'DELETE',
      path: '/mqtt/retainer/message/:topic',
      summary: 'Takes away what a topic, or all topics that a filter matches, have',
      tag,
      async handle({ params: { topic } }) {
        if (!/[+#]/.test(topic)) return retained.delete(topic) ? { status: 204 } : notFound(topic)
        const fault = topicFilterError(topic)
        if (fault !== undefined) return badRequest(`topic: ${fault.message}`)
        await inTurns(retained.match(topic), (message) => void retained.delete(message.topic), ctx.signal)
        return { status: 204 }
      },
    },
  ]
}

async function listPage(
  { admin, signal }: PluginContext,
  filter: string | undefined,
  page: number,
  limit: number,
): Promise<HttpResponse> {
  const { retained } = admin
  const data: Record<string, unknown>[] = []
  let place = 0
  let hasnext = false
  await inTurns(
    filter === undefined ? retained.all() : retained.match(filter),
    (message) => {
      if (place++ < (page - 1) * limit) return true
      hasnext = data.length === limit
      if (!hasnext) data.push(row(message))
      return !hasnext
    },
    signal,
  )
  const count = filter === undefined ? { count: retained.count } : {}
  return { status: 200, body: { data, meta: { page, limit, hasnext, ...count } } }
}

function row({ id, topic, qos, timestamp, from, headers }: Message): Record<string, unknown> {
  return {
    msgid: id,
    topic,
    qos,
    publish_at: new Date(timestamp).toISOString(),
    from_clientid: from,
    from_username: headers.username ?? 'undefined',
  }
}

function describeSettings(settings: RetainerSettings): Record<string, unknown> {
  const { storage, maxMessages, maxPayload, expiry, clearInterval, stopClearMessages, deliveryRate, storeRate } =
    settings
  const rate = (perSecond: number): string => (perSecond === 0 ? 'infinity' : `${perSecond}/s`)
  return {
    enable: true,
    msg_expiry_interval: `${expiry}ms`,
    msg_clear_interval: `${clearInterval}ms`,
    ...(maxPayload !== undefined && { max_payload_size: maxPayload }),
    stop_publish_clear_msg: stopClearMessages,
    delivery_rate: rate(deliveryRate),
    max_publish_rate: rate(storeRate),
    backend: {
      type: 'built_in_database',
      storage_type: storage,
      ...(maxMessages !== undefined && { max_retained_messages: maxMessages }),
    },
  }
}

/** Which settings a body changes; a sentence when something is wrong with it. Storage and clearing are fixed while it is loaded. */
export function readChanges(body: unknown): Partial<RetainerSettings> | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return 'expected an object with settings'
  const given = body as Record<string, unknown>
  const backend = (given.backend ?? {}) as Record<string, unknown>
  const changes: Partial<RetainerSettings> = {}
  const problems: string[] = []
  const take = <T>(
    name: string,
    value: unknown,
    read: (text: string) => T | undefined,
    set: (value: T) => void,
  ): void => {
    if (value === undefined) return
    const result = typeof value === 'string' || typeof value === 'number' ? read(String(value)) : undefined
    if (result === undefined) problems.push(name)
    else set(result)
  }
  take(
    'msg_expiry_interval',
    given.msg_expiry_interval,
    (text) => readDuration(text, 1, true),
    (value) => {
      changes.expiry = value
    },
  )
  take('max_payload_size', given.max_payload_size, readByteSize, (value) => {
    changes.maxPayload = value
  })
  take('delivery_rate', given.delivery_rate, readRatePerSecond, (value) => {
    changes.deliveryRate = value
  })
  take('max_publish_rate', given.max_publish_rate, readRatePerSecond, (value) => {
    changes.storeRate = value
  })
  take(
    'backend.max_retained_messages',
    backend.max_retained_messages,
    (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
    (value) => {
      changes.maxMessages = value
    },
  )
  if (given.stop_publish_clear_msg !== undefined) {
    if (typeof given.stop_publish_clear_msg === 'boolean') changes.stopClearMessages = given.stop_publish_clear_msg
    else problems.push('stop_publish_clear_msg')
  }
  return problems.length > 0 ? `not of the expected form: ${problems.join(', ')}` : changes
}

function positive(value: string | readonly string[] | undefined, initial: number): number | undefined {
  if (value === undefined) return initial
  return typeof value === 'string' && /^[1-9]\d{0,8}$/.test(value) ? Number(value) : undefined
}
