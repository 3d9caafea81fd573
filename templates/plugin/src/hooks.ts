import type { PluginContext } from 'hookmq'

/** What happens in the broker, seen and changed. docs/reference/hooks.md has all points, and what each handler may answer. */
export function addHooks(ctx: PluginContext): void {
  const { log } = ctx

  // These only tell: nobody waits for them, and they return nothing.
  ctx.hook('client.connected', ({ client, connInfo }) => {
    log.info('connected', { clientId: client.clientId, from: connInfo.peerhost })
  })
  ctx.hook('client.disconnected', ({ client, reason }) => {
    log.info('disconnected', { clientId: client.clientId, reason })
  })
  ctx.hook('session.subscribed', ({ client, topic, options }) => {
    log.info('subscribed', { clientId: client.clientId, topic, qos: options.qos })
  })
  ctx.hook('session.unsubscribed', ({ client, topic }) => {
    log.info('unsubscribed', { clientId: client.clientId, topic })
  })
  ctx.hook('message.acked', ({ client, message }) => {
    log.debug('acknowledged', { clientId: client.clientId, topic: message.topic })
  })

  // These decide. The second argument is what the broker is about to do; nothing returned means: go on.
  ctx.hook('client.subscribe', ({ client }, subscriptions) => {
    log.debug('subscribes', { clientId: client.clientId, filters: subscriptions.map(({ filter }) => filter) })
  })
  ctx.hook('client.unsubscribe', ({ client }, subscriptions) => {
    log.debug('unsubscribes', { clientId: client.clientId, filters: subscriptions.map(({ filter }) => filter) })
  })
  ctx.hook('message.delivered', ({ client }, message) => {
    log.debug('delivered', { clientId: client.clientId, topic: message.topic })
  })

  // This one changes the message. Others never see the original.
  const greeting = ctx.settings.text('my-plugin.greeting')
  const greeted = ctx.counter('greeted')
  ctx.hook(
    'message.publish',
    (_args, message) => {
      greeted.add()
      return { ok: { ...message, payload: Buffer.from(`${greeting}, ${Buffer.from(message.payload)}`) } }
    },
    { topics: ['my-plugin/#'] },
  )
}
