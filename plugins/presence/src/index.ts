import { definePlugin, type PluginContext } from '@hookmq/api'
import { type Announcement, announcementsOf, type Format } from './announcements.ts'

/** Characters that cannot be in a topic name: a client may have them in its id all the same. */
const unfitForTopic = /[+#\0]/

export default definePlugin({
  name: 'presence',
  version: '0.1.0',
  api: '^0.1.0',
  aliases: ['emq_mod_presence', 'emqx_mod_presence'],
  description: 'Publishes when clients connect and disconnect',
  config: {
    'module.presence': { type: 'flag', default: 'on', description: 'off: nothing is published.' },
    'module.presence.qos': {
      type: 'integer',
      default: '0',
      minimum: 0,
      maximum: 2,
      description: 'QoS of the messages.',
    },
    'module.presence.format': {
      type: 'enum',
      values: ['2.x', '4.x'],
      default: '4.x',
      description: 'Payload as EMQ 2.x has it (refused clients are announced too), or as EMQX 4.x has it.',
    },
  },
  setup(ctx) {
    if (!ctx.settings.flag('module.presence')) {
      ctx.log.info('module.presence is off: no presence messages')
      return
    }
    const announcements = announcementsOf(ctx.settings.text('module.presence.format') as Format)
    const announce = announcer(ctx)
    ctx.hook('client.connected', ({ client, connInfo }) => {
      announce(client.clientId, announcements.connected(client, connInfo, ctx.now()))
    })
    ctx.hook('client.disconnected', ({ client, connInfo, reason }) => {
      announce(client.clientId, announcements.disconnected(client, connInfo, reason, ctx.now()))
    })
    const { refused } = announcements
    if (refused === undefined) return
    ctx.hook('client.connack', ({ connInfo, reasonCode }) => {
      // Without a client id there is no topic to say it under.
      if (reasonCode === 0 || connInfo.clientId === '') return
      for (const announcement of refused(connInfo, reasonCode, ctx.now())) announce(connInfo.clientId, announcement)
    })
  },
})

function announcer(ctx: PluginContext): (clientId: string, announcement: Announcement) => void {
  const qos = ctx.settings.number('module.presence.qos') as 0 | 1 | 2
  const unannounced = ctx.counter('unannounced')
  return (clientId, { event, payload }) => {
    if (unfitForTopic.test(clientId)) {
      unannounced.add()
      return
    }
    ctx.broker
      .publish({
        topic: `$SYS/brokers/${ctx.broker.node}/clients/${clientId}/${event}`,
        payload: JSON.stringify(payload),
        qos,
        headers: { system: true },
      })
      .catch((error: unknown) => {
        unannounced.add()
        ctx.log.warn('presence message not published', { event, error: String(error) })
      })
  }
}
