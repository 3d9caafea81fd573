import { randomUUID } from 'node:crypto'
import type { AuthenticateResult, ClientInfo, Cluster, ConnInfo, Credential } from '@hookmq/api'
import {
  type ConnackPacket,
  type ConnectPacket,
  type MqttError,
  type Properties,
  type ProtocolVersion,
  ReasonCode,
  reasonCodeName,
  topicNameError,
} from '@hookmq/mqtt'
import { after } from '../after.ts'
import * as M from '../metrics/index.ts'
import { Refusal } from '../refusal.ts'
import { type Authenticated, authenticate } from './authenticate.ts'
import { type Admission, type Channel, HOLD_CONNECTING } from './channel.ts'
import { endConnection } from './disconnect.ts'
import { mostUnreleased } from './packet-identifiers.ts'
import { OutgoingAliases } from './topic-alias.ts'

/** CONNECT: each step goes on at once unless a hook makes it wait; nothing else of the client is read meanwhile. */
export function handleConnect(channel: Channel, packet: ConnectPacket): void {
  if (channel.state !== 'idle') return channel.fail(ReasonCode.ProtocolError, 'a second CONNECT') // [MQTT-3.1.0-2]
  channel.version = packet.protocolVersion
  const { broker, admission } = channel
  const place = admission === undefined ? channel.moveTo(identityOf(channel, packet).clientId) : 'here'
  if (place === 'moved') return
  channel.state = 'connecting'
  if (admission === undefined) broker.metrics.counters[M.CLIENT_CONNECT]++
  const connInfo = describeConnection(channel, packet)
  channel.connInfo = connInfo
  const { maximumPacketSize, requestProblemInformation } = packet.properties
  if (maximumPacketSize !== undefined) channel.clientMaximumPacketSize = maximumPacketSize
  if (maximumPacketSize !== undefined || requestProblemInformation === 0) {
    channel.encodeOptions = { maximumPacketSize, problemInformation: requestProblemInformation !== 0 }
  }
  if (place === 'nowhere') return waitWhileConnecting(channel, refuse(channel, ownerAway()))
  if (admission !== undefined) {
    channel.authenticationMethod = packet.properties.authenticationMethod
    const { client, connectProperties, data } = admission
    return waitWhileConnecting(channel, accept(channel, packet, connectProperties, client, data))
  }
  const { clientConnect } = broker.chains
  const work = after(
    clientConnect.size === 0 ? packet.properties : clientConnect.fold({ connInfo }, packet.properties, channel.scope),
    (properties) => {
      if (channel.state !== 'connecting') return
      if (properties instanceof Refusal) return refuse(channel, properties)
      const identity = identityOf(channel, packet)
      const fault = checkConnect(channel, packet, identity)
      if (fault !== undefined) return refuse(channel, fault)
      return after(authenticate(channel, credentialOf(channel, packet, identity)), (outcome) =>
        finishConnect(channel, packet, properties, outcome),
      )
    },
  )
  waitWhileConnecting(channel, work)
}

function ownerAway(): Refusal {
  const cause = 'the process that has this session is not there; it will be back'
  return new Refusal('reject', ReasonCode.ServerUnavailable, 'core', cause)
}

/** Stops reading until a step that waits for a hook is done. */
export function waitWhileConnecting(channel: Channel, work: unknown): void {
  if (!(work instanceof Promise)) return
  channel.hold(HOLD_CONNECTING)
  work
    .catch((error) => {
      channel.broker.reportBug(error)
      channel.abort()
    })
    .finally(() => channel.release(HOLD_CONNECTING))
}

function describeConnection(channel: Channel, packet: ConnectPacket): ConnInfo {
  const { transport, broker } = channel
  const { properties } = packet
  return {
    socketType: transport.socketType,
    listener: transport.listener,
    peerhost: transport.peerhost,
    peerport: transport.peerport,
    sockhost: transport.sockhost,
    sockport: transport.sockport,
    protocolName: packet.protocolName,
    protocolVersion: packet.protocolVersion,
    cleanStart: packet.cleanStart,
    clientId: packet.clientId,
    username: packet.username,
    keepAlive: packet.keepAlive,
    properties,
    sessionExpiryInterval: sessionExpiry(packet, broker.options),
    receiveMaximum: properties.receiveMaximum ?? 0xffff,
    connectedAt: 0,
  }
}

