import type { ClientInfo } from '@hookmq/api'
import { type MessageInitShape, v3 } from '@hookmq/exhook-proto'
import { subscriptionOptionsOf } from './client.ts'
import { clientInfoOf } from './client-info.ts'
import { encode, type MapContext } from './context.ts'
import type { Encoders } from './requests.ts'

export const sessionRequests: Pick<
  Encoders,
  | 'session.created'
  | 'session.subscribed'
  | 'session.unsubscribed'
  | 'session.resumed'
  | 'session.discarded'
  | 'session.takenover'
  | 'session.terminated'
> = {
  'session.created': (context, { client }) => encode(v3.SessionCreatedRequestSchema, about(context, client)),
  'session.resumed': (context, { client }) => encode(v3.SessionResumedRequestSchema, about(context, client)),
  'session.discarded': (context, { client }) => encode(v3.SessionDiscardedRequestSchema, about(context, client)),
  'session.takenover': (context, { client }) => encode(v3.SessionTakenoverRequestSchema, about(context, client)),

  'session.subscribed': (context, { client, topic, options }) =>
    encode(v3.SessionSubscribedRequestSchema, {
      ...about(context, client),
      topic,
      subopts: subscriptionOptionsOf(context, topic, options),
    }),

  'session.unsubscribed': (context, { client, topic }) =>
    encode(v3.SessionUnsubscribedRequestSchema, { ...about(context, client), topic }),

  'session.terminated': (context, { client, reason }) =>
    encode(v3.SessionTerminatedRequestSchema, { ...about(context, client), reason: terminationReason(reason) }),
}

function about(
  context: MapContext,
  client: ClientInfo,
): {
  readonly clientinfo: MessageInitShape<typeof v3.ClientInfoSchema>
  readonly meta: MessageInitShape<typeof v3.RequestMetaSchema> | undefined
} {
  return { clientinfo: clientInfoOf(context, client), meta: context.meta?.fields }
}

/** EMQX shows here, and only here, how its process ended. */
function terminationReason(reason: string): string {
  return reason === 'kicked' || reason === 'expired' ? reason : `{shutdown,${reason}}`
}
