import type { CommandResult, SubscriptionView } from '@hookmq/api'
import { parseShared } from '@hookmq/mqtt'
import { messageOf } from '../errors.ts'
import type { CommandContext, CommandFactory } from './context.ts'
import { collect, field, list, notFound, say } from './text.ts'

export const subscriptionsCommand: CommandFactory = (context) => ({
  name: 'subscriptions',
  usage: [
    ['subscriptions list', 'List the subscriptions'],
    ['subscriptions show <ClientId>', 'Show those of a client'],
    ['subscriptions add <ClientId> <Topic> <QoS>', 'Subscribe for a client'],
    ['subscriptions del <ClientId> <Topic>', 'Unsubscribe for a client'],
  ],
  async run([what, ...args]) {
    const [clientId, topic, qos] = args
    if (what === 'list' && args.length === 0) return listAll(context)
    if (what === 'show' && args.length === 1) return show(context, clientId)
    if (what === 'add' && args.length === 3) return add(context, clientId, topic, qos)
    if (what === 'del' && args.length === 2) return remove(context, clientId, [topic])
    if (what === 'del' && args.length === 1 && context.profile === '2.x') return removeAll(context, clientId)
    return undefined
  },
})

async function listAll({ admin, profile }: CommandContext): Promise<CommandResult> {
  const all = await collect(admin.subscriptions(), (view) => view)
  return list(all, (view) => line(view, profile), fields)
}

function show({ admin, profile }: CommandContext, clientId: string): CommandResult {
  const own = viewsOf({ admin }, clientId)
  if (own.length === 0) return notFound
  return list(
    own,
    (view) => (profile === '4.x' ? line(view, profile) : [line(view, profile), ...options(view)]),
    fields,
  )
}

function viewsOf({ admin }: Pick<CommandContext, 'admin'>, clientId: string): SubscriptionView[] {
  const subscriptions = admin.client(clientId)?.session.subscriptions ?? new Map<string, SubscriptionView['options']>()
  return [...subscriptions].map(([filter, given]) => ({ clientId, filter, options: given }))
}

function line({ clientId, filter, options: { qos } }: SubscriptionView, profile: CommandContext['profile']): string {
  return profile === '2.x' ? `${clientId} -> ${filter}:${qos}` : `${clientId} -> ${filter}`
}

function options({ filter, options: { qos } }: SubscriptionView): string[] {
  const shared = parseShared(filter)
  const rows = [field('qos', qos, 8)]
  if (shared !== undefined) rows.push(field('share', shared.group, 8))
  return rows.map((row) => `  ${row}`)
}

function fields({ clientId, filter, options: given }: SubscriptionView) {
  return {
    clientid: clientId,
    topic: filter,
    qos: given.qos,
    nl: Number(given.noLocal),
    rap: Number(given.retainAsPublished),
    rh: given.retainHandling,
  }
}

function noSession({ profile }: CommandContext): CommandResult {
  return say(`Error: ${profile === '2.x' ? 'Session' : 'Channel'} not found!`)
}

function add(context: CommandContext, clientId: string, topic: string, qos: string): CommandResult {
  const wanted = ([0, 1, 2] as const).find((one) => String(one) === qos)
  if (wanted === undefined) return say('QoS should be 0, 1, 2')
  try {
    const done = context.admin.subscribe(clientId, topic, { qos: wanted })
    return done === 'ok' ? say('ok') : noSession(context)
  } catch (error) {
    return say(`Error: ${messageOf(error)}`)
  }
}

function remove(context: CommandContext, clientId: string, topics: readonly string[]): CommandResult {
  for (const topic of topics) {
    // Not to be subscribed to it is what was asked for.
    if (context.admin.unsubscribe(clientId, topic) === 'no_session') return noSession(context)
  }
  return say('ok')
}

function removeAll(context: CommandContext, clientId: string): CommandResult {
  if (context.admin.client(clientId) === undefined) return noSession(context)
  return remove(
    context,
    clientId,
    viewsOf(context, clientId).map(({ filter }) => filter),
  )
}
