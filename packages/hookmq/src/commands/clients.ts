import type { ClientView } from '@hookmq/api'
import type { ControlProfile } from '../control/layout.ts'
import type { CommandFactory } from './context.ts'
import { collect, list, notFound, peer, record, say, seconds } from './text.ts'

export const clientsCommand: CommandFactory = ({ admin, profile }) => {
  // EMQ 2.x kept clients and sessions apart: a session without a connection is no client there.
  const counts = (view: ClientView): boolean => profile === '4.x' || view.connected
  return {
    name: 'clients',
    usage: [
      ['clients list', 'List the clients'],
      ['clients show <ClientId>', 'Show a client'],
      ['clients kick <ClientId>', 'Disconnect a client and end its session'],
    ],
    async run([what, clientId, ...rest]) {
      if (rest.length > 0) return undefined
      if (what === 'list' && clientId === undefined) {
        const views = await collect(admin.clients(), (view) => (counts(view) ? view : undefined))
        return list(views, (view) => line(view, profile), fields)
      }
      if (clientId === undefined) return undefined
      if (what === 'show') {
        const view = admin.client(clientId)
        if (view === undefined || !counts(view)) return notFound
        return { lines: [line(view, profile)], json: fields(view) }
      }
      if (what !== 'kick') return undefined
      const kicked = await admin.kick(clientId)
      if (profile === '4.x') return { ...say('ok'), json: { kicked } }
      return kicked ? { lines: [], json: { kicked } } : notFound
    },
  }
}

/** One client under the names of EMQX 4.x. Times: milliseconds since the epoch. */
function fields({ client, connInfo, session, ...view }: ClientView) {
  return {
    clientid: client.clientId,
    username: client.username,
    peername: peer(client.peerhost, client.peerport),
    clean_start: connInfo?.cleanStart ?? !session.persistent,
    keepalive: view.keepAlive,
    session_expiry_interval: session.expiryInterval,
    subscriptions: session.subscriptions.size,
    inflight: session.inflight,
    awaiting_rel: session.awaitingRel,
    delivered_msgs: view.sentMessages,
    enqueued_msgs: session.queued,
    dropped_msgs: view.queueDropped,
    connected: view.connected,
    created_at: session.createdAt,
    connected_at: connInfo?.connectedAt,
    ...(view.disconnectedAt === undefined ? {} : { disconnected_at: view.disconnectedAt }),
  }
}

function line(view: ClientView, profile: ControlProfile): string {
  const { clientid, ...shown } = fields(view)
  if (profile === '4.x') return record('Client', clientid, shown)
  return record('Client', clientid, {
    clean_sess: shown.clean_start,
    username: shown.username,
    peername: shown.peername,
    connected_at: seconds(shown.connected_at),
  })
}
