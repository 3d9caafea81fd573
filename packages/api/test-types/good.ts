// What plugin authors write and must compile. See src/hook-types.test.ts.
import { definePlugin, type HookHandler } from '@hookmq/api'

const lowerCase: HookHandler<'message.publish'> = (_args, message) => ({
  ok: { ...message, topic: message.topic.toLowerCase() },
})

export default definePlugin({
  name: 'good',
  setup(ctx) {
    ctx.hook('message.publish', lowerCase, { priority: 10, topics: ['a/#'], recheck: false })
    ctx.hook('message.publish', ({ client }) => (client === undefined ? undefined : { drop: true, reason: 'test' }))
    ctx.hook('message.publish', async (_args, message) => (message.payload.length > 9 ? { reject: 0x97 } : 'ok'))
    ctx.hook('message.publish', () => ({ disconnect: 0x98, reason: 'enough' }), { phase: 'sink' })
    ctx.hook('client.connect', ({ connInfo }) =>
      connInfo.clientId === '' ? { reject: 0x9d, serverReference: 'other:1883' } : undefined,
    )
    ctx.hook('client.authenticate', ({ client }) =>
      client.password === undefined ? 'ok' : { stop: { result: 'allow', superuser: true } },
    )
    ctx.hook('client.authorize', ({ action, topic }) =>
      action === 'publish' && topic === 'a' ? { stop: { result: 'deny', from: 'good' } } : 'stop',
    )
    ctx.hook('client.subscribe', (_args, list) => ({ ok: list.map((entry) => ({ ...entry, filter: 'x' })) }))
    ctx.hook('message.puback', ({ routes }, code) => ({ ok: routes === 0 ? 0x10 : code }))
    ctx.hook('message.delivered', ({ client }) => (client.superuser ? { drop: true } : undefined))
    ctx.hook('message.nack', () => ({ ok: true }))
    ctx.hook('client.connected', async ({ client }) => {
      await ctx.broker.publish({ topic: `online/${client.clientId}` })
    })
    ctx.hook('message.dropped', ({ message, reason }) => {
      ctx.log.info(reason, { topic: message.topic })
    })
  },
})
