import type { ClientView } from '@hookmq/api'

/** A client as EMQX 5 shows it. What the broker does not measure for each client is left out. */
export function clientRow(view: ClientView, node: string): Record<string, unknown> {
  const { client, session, connInfo } = view
  return {
    node,
    clientid: client.clientId,
    username: client.username ?? null,
    proto_name: connInfo?.protocolName ?? 'MQTT',
    proto_ver: client.protocolVersion,
    ip_address: client.peerhost,
    port: client.peerport,
    listener: client.listener,
    mountpoint: client.mountpoint === '' ? null : client.mountpoint,
    is_bridge: client.bridge,
    is_superuser: client.superuser,
    connected: view.connected,
    connected_at: connInfo === undefined ? null : time(connInfo.connectedAt),
    disconnected_at: view.disconnectedAt === undefined ? null : time(view.disconnectedAt),
    created_at: time(session.createdAt),
    zone: 'default',
    keepalive: view.keepAlive,
    clean_start: connInfo?.cleanStart ?? false,
    expiry_interval: session.expiryInterval,
    is_expired: false,
    durable: false,
    subscriptions_cnt: session.subscriptions.size,
    subscriptions_max: 'infinity',
    inflight_cnt: session.inflight,
    inflight_max: view.maxInflight,
    mqueue_len: session.queued,
    mqueue_max: view.maxQueueLength,
    mqueue_dropped: view.queueDropped,
    awaiting_rel_cnt: session.awaitingRel,
    recv_oct: view.receivedBytes,
    recv_msg: view.receivedMessages,
    send_oct: view.sentBytes,
    send_msg: view.sentMessages,
  }
}

/** Milliseconds since the epoch as RFC 3339. */
function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

const text = { type: 'string' } as const
const number = { type: 'integer' } as const
const flag = { type: 'boolean' } as const
const textOrNull = { type: ['string', 'null'] } as const

export const clientSchema = {
  type: 'object',
  properties: {
    node: text,
    clientid: text,
    username: textOrNull,
    proto_name: text,
    proto_ver: number,
    ip_address: text,
    port: number,
    listener: text,
    mountpoint: textOrNull,
    is_bridge: flag,
    is_superuser: flag,
    connected: flag,
    connected_at: textOrNull,
    disconnected_at: textOrNull,
    created_at: text,
    zone: text,
    keepalive: { type: 'number', description: 'Seconds' },
    clean_start: flag,
    expiry_interval: { ...number, description: 'Seconds; 4294967295 = never' },
    is_expired: flag,
    durable: flag,
    subscriptions_cnt: number,
    subscriptions_max: { description: "A number, or 'infinity'" },
    inflight_cnt: number,
    inflight_max: number,
    mqueue_len: number,
    mqueue_max: number,
    mqueue_dropped: number,
    awaiting_rel_cnt: number,
    recv_oct: number,
    recv_msg: number,
    send_oct: number,
    send_msg: number,
  },
} as const