/** Seconds. MQTT 3: no clean session means the configured time. */
function sessionExpiry(
  packet: ConnectPacket,
  options: { sessionExpiryInterval: number; maxSessionExpiryInterval: number },
): number {
  if (packet.protocolVersion < 5) return packet.cleanStart ? 0 : options.sessionExpiryInterval
  return Math.min(packet.properties.sessionExpiryInterval ?? 0, options.maxSessionExpiryInterval)
}

/** What the broker cannot or will not serve, in the order in which a client should learn of it. */
function checkConnect(channel: Channel, packet: ConnectPacket, { clientId }: Identity): Refusal | undefined {
  const { options } = channel.broker
  const longest = Math.max(Buffer.byteLength(packet.clientId), Buffer.byteLength(clientId))
  const { will } = packet
  if (packet.clientId === '' && !packet.cleanStart && packet.protocolVersion < 5) {
    // [MQTT-3.1.3-8 v3.1.1]
    return new Refusal('reject', ReasonCode.ClientIdentifierNotValid, 'core', 'an empty client id needs clean session')
  }
  if (longest > options.maxClientIdLength) {
    return new Refusal('reject', ReasonCode.ClientIdentifierNotValid, 'core', 'the client id is too long')
  }
  if (packet.protocolVersion === 3 && packet.clientId === '') {
    return new Refusal('reject', ReasonCode.ClientIdentifierNotValid, 'core', 'MQTT 3.1 needs a client id')
  }
  if (will !== undefined) {
    if (will.retain && !options.retainAvailable) return new Refusal('reject', ReasonCode.RetainNotSupported, 'core') // [MQTT-3.2.2-13]
    if (will.qos > options.maxQosAllowed) return new Refusal('reject', ReasonCode.QoSNotSupported, 'core') // [MQTT-3.2.2-12]
    const fault = topicNameError(will.topic, { maxLength: options.maxTopicLength, maxLevels: options.maxTopicLevels })
    if (fault !== undefined) return new Refusal('reject', fault.reasonCode, 'core', `will topic: ${fault.message}`)
  }
  return undefined
}

interface Identity {
  /** '': one is to be assigned. */
  readonly clientId: string
  readonly username: string | undefined
}

/** The client's names: its own, or those that its certificate or user name stand for. */
function identityOf({ transport, broker: { options } }: Channel, packet: ConnectPacket): Identity {
  const certificate = transport.peerCertificate
  const fromCertificate = (kind: 'off' | 'cn' | 'dn'): string | undefined =>
    kind === 'cn' ? certificate?.commonName : kind === 'dn' ? certificate?.subject : undefined
  const username = fromCertificate(options.peerCertAsUsername) ?? packet.username
  const clientId =
    fromCertificate(options.peerCertAsClientId) ??
    (options.useUsernameAsClientId ? (username ?? packet.clientId) : packet.clientId)
  return { clientId, username }
}

/** One that is ours: the session must not belong to another process. */
function assignedId({ broker: { peers } }: Channel): string {
  for (;;) {
    const id = `hookmq_${randomUUID().replaceAll('-', '')}`
    if (peers === undefined || peers.cluster.owner(id) === peers.cluster.name) return id
  }
}

function credentialOf(channel: Channel, packet: ConnectPacket, { clientId, username }: Identity): Credential {
  const { transport } = channel
  const certificate = transport.peerCertificate
  channel.authenticationMethod = packet.properties.authenticationMethod
  return {
    // [MQTT-3.1.3-6] [MQTT-3.1.3-7] [MQTT-3.1.3-6 v3.1.1]
    clientId: clientId === '' ? assignedId(channel) : clientId,
    username,
    protocol: transport.protocol,
    protocolVersion: packet.protocolVersion,
    listener: transport.listener,
    peerhost: transport.peerhost,
    peerport: transport.peerport,
    sockport: transport.sockport,
    mountpoint: '',
    superuser: false,
    anonymous: false,
    bridge: packet.bridge,
    cn: certificate?.commonName,
    dn: certificate?.subject,
    attributes: {},
    password: packet.password,
    authenticationMethod: packet.properties.authenticationMethod,
    authenticationData: packet.properties.authenticationData,
    step: 'connect',
  }
}

