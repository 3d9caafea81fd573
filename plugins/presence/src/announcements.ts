import { type ClientInfo, type ConnInfo, connackReturnCode } from '@hookmq/api'

export type Format = '2.x' | '4.x'

export interface Announcement {
  readonly event: 'connected' | 'disconnected'
  /** JSON. */
  readonly payload: Readonly<Record<string, string | number | boolean>>
}

/** What is said of a client, in one of the formats. `now`: milliseconds since the epoch. */
export interface Announcements {
  connected(client: ClientInfo, connInfo: ConnInfo, now: number): Announcement
  disconnected(client: ClientInfo, connInfo: ConnInfo, reason: string, now: number): Announcement
  /** Of a CONNECT that was refused. Absent: such clients are not announced. */
  refused?(connInfo: ConnInfo, reasonCode: number, now: number): readonly Announcement[]
}

export function announcementsOf(format: Format): Announcements {
  return format === '2.x' ? version2 : version4
}

/** Erlang's atom for a value that is missing, in JSON. */
const missing = 'undefined'

const reasonsOf4: Readonly<Record<string, string>> = { takenover: 'takeovered' }

/** EMQ 2.x has no word for a client that another one replaced, because it did not announce it: that of 4.x stands in. */
const reasonsOf2: Readonly<Record<string, string>> = {
  ...reasonsOf4,
  tcp_closed: 'closed',
  kicked: 'kick',
  malformed_packet: 'parser_error',
  protocol_error: 'parser_error',
  not_authorized: 'auth_failure',
  unspecified_error: 'internal_error',
  unknown_error: 'internal_error',
}

function reasonIn(reasons: Readonly<Record<string, string>>, reason: string): string {
  return Object.hasOwn(reasons, reason) ? reasons[reason] : reason
}

const seconds = (milliseconds: number): number => Math.floor(milliseconds / 1000)

const version2: Announcements = {
  connected: (client, connInfo, now) => connected2(client.clientId, client.username, connInfo, 0, now),
  disconnected: (client, _connInfo, reason, now) => ({
    event: 'disconnected',
    payload: { clientid: client.clientId, reason: reasonIn(reasonsOf2, reason), ts: seconds(now) },
  }),
  refused: (connInfo, reasonCode, now) => [
    connected2(connInfo.clientId, connInfo.username, connInfo, connackReturnCode(reasonCode), now),
    { event: 'disconnected', payload: { clientid: connInfo.clientId, reason: 'auth_failure', ts: seconds(now) } },
  ],
}

function connected2(
  clientid: string,
  username: string | undefined,
  connInfo: ConnInfo,
  connack: number,
  now: number,
): Announcement {
  return {
    event: 'connected',
    payload: {
      clientid,
      username: username ?? missing,
      ipaddress: connInfo.peerhost,
      session: !connInfo.cleanStart,
      protocol: connInfo.protocolVersion,
      connack,
      ts: seconds(now),
    },
  }
}

const version4: Announcements = {
  connected: (client, connInfo, now) => ({
    event: 'connected',
    payload: {
      ...common4(client, connInfo, now),
      connack: 0,
      keepalive: connInfo.keepAlive,
      clean_start: connInfo.cleanStart,
      expiry_interval: connInfo.sessionExpiryInterval,
    },
  }),
  disconnected: (client, connInfo, reason, now) => ({
    event: 'disconnected',
    payload: {
      ...common4(client, connInfo, now),
      reason: reasonIn(reasonsOf4, reason),
      disconnected_at: connInfo.disconnectedAt ?? now,
    },
  }),
}

function common4(client: ClientInfo, connInfo: ConnInfo, now: number): Announcement['payload'] {
  return {
    clientid: client.clientId,
    username: client.username ?? missing,
    ipaddress: connInfo.peerhost,
    sockport: connInfo.sockport,
    proto_name: connInfo.protocolName,
    proto_ver: connInfo.protocolVersion,
    connected_at: connInfo.connectedAt,
    ts: now,
  }
}
