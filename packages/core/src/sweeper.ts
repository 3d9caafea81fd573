import { ReasonCode } from '@hookmq/mqtt'
import type { Broker } from './broker.ts'
import type { Channel } from './channel/channel.ts'
import { endConnection } from './channel/disconnect.ts'
import * as M from './metrics/index.ts'

/** Milliseconds between two looks at all connections: one timer for all, not one for each. */
export const sweepInterval = 500

/** What depends on the time that has passed: CONNECT overdue, silent clients, clients that do not read, permissions that end. */
export function sweep(broker: Broker): void {
  const now = broker.clock.now()
  try {
    broker.deadlines.runDue(now)
    broker.keeper?.lookAfter(now)
  } catch (error) {
    broker.reportBug(error)
  }
  for (const channel of broker.channels) {
    // A mistake over one connection must end neither the process nor the look at the others.
    try {
      check(broker, channel, now)
    } catch (error) {
      broker.reportBug(error)
    }
  }
}

function check(broker: Broker, channel: Channel, now: number): void {
  const { options, metrics } = broker
  const stalled = channel.outbox.stalledSince
  if (stalled !== 0 && options.sendTimeout > 0 && now - stalled > options.sendTimeout) {
    metrics.counters[M.CONNECTIONS_SLOW_CONSUMER]++
    broker.log.info('client disconnected: it does not read', {
      clientId: channel.clientId,
      pending: channel.outbox.pending,
    })
    endConnection(channel, { reason: 'send_timeout', will: true })
    channel.transport.destroy()
    return
  }
  if (channel.state !== 'connected') {
    if (options.idleTimeout > 0 && now - channel.acceptedAt > options.idleTimeout && channel.state !== 'closed') {
      metrics.counters[M.CONNECTIONS_CONNECT_TIMEOUT]++
      channel.abort()
    }
    return
  }
  // While the broker itself does not read, silence proves nothing.
  if (channel.held) channel.lastReceived = now
  if (channel.keepAliveLimit > 0 && now - channel.lastReceived > channel.keepAliveLimit) {
    metrics.counters[M.CONNECTIONS_KEEPALIVE_TIMEOUT]++
    // [MQTT-3.1.2-22] [MQTT-3.1.2-24 v3.1.1]
    endConnection(channel, { reason: 'keepalive_timeout', reasonCode: ReasonCode.KeepAliveTimeout, will: true })
    return
  }
  const expiresAt = channel.client?.expiresAt
  if (expiresAt !== undefined && expiresAt <= now)
    return channel.fail(ReasonCode.NotAuthorized, 'the authentication has expired')
  channel.session?.dropOverdueRel(now, options.awaitRelTimeout)
}