/** Authentication has an answer: refuse, ask for more (AUTH), or let the client in. */
export function finishConnect(
  channel: Channel,
  packet: ConnectPacket,
  connectProperties: Properties,
  outcome: Authenticated | Refusal,
): undefined | Promise<unknown> {
  if (channel.state === 'closed') return undefined
  if (outcome instanceof Refusal) return refuse(channel, outcome)
  if (outcome.result.result === 'continue') {
    channel.state = 'authenticating'
    channel.authenticationState = outcome.result.state
    channel.broker.exchanges.set(channel, { credential: outcome.credential, packet, connectProperties })
    sendAuth(channel, ReasonCode.ContinueAuthentication, outcome.result.data)
    return undefined
  }
  const { result } = outcome
  if (result.result !== 'allow') return refuse(channel, new Refusal('reject', ReasonCode.NotAuthorized, 'core'))
  const { clientPostAuthn } = channel.broker.chains
  const client = clientOf(channel, outcome.credential, result)
  return after(
    clientPostAuthn.size === 0 || channel.connInfo === undefined
      ? client
      : clientPostAuthn.fold({ connInfo: channel.connInfo }, client, channel.scope),
    (info) =>
      info instanceof Refusal ? refuse(channel, info) : accept(channel, packet, connectProperties, info, result.data),
  ) as undefined | Promise<unknown>
}

export function sendAuth(channel: Channel, reasonCode: number, data: Uint8Array | undefined): void {
  channel.broker.metrics.counters[M.PACKETS_AUTH_SENT]++
  channel.send({
    type: 'auth',
    reasonCode,
    properties: {
      authenticationMethod: channel.authenticationMethod, // [MQTT-4.12.0-5]
      ...(data !== undefined && { authenticationData: data }),
    },
  })
}

type Allowed = Extract<AuthenticateResult, { result: 'allow' }>

export function clientOf(channel: Channel, credential: Credential, allowed: Allowed): ClientInfo {
  const clientId = allowed.clientId ?? credential.clientId
  const username = allowed.username ?? credential.username
  return {
    clientId,
    username,
    protocol: credential.protocol,
    protocolVersion: credential.protocolVersion,
    listener: credential.listener,
    peerhost: credential.peerhost,
    peerport: credential.peerport,
    sockport: credential.sockport,
    mountpoint: (channel.transport.mountpoint ?? '').replace(/%[cu]/g, (name) =>
      name === '%c' ? clientId : (username ?? ''),
    ),
    superuser: allowed.superuser ?? false,
    anonymous: allowed.anonymous ?? false,
    bridge: credential.bridge,
    cn: credential.cn,
    dn: credential.dn,
    attributes: allowed.attributes ?? credential.attributes,
    expiresAt: allowed.expiresAt,
  }
}

/** The client is in: bind it to its session, tell the hooks, answer. */
function accept(
  channel: Channel,
  packet: ConnectPacket,
  connectProperties: Properties,
  client: ClientInfo,
  data: Uint8Array | undefined,
): undefined | Promise<unknown> {
  const { broker } = channel
  if (channel.state === 'closed' || channel.connInfo === undefined) return
  const fault = checkMountpoint(client, packet)
  if (fault !== undefined) return refuse(channel, fault)
  const cluster = broker.peers?.cluster
  if (cluster !== undefined && cluster.owner(client.clientId) !== cluster.name)
    return moveOn(channel, cluster, { client, connectProperties, data })
  channel.settle()
  if (broker.sessions.full && !broker.sessions.has(client.clientId)) {
    broker.metrics.counters[M.CONNECTIONS_REFUSED]++
    broker.metrics.counters[M.CONNECTIONS_REFUSED_SESSION_LIMIT]++
    return refuse(
      channel,
      new Refusal('reject', ReasonCode.QuotaExceeded, 'core', 'the broker holds as many sessions as it may'),
    )
  }
  const known = broker.sessions.get(client.clientId)
  if (known?.asleep === true && !packet.cleanStart && broker.keeper !== undefined) {
    return broker.keeper.load(known).then(
      () => bind(channel, packet, connectProperties, client, data),
      (error: unknown) => {
        broker.log.error('a session cannot be read from the store; its client is refused', {
          clientId: known.id,
          error: error instanceof Error ? error.message : String(error),
        })
        return refuse(channel, storeDown())
      },
    )
  }
  return bind(channel, packet, connectProperties, client, data)
}

/** The client was given an id whose session is at another process. What it sent behind CONNECT is still being read now, and goes there too. */
async function moveOn(channel: Channel, cluster: Cluster, admission: Admission): Promise<void> {
  await undefined
  if (channel.state !== 'connecting' || channel.moveAdmitted(cluster, admission)) return
  await refuse(channel, ownerAway())
}

function storeDown(): Refusal {
  return new Refusal('reject', ReasonCode.ServerUnavailable, 'store', 'the store does not work at present')
}

