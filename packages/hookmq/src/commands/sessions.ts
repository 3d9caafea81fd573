import type { ClientView } from '@hookmq/api'
import type { CommandFactory } from './context.ts'
import { collect, list, notFound, record, seconds } from './text.ts'

export const sessionsCommand: CommandFactory = ({ admin }) => ({
  name: 'sessions',
  usage: [
    ['sessions list', 'List the sessions'],
    ['sessions list persistent', 'List those that outlive their connection'],
    ['sessions list transient', 'List those that end with it'],
    ['sessions show <ClientId>', 'Show a session'],
  ],
  async run([what, which, ...rest]) {
    if (rest.length > 0) return undefined
    if (what === 'show' && which !== undefined) {
      const view = admin.client(which)
      return view === undefined ? notFound : { lines: [line(view)], json: fields(view) }
    }
    if (what !== 'list' || (which !== undefined && which !== 'persistent' && which !== 'transient')) return undefined
    const wanted = (view: ClientView): boolean =>
      which === undefined || view.session.persistent === (which === 'persistent')
    const views = await collect(admin.clients(), (view) => (wanted(view) ? view : undefined))
    return list(views, line, fields)
  },
})

/** One session under the names of EMQ 2.3. `created_at`: seconds since the epoch. */
function fields({ session, ...view }: ClientView) {
  return {
    clientid: session.clientId,
    clean_sess: !session.persistent,
    subscriptions: session.subscriptions.size,
    max_inflight: view.maxInflight,
    inflight: session.inflight,
    mqueue_len: session.queued,
    mqueue_dropped: view.queueDropped,
    awaiting_rel: session.awaitingRel,
    deliver_msg: view.sentMessages,
    enqueue_msg: session.queued,
    created_at: seconds(session.createdAt),
  }
}

function line(view: ClientView): string {
  const { clientid, ...shown } = fields(view)
  return record('Session', clientid, shown)
}
