import { type BrokerAdmin, type SubscriptionView, topicMatches } from '@hookmq/api'
import { type Endpoint, noContent, ok } from '../http/endpoint.ts'
import { ApiError, badRequest } from '../http/errors.ts'
import { pageOf, pageQuery, pageSchema, paginate } from '../http/page.ts'
import { notThere, requireClient } from './clients.ts'

const tag = 'Subscriptions'
const qos = { type: 'integer', enum: [0, 1, 2] } as const
const zeroOrOne = { type: 'integer', enum: [0, 1] } as const
const options = {
  qos: { ...qos, default: 0 },
  nl: { ...zeroOrOne, default: 0, description: 'No Local' },
  rap: { ...zeroOrOne, default: 0, description: 'Retain As Published' },
  rh: { type: 'integer', enum: [0, 1, 2], default: 0, description: 'Retain Handling' },
} as const
const topic = { type: 'string', minLength: 1, maxLength: 65_535 } as const
const one = { type: 'object', required: ['topic'], properties: { topic, ...options } } as const
const many = { type: 'array', items: one, maxItems: 1000 } as const
const rowSchema = {
  type: 'object',
  properties: {
    node: { type: 'string' },
    clientid: { type: 'string' },
    topic,
    qos,
    nl: zeroOrOne,
    rap: zeroOrOne,
    rh: { type: 'integer', enum: [0, 1, 2] },
    durable: { type: 'boolean' },
  },
} as const

interface Wanted {
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly nl: 0 | 1
  readonly rap: 0 | 1
  readonly rh: 0 | 1 | 2
}

/** Subscriptions of all clients and of one, and making and ending them for a client. */
export function subscriptionEndpoints(admin: BrokerAdmin): Endpoint[] {
  const show = (view: SubscriptionView): object => subscriptionRow(view, admin.node)
  return [
    {
      method: 'GET',
      path: '/subscriptions',
      tag,
      summary: 'Subscriptions of all clients',
      querySchema: {
        type: 'object',
        properties: {
          ...pageQuery,
          node: { type: 'string' },
          clientid: { type: 'string' },
          qos,
          topic: { type: 'string', description: 'The filter itself, without share prefix' },
          match_topic: {
            type: 'string',
            description: 'A filter that the subscribed one must match, wildcards read as names',
          },
          share_group: { type: 'string' },
        },
      },
      responseSchema: pageSchema(rowSchema),
      async handle({ query }) {
        const { clientid } = query
        const keep = subscriptionFilter(query, admin.node)
        const total = keep === undefined ? admin.stats()['subscriptions.count'] : undefined
        const views = typeof clientid === 'string' ? subscriptionsOf(admin, clientid) : admin.subscriptions()
        return ok(await paginate(views, pageOf(query), show, { keep, total }))
      },
    },
    {
      method: 'GET',
      path: '/clients/:clientid/subscriptions',
      tag,
      summary: 'Subscriptions of a client',
      responseSchema: { type: 'array', items: rowSchema },
      handle({ params: { clientid = '' } }) {
        requireClient(admin, clientid)
        return ok(subscriptionsOf(admin, clientid).map(show))
      },
    },
    {
      method: 'POST',
      path: '/clients/:clientid/subscribe',
      tag,
      summary: 'Subscribe a client, as if it had asked',
      bodySchema: one,
      responseSchema: rowSchema,
      async handle({ params: { clientid = '' }, body }) {
        const [row] = await subscribe(admin, clientid, [body as Wanted])
        if (row === undefined) throw badRequest('the subscription was refused by a hook or a limit of the broker')
        return ok(row)
      },
    },
    {
      method: 'POST',
      path: '/clients/:clientid/subscribe/bulk',
      tag,
      summary: 'Subscribe a client to several filters',
      bodySchema: many,
      responseSchema: { type: 'array', items: rowSchema },
      handle: async ({ params: { clientid = '' }, body }) => ok(await subscribe(admin, clientid, body as Wanted[])),
    },
    {
      method: 'POST',
      path: '/clients/:clientid/unsubscribe',
      tag,
      summary: 'End a subscription of a client',
      bodySchema: { type: 'object', required: ['topic'], properties: { topic } },
      responses: { 204: 'Ended' },
      handle({ params: { clientid = '' }, body }) {
        const { topic } = body as { topic: string }
        if (unsubscribe(admin, clientid, topic)) return noContent
        throw new ApiError(404, 'NOT_FOUND', `the client ${clientid} is not subscribed to ${topic}`)
      },
    },
    {
      method: 'POST',
      path: '/clients/:clientid/unsubscribe/bulk',
      tag,
      summary: 'End several subscriptions of a client; those that are not there are passed over',
      bodySchema: {
        type: 'array',
        maxItems: 1000,
        items: { type: 'object', required: ['topic'], properties: { topic } },
      },
      responses: { 204: 'Ended' },
      handle({ params: { clientid = '' }, body }) {
        requireClient(admin, clientid)
        for (const { topic } of body as { topic: string }[]) unsubscribe(admin, clientid, topic)
        return noContent
      },
    },
  ]
}