/** All that the session needs is in memory. */
function bind(
  channel: Channel,
  packet: ConnectPacket,
  connectProperties: Properties,
  client: ClientInfo,
  data: Uint8Array | undefined,
): undefined | Promise<unknown> {
  const { broker } = channel
  if (channel.state === 'closed' || channel.connInfo === undefined) return
  const { options, durable } = broker
  const expiry =
    packet.protocolVersion === 5
      ? Math.min(connectProperties.sessionExpiryInterval ?? 0, options.maxSessionExpiryInterval)
      : channel.connInfo.sessionExpiryInterval
  const known = broker.sessions.get(client.clientId)
  const resumes = known?.persistent === true && !packet.cleanStart
  if (durable?.store.problem !== undefined && !resumes && (expiry > 0 || (known !== undefined && known.number !== 0)))
    return refuse(channel, storeDown())
  const connInfo: ConnInfo = { ...channel.connInfo, connectedAt: broker.clock.now(), sessionExpiryInterval: expiry }
  channel.connInfo = connInfo
  channel.client = client
  channel.mountpoint = client.mountpoint
  channel.will = packet.will
  configure(channel, packet, connectProperties)
  const changes = durable?.store.changes ?? 0
  const opened = broker.sessions.open(channel, client, packet.cleanStart, expiry)
  channel.session = opened.session
  opened.session.resumed = opened.resumed
  channel.state = 'connected'
  broker.metrics.counters[M.CLIENT_CONNECTED]++
  broker.chains.clientConnected.notify({ client, connInfo })
  const properties = connackProperties(channel, packet, client, expiry, data)
  // What CONNACK says of the session is true after a crash as well. One that goes on needs nothing new to be.
  const stored = durable?.store.problem === undefined ? durable?.since(changes) : undefined
  const answered = after(stored, () =>
    sendConnack(channel, connInfo, ReasonCode.Success, opened.resumed, properties),
  ) as undefined | Promise<unknown>
  return after(answered, () => {
    opened.finishTakeover()
    if (channel.session === opened.session && opened.session.channel === channel) opened.session.activate()
  }) as undefined | Promise<unknown>
}

/** A client id or user name must not make a wildcard of the prefix that keeps its client apart from others. */
function checkMountpoint({ mountpoint }: ClientInfo, { will }: ConnectPacket): Refusal | undefined {
  if (mountpoint === '') return undefined
  const fault = topicNameError(mountpoint)
  if (fault !== undefined)
    return new Refusal('reject', ReasonCode.NotAuthorized, 'core', `mountpoint: ${fault.message}`)
  const willFault = will === undefined ? undefined : topicNameError(mountpoint + will.topic)
  if (willFault === undefined) return undefined
  return new Refusal('reject', willFault.reasonCode, 'core', `will topic below the mountpoint: ${willFault.message}`)
}

/** Limits that this client set, or that are set for it. */
function configure(channel: Channel, packet: ConnectPacket, properties: Properties): void {
  const { options } = channel.broker
  const keepAlive =
    packet.protocolVersion === 5 && options.serverKeepAlive > 0 ? options.serverKeepAlive : packet.keepAlive
  // [MQTT-3.1.2-22] [MQTT-3.1.2-24 v3.1.1]
  channel.keepAliveLimit = keepAlive * 1000 * options.keepAliveBackoff * 2
  channel.sendQuota = Math.min(properties.receiveMaximum ?? 0xffff, options.maxInflight || 0xffff)
  const aliases = Math.min(properties.topicAliasMaximum ?? 0, options.maxTopicAlias)
  if (aliases > 0) channel.outgoingAliases = new OutgoingAliases(aliases)
  const asIs = channel.mountpoint === '' && packet.properties.maximumPacketSize === undefined && aliases === 0
  channel.frameVersion = asIs ? (packet.protocolVersion === 5 ? 5 : 4) : 0
}

