import { definePlugin, type HookHandle, type PluginContext, type RetainedPolicy } from '@hookmq/api'
import { readKeptSettings } from '@hookmq/kit'
import { retainerCommand } from './command.ts'
import { DiscCopy } from './disc-copy.ts'
import { readChanges, routes } from './http.ts'
import { inTurns } from './in-turns.ts'
import { keys, type RetainerSettings, readSettings } from './settings.ts'

/** Behind all other sinks: they are to see what the subscribers do not. */
const afterAllSinks = -1_000_000

export default definePlugin({
  name: 'retainer',
  version: '0.1.0',
  api: '^0.1.0',
  aliases: ['emq_mod_retainer', 'emq_retainer', 'emqx_retainer'],
  description: 'Limits, expiry and tools for retained messages',
  config: keys,
  async setup(ctx) {
    const settings = readSettings(ctx.settings)
    const kept = readChanges((await readKeptSettings(ctx)) ?? {})
    if (typeof kept === 'object') Object.assign(settings, kept)
    // Every worker of a broker has all retained messages; one of them writes them down, unless the broker does.
    const copies = settings.storage !== 'ram' && !ctx.admin.retainedSurvive && ctx.members.leads
    const disc = copies ? new DiscCopy(ctx) : undefined
    await disc?.restore()
    const changed = disc === undefined ? undefined : (topic: string | undefined) => disc.changed(topic)
    let withdraw = ctx.retained(policyOf(settings, changed))
    if (disc !== undefined) {
      ctx.after(0, () => disc.settle())
      ctx.onTeardown(() => disc.close())
    }
    addClearing(ctx, settings)
    const stopClearing = clearingHook(ctx)
    stopClearing(settings.stopClearMessages)
    ctx.command(retainerCommand(ctx))
    const use = (): void => {
      // The new one first: there is no moment without limits.
      const before = withdraw
      withdraw = ctx.retained(policyOf(settings, changed))
      before()
      stopClearing(settings.stopClearMessages)
    }
    ctx.members.onTold((value) => {
      Object.assign(settings, value)
      use()
    })
    const useEverywhere = (): void => {
      use()
      ctx.members.tell(settings)
    }
    for (const route of routes(ctx, settings, useEverywhere)) ctx.route(route)
  },
})

function policyOf(settings: RetainerSettings, changed: RetainedPolicy['changed']): RetainedPolicy {
  const { maxMessages, maxPayload, expiry, storeRate, deliveryRate } = settings
  return { maxMessages, maxPayload, expiry, storeRate, deliveryRate, changed }
}

/** Takes away what has expired and nobody asks for. */
function addClearing(ctx: PluginContext, { clearInterval }: RetainerSettings): void {
  if (clearInterval === 0) return
  let running = false
  ctx.every(clearInterval, async () => {
    if (running) return
    running = true
    try {
      // Reading is enough: what has expired is taken away when it is come upon.
      await inTurns(ctx.admin.retained.all(), () => {}, ctx.signal)
    } finally {
      running = false
    }
  })
}

/** Returns what turns it on and off: a hook on message.publish costs something for each message, so there is none without need. */
function clearingHook(ctx: PluginContext): (on: boolean) => void {
  let hook: HookHandle | undefined
  return (on) => {
    if (!on) {
      hook?.remove()
      hook = undefined
      return
    }
    hook ??= ctx.hook(
      'message.publish',
      (_args, message) => {
        if (!message.retain || message.payload.length > 0) return undefined
        ctx.admin.retained.delete(message.topic)
        return { drop: true, reason: 'clears a retained message' }
      },
      { phase: 'sink', priority: afterAllSinks, name: 'retainer' },
    )
  }
}