async function subscribe(admin: BrokerAdmin, clientid: string, wanted: readonly Wanted[]): Promise<object[]> {
  requireClient(admin, clientid)
  const asked = wanted.map(({ topic, qos, nl, rap, rh }) => ({
    filter: topic,
    options: { qos, noLocal: nl === 1, retainAsPublished: rap === 1, retainHandling: rh },
  }))
  let subscribed: readonly string[] | undefined
  try {
    subscribed = await admin.subscribeOnBehalf(clientid, asked)
  } catch (error) {
    // What is no filter.
    if (error instanceof TypeError) throw badRequest(`body.topic: ${error.message}`)
    throw error
  }
  if (subscribed === undefined) throw notThere(clientid)
  // As they are now: hooks may have changed them.
  const made = new Set(subscribed)
  return subscriptionsOf(admin, clientid)
    .filter(({ filter }) => made.has(filter))
    .map((view) => subscriptionRow(view, admin.node))
}

/** false: it was not subscribed. */
function unsubscribe(admin: BrokerAdmin, clientid: string, topic: string): boolean {
  const outcome = admin.unsubscribe(clientid, topic)
  if (outcome === 'no_session') throw notThere(clientid)
  return outcome === 'ok'
}

function subscriptionsOf(admin: BrokerAdmin, clientId: string): SubscriptionView[] {
  const subscriptions = admin.client(clientId)?.session.subscriptions ?? new Map()
  return [...subscriptions].map(([filter, options]) => ({ clientId, filter, options }))
}

function subscriptionRow({ clientId, filter, options }: SubscriptionView, node: string): object {
  return {
    node,
    clientid: clientId,
    topic: filter,
    qos: options.qos,
    nl: Number(options.noLocal),
    rap: Number(options.retainAsPublished),
    rh: options.retainHandling,
    durable: false,
  }
}

function subscriptionFilter(
  query: Readonly<Record<string, unknown>>,
  node: string,
): ((view: SubscriptionView) => boolean) | undefined {
  const { qos, topic, match_topic, share_group, clientid } = query
  if ([qos, topic, match_topic, share_group, clientid, query.node].every((value) => value === undefined))
    return undefined
  return ({ filter, options }) => {
    const { group, plain } = splitShare(filter)
    return (
      (query.node === undefined || query.node === node) &&
      (qos === undefined || options.qos === qos) &&
      (topic === undefined || plain === topic) &&
      (share_group === undefined || group === share_group) &&
      (match_topic === undefined || topicMatches(String(match_topic), plain))
    )
  }
}

function splitShare(filter: string): { readonly group?: string; readonly plain: string } {
  if (filter.startsWith('$queue/')) return { group: '$queue', plain: filter.slice('$queue/'.length) }
  const [, group, plain] = /^\$share\/([^/]+)\/(.*)$/s.exec(filter) ?? []
  return group === undefined || plain === undefined ? { plain: filter } : { group, plain }
}