function connackProperties(
  channel: Channel,
  packet: ConnectPacket,
  client: ClientInfo,
  expiry: number,
  data: Uint8Array | undefined,
): Properties {
  if (packet.protocolVersion !== 5) return {}
  const { options } = channel.broker
  const properties: Properties = {}
  if (expiry !== (packet.properties.sessionExpiryInterval ?? 0)) properties.sessionExpiryInterval = expiry
  const receiveMaximum = mostUnreleased(options)
  if (receiveMaximum < 0xffff) properties.receiveMaximum = receiveMaximum
  if (options.maxQosAllowed !== 2) properties.maximumQoS = options.maxQosAllowed
  if (!options.retainAvailable) properties.retainAvailable = 0
  if (options.maxPacketSize > 0) properties.maximumPacketSize = options.maxPacketSize
  if (client.clientId !== packet.clientId) properties.assignedClientIdentifier = client.clientId // [MQTT-3.1.3-7] [MQTT-3.2.2-16]
  if (options.maxTopicAlias > 0) properties.topicAliasMaximum = options.maxTopicAlias
  if (!options.wildcardSubscription) properties.wildcardSubscriptionAvailable = 0
  if (!options.sharedSubscription) properties.sharedSubscriptionAvailable = 0
  if (options.serverKeepAlive > 0 && options.serverKeepAlive !== packet.keepAlive) {
    properties.serverKeepAlive = options.serverKeepAlive // [MQTT-3.2.2-21]
  }
  // [MQTT-3.1.2-28]
  if (packet.properties.requestResponseInformation === 1 && options.responseInformation !== '') {
    properties.responseInformation = options.responseInformation.replaceAll('%c', client.clientId)
  }
  if (packet.properties.authenticationMethod !== undefined) {
    properties.authenticationMethod = packet.properties.authenticationMethod
    if (data !== undefined) properties.authenticationData = data
  }
  return properties
}

function sendConnack(
  channel: Channel,
  connInfo: ConnInfo,
  reasonCode: number,
  sessionPresent: boolean,
  properties: Properties,
): undefined | Promise<unknown> {
  const { broker } = channel
  const { clientConnack } = broker.chains
  const write = (changed: Properties | Refusal): undefined => {
    const packet: ConnackPacket = {
      type: 'connack',
      sessionPresent,
      reasonCode,
      properties: changed instanceof Refusal ? properties : changed,
    }
    broker.metrics.counters[M.PACKETS_CONNACK_SENT]++
    broker.metrics.counters[M.CLIENT_CONNACK]++
    channel.send(packet)
  }
  if (clientConnack.size === 0) return write(properties)
  return after(
    clientConnack.fold({ connInfo, reasonCode, reason: reasonCodeName(reasonCode) }, properties, channel.scope),
    write,
  ) as undefined | Promise<unknown>
}

/** CONNACK with a code other than 0, then the connection is closed. [MQTT-3.2.2-7] [MQTT-3.2.2-5 v3.1.1] */
function refuse(channel: Channel, refusal: Refusal): undefined | Promise<unknown> {
  const { broker, connInfo } = channel
  if (channel.state === 'closed' || connInfo === undefined) return
  const { counters } = broker.metrics
  counters[M.PACKETS_CONNACK_ERROR]++
  if (refusal.reasonCode === ReasonCode.NotAuthorized || refusal.reasonCode === ReasonCode.BadUserNameOrPassword) {
    counters[M.PACKETS_CONNACK_AUTH_ERROR]++
  }
  const properties: Properties = {}
  if (channel.version === 5) {
    if (refusal.reasonString !== undefined) properties.reasonString = refusal.reasonString
    if (refusal.serverReference !== undefined) properties.serverReference = refusal.serverReference
  }
  // [MQTT-3.2.2-6]: no session present flag with an error.
  return after(sendConnack(channel, connInfo, refusal.reasonCode, false, properties), () =>
    endConnection(channel, { reason: reasonCodeName(refusal.reasonCode), will: false }),
  ) as undefined | Promise<unknown>
}

export { refuse as refuseConnect }

/** The first packet is not a CONNECT that can be read: no hook sees it. [MQTT-3.1.0-1] [MQTT-3.1.2-2] [MQTT-3.1.4-1] */
export function refuseMalformedConnect(channel: Channel, error: MqttError): void {
  if (channel.state === 'closed') return
  if (error.reasonCode === ReasonCode.UnsupportedProtocolVersion) {
    channel.version = (error.protocolVersion ?? 4) >= 5 ? 5 : 4
    channel.send({ type: 'connack', sessionPresent: false, reasonCode: error.reasonCode, properties: {} })
  } else if (channel.state === 'idle' && channel.parser.version === 5) {
    channel.version = 5 as ProtocolVersion
    channel.send({ type: 'connack', sessionPresent: false, reasonCode: error.reasonCode, properties: {} })
  } else if (channel.state === 'authenticating' || channel.state === 'connecting') {
    channel.send({ type: 'connack', sessionPresent: false, reasonCode: error.reasonCode, properties: {} })
  }
  channel.broker.metrics.counters[M.PACKETS_CONNACK_ERROR]++
  channel.abort()
}
