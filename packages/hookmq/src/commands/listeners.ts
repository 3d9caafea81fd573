import type { CommandResult, ListenerView } from '@hookmq/api'
import { messageOf } from '../errors.ts'
import type { CommandContext, CommandFactory } from './context.ts'
import { field, list, say, tuples } from './text.ts'

type Verb = 'start' | 'stop' | 'restart'

export const listenersCommand: CommandFactory = (context) => ({
  name: 'listeners',
  usage:
    context.profile === '2.x'
      ? [
          ['listeners', 'List the listeners'],
          ['listeners restart <Proto> <Port>', 'Restart a listener'],
          ['listeners stop    <Proto> <Port>', 'Stop a listener'],
        ]
      : [
          ['listeners', 'List the listeners'],
          ['listeners start <Identifier>', 'Start a listener'],
          ['listeners stop <Identifier>', 'Stop a listener; its connections stay'],
          ['listeners restart <Identifier>', 'Stop it and start it again'],
        ],
  async run([verb, first, address, ...rest]) {
    if (verb === undefined || (verb === 'list' && first === undefined)) return listAll(context)
    if (first === undefined || rest.length > 0) return undefined
    if (verb !== 'start' && verb !== 'stop' && verb !== 'restart') return undefined
    return change(context, verb, first, address)
  },
})

/** As EMQ calls it: `mqtt:tcp`. */
function protocol({ type }: ListenerView): string {
  return `mqtt:${type}`
}

function identifier({ id }: ListenerView): string {
  return `mqtt:${id}`
}

function listAll({ admin, profile }: CommandContext): CommandResult {
  return list(admin.listeners(), (view) => {
    // One event loop accepts for all of them.
    const acceptors = 1
    const [head, rows] =
      profile === '2.x'
        ? [
            `listener on ${protocol(view)}:${view.address}`,
            { acceptors, max_clients: view.maxConnections, current_clients: view.currentConnections },
          ]
        : [
            identifier(view),
            {
              listen_on: view.address,
              acceptors,
              max_conns: view.maxConnections,
              current_conn: view.currentConnections,
            },
          ]
    const shown = { ...rows, shutdown_count: tuples(view.shutdownCount), ...(view.running ? {} : { running: false }) }
    return [head, ...Object.entries(shown).map(([name, value]) => `  ${field(name, value, 16)}`)]
  })
}

/** By identifier (`mqtt:tcp:external`, `tcp:external`), or by protocol and address as EMQ 2.x has it. */
function find({ admin }: CommandContext, first: string, address: string | undefined): ListenerView | undefined {
  return admin.listeners().find((view) => {
    if (address === undefined) return first === view.id || first === identifier(view)
    const port = view.address.slice(view.address.lastIndexOf(':') + 1)
    return (first === protocol(view) || first === view.type) && (address === view.address || address === port)
  })
}

async function change(
  context: CommandContext,
  verb: Verb,
  first: string,
  address: string | undefined,
): Promise<CommandResult> {
  const view = find(context, first, address)
  if (view === undefined) {
    const asked = address === undefined ? first : `${first} ${address}`
    return { ...say(`No such listener ${asked}`), json: { error: 'not_found' } }
  }
  const old = context.profile === '2.x'
  const place = address ?? view.address
  try {
    const { admin } = context
    if (verb !== 'start') await admin.stopListener(view.id)
    if (verb !== 'stop') await admin.startListener(view.id)
  } catch (error) {
    const name = old ? `${protocol(view)} listener on ${place}` : `${identifier(view)} listener`
    const done = old && verb === 'start' ? 'Start' : verb
    return { ...say(`Failed to ${done} ${name}, error:${messageOf(error)}`), json: { error: messageOf(error) } }
  }
  return { ...say(done(view, verb, place, old)), json: { ok: true } }
}

function done(view: ListenerView, verb: Verb, place: string, old: boolean): string {
  if (old)
    return `${verb.slice(0, 1).toUpperCase()}${verb.slice(1)} ${protocol(view)} listener on ${place} successfully.`
  if (verb === 'stop') return `Stop ${identifier(view)} listener on ${place} successfully.`
  return `${verb === 'start' ? 'Started' : 'Restarted'} ${identifier(view)} listener successfully.`
}
