import type { ClientInfo, ConnInfo, Credential, SessionInfo } from '../client.ts'
import type { Message, MessageInit } from '../message.ts'

/** A connection over loopback, for tests. */
export function testConnInfo(fields: Partial<ConnInfo> = {}): ConnInfo {
  return {
    socketType: 'tcp',
    listener: 'tcp:test',
    peerhost: '127.0.0.1',
    peerport: 50_000,
    sockhost: '127.0.0.1',
    sockport: 1883,
    protocolName: 'MQTT',
    protocolVersion: 5,
    cleanStart: true,
    clientId: 'client',
    keepAlive: 60,
    properties: {},
    sessionExpiryInterval: 0,
    receiveMaximum: 65_535,
    connectedAt: 0,
    ...fields,
  }
}

export function testClient(fields: Partial<ClientInfo> = {}): ClientInfo {
  return {
    clientId: 'client',
    protocol: 'mqtt',
    protocolVersion: 5,
    listener: 'tcp:test',
    peerhost: '127.0.0.1',
    peerport: 50_000,
    sockport: 1883,
    mountpoint: '',
    superuser: false,
    anonymous: false,
    bridge: false,
    attributes: {},
    ...fields,
  }
}

export function testCredential(fields: Partial<Credential> = {}): Credential {
  return { ...testClient(), step: 'connect', ...fields }
}

export function testSession(fields: Partial<SessionInfo> = {}): SessionInfo {
  return {
    clientId: 'client',
    createdAt: 1,
    persistent: false,
    expiryInterval: 0,
    subscriptions: new Map(),
    inflight: 0,
    queued: 0,
    awaitingRel: 0,
    ...fields,
  }
}

let messages = 0

export function testMessage(init: MessageInit): Message {
  const { payload = '', qos = 0, retain = false, from = 'client', properties = {}, headers = {} } = init
  return {
    id: (++messages).toString(16).toUpperCase().padStart(32, '0'),
    topic: init.topic,
    payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
    qos,
    retain,
    dup: false,
    from,
    timestamp: 1,
    properties,
    headers,
  }
}
