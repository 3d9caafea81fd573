import { definePlugin } from '@hookmq/api'
import { type Entry, readEntries, subscriptionOf } from './entries.ts'

export default definePlugin({
  name: 'subscription',
  version: '0.1.0',
  api: '^0.1.0',
  aliases: ['emq_mod_subscription', 'emqx_mod_subscription', 'emqx_auto_subscribe'],
  description: 'Subscribes clients when they connect',
  config: {
    'module.subscription': { type: 'flag', default: 'on', description: 'off: nobody is subscribed to anything.' },
    'module.subscription.$N.topic': {
      type: 'string',
      description: 'Filter that each client is subscribed to. `%c` and `%u` may stand for whole levels.',
    },
    'module.subscription.$N.qos': {
      type: 'integer',
      minimum: 0,
      maximum: 2,
      default: '1',
      description: 'QoS of the subscription.',
    },
    'module.subscription.$N.nl': {
      type: 'integer',
      minimum: 0,
      maximum: 1,
      default: '0',
      description: 'No Local, for MQTT 5 clients.',
    },
    'module.subscription.$N.rap': {
      type: 'integer',
      minimum: 0,
      maximum: 1,
      default: '0',
      description: 'Retain As Published, for MQTT 5 clients.',
    },
    'module.subscription.$N.rh': {
      type: 'integer',
      minimum: 0,
      maximum: 2,
      default: '0',
      description:
        'Retain Handling: retained messages are sent at each connect (0), only when the subscription is new (1), never (2).',
    },
    'module.subscription.backend': {
      type: 'flag',
      default: 'off',
      description:
        'Accepted for EMQ 2.0 files; loads nothing: subscriptions from a database are not part of this plugin.',
    },
  },
  setup(ctx) {
    if (!ctx.settings.flag('module.subscription')) {
      ctx.log.info('module.subscription is off: clients are subscribed to nothing')
      return
    }
    const entries = readEntries(ctx.settings)
    if (ctx.settings.flag('module.subscription.backend')) {
      ctx.log.info('module.subscription.backend loads nothing: subscriptions come from module.subscription.<N> only')
    }
    const skipped = ctx.counter('skipped')
    ctx.route({
      method: 'GET',
      path: '/mqtt/auto_subscribe',
      summary: 'Subscriptions that clients get when they connect',
      tag: 'Auto Subscribe',
      handle: () => ({ status: 200, body: entries.map(describe) }),
    })
    if (entries.length === 0) return
    ctx.hook('client.connected', ({ client }) => {
      const subscriptions = []
      for (const entry of entries) {
        const subscription = subscriptionOf(entry, client)
        if (typeof subscription !== 'string') subscriptions.push(subscription)
        else {
          skipped.add()
          ctx.log.warn('automatic subscription left out', {
            key: entry.key,
            clientId: client.clientId,
            reason: subscription,
          })
        }
      }
      if (subscriptions.length === 0) return
      ctx.admin.subscribeOnBehalf(client.clientId, subscriptions).catch((error: unknown) => {
        skipped.add()
        ctx.log.warn('automatic subscriptions failed', { clientId: client.clientId, error: String(error) })
      })
    })
  },
})

function describe({ template, options }: Entry): Record<string, unknown> {
  const { qos, noLocal, retainAsPublished, retainHandling } = options
  return { topic: template, qos, nl: Number(noLocal), rap: Number(retainAsPublished), rh: retainHandling }
}
