import { encodeMessage, isOwnTopic } from './message.ts'
import { type Property, propertiesOf } from './properties.ts'
import { ProtoWriter } from './proto-writer.ts'
import type { EncodeContext, Encoders } from './requests.ts'

const writer = new ProtoWriter()
const inner = new ProtoWriter()

export const messageRequests: Pick<
  Encoders,
  'message.publish' | 'message.delivered' | 'message.dropped' | 'message.acked'
> = {
  'message.publish': (context, _args, message) => {
    if (message === undefined || isOwnTopic(message.topic)) return undefined
    writer.reset().message(1, encodeMessage(context, message))
    meta(context, 2)
    if (context.version === 'v3' && Object.keys(message.properties).length > 0) {
      const { props, userProps } = propertiesOf(message.properties, 'v3')
      for (const one of props) property(3, one)
      for (const one of userProps) property(4, one)
    }
    return writer.take()
  },

  'message.delivered': (context, { client }, message) => {
    if (message === undefined || isOwnTopic(message.topic)) return undefined
    writer.reset().message(1, context.clients.of(client)).message(2, encodeMessage(context, message))
    return meta(context, 3).take()
  },

  'message.dropped': (context, { message, reason }) => {
    if (isOwnTopic(message.topic)) return undefined
    writer.reset().message(1, encodeMessage(context, message)).string(2, reason)
    return meta(context, 3).take()
  },

  'message.acked': (context, { client, message }) => {
    if (isOwnTopic(message.topic)) return undefined
    writer.reset().message(1, context.clients.of(client)).message(2, encodeMessage(context, message))
    return meta(context, 3).take()
  },
}

function meta(context: EncodeContext, field: number): ProtoWriter {
  return context.meta === undefined ? writer : writer.message(field, context.meta.bytes)
}

function property(field: number, { name, value }: Property): void {
  writer.message(field, inner.reset().string(1, name).string(2, value).written)
}
