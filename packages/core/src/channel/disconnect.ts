import { type DisconnectPacket, type Properties, ReasonCode, reasonCodeName } from '@hookmq/mqtt'
import { after } from '../after.ts'
import * as M from '../metrics/index.ts'
import type { Channel } from './channel.ts'

/** Milliseconds that the client is given to take the last bytes. */
const closingTime = 2000

export interface Ending {
  /** For client.disconnected and session.terminated. */
  readonly reason: string
  /** DISCONNECT with this code goes to an MQTT 5 client. */
  readonly reasonCode?: number
  readonly reasonString?: string
  readonly serverReference?: string
  /** false: the will is discarded. */
  readonly will: boolean
  /** The DISCONNECT bytes come after client.disconnected (kick, takeover), not before. */
  readonly bytesLast?: boolean
  /** The session has another owner now, or is thrown away by clean start: its end is not this connection's business. */
  readonly sessionGone?: 'takenover' | 'discarded'
  /** DISCONNECT set the session expiry interval to 0: EMQX ends such a session without session.terminated. */
  readonly silentEnd?: boolean
  /** The session ends now even if it has an expiry interval (kick). */
  readonly endSession?: boolean
  /** Runs when all is done. */
  readonly finished?: () => void
}

/** The one way in which connections end; the order of hooks and bytes is that of EMQX. */
export function endConnection(channel: Channel, ending: Ending): void {
  if (channel.state === 'closed') return
  const wasConnected = channel.state === 'connected'
  channel.state = 'closed'
  const { broker, session, client, connInfo } = channel
  channel.cancelWaiting()
  if (!wasConnected || session === undefined || client === undefined || connInfo === undefined) {
    closeTransport(channel)
    ending.finished?.()
    return
  }
  if (ending.bytesLast !== true) sendDisconnect(channel, ending)
  const gone = ending.sessionGone ?? (session.channel === channel ? undefined : 'takenover')
  if (gone === undefined) {
    session.detach()
    // A hook may make the end wait; who comes back meanwhile must not find the session that was to end.
    if (ending.endSession === true) session.expiryInterval = 0
    broker.chains.sessionDisconnected.notify({ client, session: session.info() })
  }
  const { will } = channel
  channel.will = undefined
  const published =
    will !== undefined && ending.will
      ? broker.wills.connectionEnded(session, client, will, gone, ending.endSession === true)
      : undefined
  const finished = after(published, () => {
    broker.metrics.counters[M.CLIENT_DISCONNECTED]++
    broker.chains.clientDisconnected.notify({
      client,
      reason: ending.reason,
      connInfo: { ...connInfo, disconnectedAt: broker.clock.now() },
    })
    if (ending.bytesLast === true) sendDisconnect(channel, ending)
    closeTransport(channel)
    // A hook may have made this wait: if the client is back meanwhile, the session is its new connection's.
    if (gone === undefined && session.channel === undefined) {
      if (ending.endSession === true || session.expiryInterval === 0) {
        broker.sessions.end(session, ending.silentEnd === true ? undefined : ending.reason)
      } else broker.sessions.detached(session)
    }
    ending.finished?.()
  })
  if (finished instanceof Promise) finished.catch((error) => broker.reportBug(error))
}

function sendDisconnect(channel: Channel, ending: Ending): void {
  if (ending.reasonCode === undefined || channel.version !== 5) return
  const properties: Properties = {
    ...(ending.reasonString !== undefined && { reasonString: ending.reasonString }),
    ...(ending.serverReference !== undefined && { serverReference: ending.serverReference }),
  }
  channel.broker.metrics.counters[M.PACKETS_DISCONNECT_SENT]++
  channel.send({ type: 'disconnect', reasonCode: ending.reasonCode, properties })
}

function closeTransport(channel: Channel): void {
  channel.outbox.flush()
  channel.transport.end(closingTime)
}

/** DISCONNECT from the client. */
export function handleDisconnect(channel: Channel, packet: DisconnectPacket): undefined {
  const { session, broker } = channel
  broker.metrics.counters[M.PACKETS_DISCONNECT_RECEIVED]++
  if (session === undefined) return
  let silentEnd = false
  const asked = packet.properties.sessionExpiryInterval
  if (asked !== undefined) {
    // [MQTT-3.14.2-2] and the protocol error of 3.14.2.2.2
    if (session.expiryInterval === 0 && asked !== 0) {
      channel.fail(ReasonCode.ProtocolError, 'a session that ends with its connection cannot be kept at DISCONNECT')
      return
    }
    silentEnd = asked === 0 && session.expiryInterval > 0
    session.expiryInterval = Math.min(asked, broker.options.maxSessionExpiryInterval)
  }
  const normal = packet.reasonCode === ReasonCode.Success
  endConnection(channel, {
    reason: normal ? 'normal' : reasonCodeName(packet.reasonCode),
    // [MQTT-3.14.4-3] [MQTT-3.14.4-3 v3.1.1]: only a normal disconnection throws the will away.
    will: !normal,
    silentEnd,
  })
}
