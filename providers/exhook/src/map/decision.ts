import { v3 } from '@hookmq/exhook-proto'
import { credentialOf } from './client-info.ts'
import { encode } from './context.ts'
import { ProtoWriter } from './proto-writer.ts'
import type { Encoders } from './requests.ts'

const writer = new ProtoWriter()

export const decisionRequests: Pick<Encoders, 'client.authenticate' | 'client.authorize'> = {
  'client.authenticate': (context, { client }, result) =>
    encode(v3.ClientAuthenticateRequestSchema, {
      clientinfo: credentialOf(context, client),
      result: result?.result === 'allow',
      meta: context.meta?.fields,
    }),

  'client.authorize': (context, { client, action, topic }, result) => {
    writer.reset().message(1, context.clients.of(client))
    writer.uint(
      2,
      action === 'publish'
        ? v3.ClientAuthorizeRequest_AuthorizeReqType.PUBLISH
        : v3.ClientAuthorizeRequest_AuthorizeReqType.SUBSCRIBE,
    )
    writer.string(3, topic).bool(4, result?.result === 'allow')
    if (context.meta !== undefined) writer.message(5, context.meta.bytes)
    return writer.take()
  },
}
