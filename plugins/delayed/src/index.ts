import { definePlugin } from '@hookmq/api'
import { readKeptSettings } from '@hookmq/kit'
import { DelayedMessages, type Told } from './delayed-messages.ts'
import { changeLimits, routes } from './http.ts'
import { prefix, readDelayed } from './topic.ts'

/** Where EMQX has it: behind rewriting and the rules, before ExHook. */
const priority = 860

/** The first of the sinks: what waits is no message yet for those that store or send messages on. */
const beforeAllSinks = 1_000_000

/** How often due messages are looked for, milliseconds. */
const resolution = 1000

export default definePlugin({
  name: 'delayed',
  version: '0.1.0',
  api: '^0.1.0',
  aliases: ['emqx_mod_delayed', 'emqx_delayed_publish', 'emq_delayed_publish', 'emqx_delayed'],
  description: 'Publishes messages to $delayed/SECONDS/TOPIC later',
  // Two of them would both publish what is in the store.
  exclusive: true,
  config: {
    'delayed.enable': {
      type: 'flag',
      default: 'on',
      description: 'off: nothing more is delayed; what waits is still published.',
    },
    'delayed.max_delayed_messages': {
      type: 'integer',
      minimum: 0,
      default: '100000',
      description: 'Messages that may wait; 0: no limit. What comes beyond it is refused with reason code 0x97.',
    },
  },
  async setup(ctx) {
    const limits = {
      enabled: ctx.settings.flag('delayed.enable'),
      maximum: ctx.settings.number('delayed.max_delayed_messages'),
    }
    changeLimits(limits, await readKeptSettings(ctx))
    const messages = new DelayedMessages(ctx)
    // One worker of a broker holds what waits, whoever took it.
    if (ctx.members.leads) await messages.restore()
    ctx.gauge('delayed', () => messages.count)
    ctx.members.onTold((value) => {
      const told = value as Told
      if (told.limits !== undefined) changeLimits(limits, told.limits)
      return messages.told(told)
    })
    if (ctx.members.leads) {
      ctx.every(resolution, () => {
        messages.announce()
        return messages.publishDue()
      })
    }
    for (const route of routes(ctx, messages, limits)) ctx.route(route)

    const full = (): boolean => limits.maximum > 0 && messages.total >= limits.maximum
    const refused = ctx.counter('refused')

    ctx.hook(
      'message.publish',
      ({ client }, message) => {
        const mountpoint = client?.mountpoint ?? ''
        if (!message.topic.startsWith(prefix, mountpoint.length) || !limits.enabled) return undefined
        if (mountpoint !== '' && !message.topic.startsWith(mountpoint)) return undefined
        const delayed = readDelayed(message.topic.slice(mountpoint.length), ctx.now())
        if (typeof delayed === 'string') {
          refused.add()
          ctx.log.warn('delayed message refused', { from: message.from, reason: delayed })
          return { reject: 0x90, reason: delayed }
        }
        if (full()) {
          refused.add()
          return { reject: 0x97, reason: 'as many delayed messages wait as may' }
        }
        const headers = { ...message.headers, delayedUntil: delayed.due }
        // With its own topic, so that the broker asks for the permission to publish there as well. Hooks behind this one see it when it is due.
        return { stop: { ...message, topic: mountpoint + delayed.topic, headers } }
      },
      { priority, name: 'delayed' },
    )
    ctx.hook(
      'message.publish',
      (_args, message) => {
        const due = message.headers.delayedUntil
        if (due === undefined) return undefined
        return messages.add(message, due).then(() => ({ drop: true, reason: 'delayed' }) as const)
      },
      // What could not be stored must not be acknowledged as if it were, and never be published at once.
      { phase: 'sink', priority: beforeAllSinks, failedAction: 'deny', name: 'delayed' },
    )
  },
})
