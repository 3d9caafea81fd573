import type { ClientInfo, Cluster, ConnInfo, MessageHeaders, Transport, TransportHandler } from '@hookmq/api'
import {
  type ControlPacket,
  decodeTopic,
  MqttError,
  noProperties,
  PacketParser,
  type PacketSink,
  type Properties,
  type PublishFrame,
  ReasonCode,
  reasonCodeName,
  type Will,
} from '@hookmq/mqtt'
import type { Broker } from '../broker.ts'
import type { Awaiter } from '../durable/durable.ts'
import { CallScope } from '../hooks/index.ts'
import * as M from '../metrics/index.ts'
import { Refusal } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import { handleAck } from './acknowledge.ts'
import { handleAuth } from './authenticate.ts'
import { handleConnect, refuseConnect, refuseMalformedConnect } from './connect.ts'
import { endConnection, handleDisconnect } from './disconnect.ts'
import { forwardFrame } from './forward.ts'
import { InOrder, type Slot } from './in-order.ts'
import { Limiter } from './limiter.ts'
import { PacketWriter } from './packet-writer.ts'
import { receivePublish } from './publish.ts'
import { handleSubscribe, handleUnsubscribe } from './subscribe.ts'
import type { TopicCache, TopicEntry } from './topic-cache.ts'

/** Why a connection is not being read; one bit each. */
export const HOLD_CONNECTING = 1
const HOLD_WINDOW = 2
const HOLD_RATE = 4
/** Another connection has taken the session over. */
export const HOLD_TAKEN_OVER = 8
/** The client does not read the answers to what it asks. */
const HOLD_UNREAD = 16
/** The other processes of the broker do not keep up with what they are sent. */
const HOLD_PEERS = 32
/** Many of its messages wait for their acknowledgement to be safe. */
const HOLD_ACKNOWLEDGEMENTS = 64
/** More waits for the disk than may. */
export const HOLD_STORE = 128

/** What a process has found out about a client whose session is at another one. */
export interface Admission {
  readonly client: ClientInfo
  /** Properties of its CONNECT, as hooks left them. */
  readonly connectProperties: Properties
  /** Authentication data for its CONNACK. */
  readonly data: Uint8Array | undefined
}

export type ChannelState = 'idle' | 'connecting' | 'authenticating' | 'connected' | 'closed'

/** Acknowledgements that one step writes, of those that waited for the store. */
const acknowledgedTogether = 256

const noLimit = 0xffffffff

/**
 * Protocol state of one connection. Bytes come in through `data`, packets go to the modules beside this file, bytes leave
 * through the outbox.
 */
export class Channel extends PacketWriter implements TransportHandler, PacketSink, Awaiter {
  readonly parser: PacketParser
  state: ChannelState = 'idle'
  connInfo: ConnInfo | undefined
  client: ClientInfo | undefined
  session: Session | undefined
  will: Will | undefined
  /** Method of the enhanced authentication that this connection began with. [MQTT-4.12.0-5] */
  authenticationMethod: string | undefined
  /** What the authenticator of a running exchange wants to see again. */
  authenticationState: unknown
  /** Milliseconds since the epoch. */
  readonly acceptedAt: number
  lastReceived: number
  /** Milliseconds of silence after which the client is gone; 0 = off. */
  keepAliveLimit = 0
  /** QoS 1 and 2 PUBLISHes that may be on the wire unacknowledged. [MQTT-3.3.4-9] */
  sendQuota = 0
  topicAliases: Map<number, TopicEntry> | undefined
  topics: TopicCache | undefined
  order: InOrder | undefined
  /** For operators: what this connection carried. */
  receivedMessages = 0
  receivedBytes = 0
  /** A PUBLISH frame of this MQTT version at QoS 0 can be handed to this client byte for byte. 0 = never. */
  frameVersion: 0 | 4 | 5 = 0
  #scope: CallScope | undefined
  /** Acknowledgements that wait until what they stand for is safe, in their order. */
  #acknowledgements: InOrder | undefined
  /** It is told of the next commit. */
  #awaitsStore = false
  /** Another process has the session of this client, and gets its bytes. */
  #successor: TransportHandler | undefined
  /** What came before CONNECT was understood: it may have to be handed over. */
  #opening: Buffer[] | undefined
  /** CONNECT, as long as the client has not been let in: it may turn out to be another process's. */
  #connect: Buffer | undefined
  /** Another process has let the client in: its CONNECT is only bound to its session. */
  readonly admission: Admission | undefined
  #holds = 0
  /** What was read is being parsed. */
  #reading = false
  #madeRoom = false
  #headers: MessageHeaders | undefined
  /** Set when the transport has closed before everything that it brought took effect. */
  #goneReason: string | undefined
  #cancelThrottle: (() => void) | undefined
  #publishArgs: { readonly client: ClientInfo } | undefined
  #messageLimiter: Limiter | undefined
  #byteLimiter: Limiter | undefined

  constructor(broker: Broker, transport: Transport, admission?: Admission) {
    super(broker, transport)
    this.admission = admission
    this.acceptedAt = broker.clock.now()
    this.lastReceived = this.acceptedAt
    const { options } = broker
    this.parser = new PacketParser(this, { maximumPacketSize: options.maxPacketSize || noLimit, role: 'server' })
    if (options.messageRate > 0) {
      this.#messageLimiter = new Limiter(options.messageRate, options.messageBurst, this.acceptedAt)
    }
    if (broker.peers !== undefined && admission === undefined) this.#opening = []
    if (options.byteRate > 0) this.#byteLimiter = new Limiter(options.byteRate, options.byteBurst, this.acceptedAt)
  }

  /** More waits for this client than it may. */
  get congested(): boolean {
    const { options, flushes } = this.broker
    const { maxPendingBytes, maxPendingBytesTotal } = options
    return (
      (this.outbox.pending > maxPendingBytes && maxPendingBytes > 0) ||
      (this.outbox.stalledSince !== 0 && flushes.pendingBytes > maxPendingBytesTotal && maxPendingBytesTotal > 0)
    )
  }

  get clientId(): string {
    return this.client?.clientId ?? this.connInfo?.clientId ?? ''
  }

  // --- from the transport ------------------------------------------------------------------------------------------

  data(chunk: Buffer): void {
    if (this.state === 'closed') return this.#successor?.data(chunk)
    this.broker.payloads.forget()
    // The chunk is only borrowed.
    this.#opening?.push(Buffer.from(chunk))
    this.lastReceived = this.broker.clock.now()
    this.receivedBytes += chunk.length
    this.broker.metrics.counters[M.BYTES_RECEIVED] += chunk.length
    if (this.#byteLimiter !== undefined) this.#throttle(this.#byteLimiter.take(chunk.length, this.lastReceived))
    this.#reading = true
    try {
      this.parser.write(chunk)
    } catch (error) {
      this.#parserFailed(error)
    }
    this.#reading = false
    if (this.#madeRoom) this.#useRoom()
    if (this.outbox.stalledSince !== 0) this.#checkUnread()
  }

  /** There is room for what waits: it is sent in one go, after all acknowledgements that came together. */
  roomMade(): void {
    if (this.#reading) this.#madeRoom = true
    else this.session?.pump()
  }

  #useRoom(): void {
    this.#madeRoom = false
    this.session?.pump()
  }

  /**
   * Messages stop at `maxPendingBytes`, answers cannot: from twice as much on, who does not read is not read either. Only while the
   * socket holds bytes back, so that `drain` is sure to come.
   */
  #checkUnread(): void {
    const { maxPendingBytes } = this.broker.options
    if (maxPendingBytes === 0 || this.outbox.pending <= 2 * maxPendingBytes || this.state === 'closed') return
    if ((this.#holds & HOLD_UNREAD) === 0) this.broker.metrics.counters[M.CONNECTIONS_THROTTLED]++
    this.hold(HOLD_UNREAD)
  }

  drain(): void {
    if (this.state === 'closed') return this.#successor?.drain()
    this.outbox.drained()
    this.release(HOLD_UNREAD)
    this.session?.pump()
  }

  closed(reason: string): void {
    this.#successor?.closed(reason)
    this.outbox.close()
    this.broker.forgetConnection(this)
    // What the client sent before it left is still on its way through hooks, and so may be its DISCONNECT: first those.
    if (this.state === 'connected' && this.#unfinished) this.#goneReason = reason
    else endConnection(this, { reason, will: true })
  }

  get #unfinished(): boolean {
    if ((this.#holds & HOLD_TAKEN_OVER) !== 0) return false
    return this.#holds !== 0 || (this.order !== undefined && this.order.length > 0)
  }

  /** The transport is gone, and everything that it brought has taken effect. */
  #endWhenFinished(): void {
    if (this.#goneReason !== undefined && !this.#unfinished)
      endConnection(this, { reason: this.#goneReason, will: true })
  }

  #parserFailed(error: unknown): void {
    if (!(error instanceof MqttError)) {
      this.broker.reportBug(error)
      return this.fail(ReasonCode.UnspecifiedError)
    }
    this.broker.metrics.counters[M.PACKETS_MALFORMED]++
    this.broker.log.debug('malformed packet', {
      clientId: this.clientId,
      peerhost: this.transport.peerhost,
      reason: error.message,
    })
    // [MQTT-4.13.1-1]
    if (this.state === 'connected') return this.fail(error.reasonCode, error.message)
    refuseMalformedConnect(this, error)
  }

  // --- from the parser -----------------------------------------------------------------------------------------------

  /** The hot path: as long as nothing asynchronous is waiting, a PUBLISH is handled where it lies. */
  publish(frame: PublishFrame): void {
    const { counters } = this.broker.metrics
    counters[M.PACKETS_RECEIVED]++
    counters[M.PACKETS_PUBLISH_RECEIVED]++
    counters[M.MESSAGES_RECEIVED]++
    this.receivedMessages++
    if (frame.qos === 0) counters[M.MESSAGES_QOS0_RECEIVED]++
    else if (frame.qos === 1) counters[M.MESSAGES_QOS1_RECEIVED]++
    else counters[M.MESSAGES_QOS2_RECEIVED]++
    // After a violation in the same chunk nothing counts any more; while connecting, the parser is on hold.
    if (this.state !== 'connected') return this.#outOfTurn()
    if (this.#messageLimiter !== undefined) this.#throttle(this.#messageLimiter.take(1, this.lastReceived))
    if (
      frame.qos === 0 &&
      !frame.retain &&
      frame.propertiesStart === frame.propertiesEnd &&
      frame.topicStart !== frame.topicEnd &&
      (this.order === undefined || this.order.length === 0) &&
      forwardFrame(this, frame)
    ) {
      return
    }
    receivePublish(this, frame)
  }

  packet(packet: ControlPacket): void {
    if (this.state === 'closed') return
    const { counters } = this.broker.metrics
    counters[M.PACKETS_RECEIVED]++
    // What an acknowledgement sets free goes out before the answer to what comes after it.
    if (this.#madeRoom && !('packetId' in packet && 'reasonCode' in packet)) this.#useRoom()
    if (packet.type === 'pingreq') return this.#ping()
    if (packet.type === 'connect') {
      counters[M.PACKETS_CONNECT_RECEIVED]++
      return handleConnect(this, packet)
    }
    if (packet.type === 'disconnect' && this.state !== 'connected') return this.abort()
    if (packet.type === 'auth') return handleAuth(this, packet)
    if (this.order !== undefined && this.order.length > 0) {
      this.order.push(() => this.#handle(packet))
      return this.#checkWindow()
    }
    const work = this.#handle(packet)
    if (work instanceof Promise) this.inOrder().push(() => work)
  }

  /** As `packet`, without an object for it. */
  puback(packetId: number): void {
    const { session } = this
    if (this.state !== 'connected' || session === undefined || (this.order !== undefined && this.order.length > 0)) {
      return this.packet({ type: 'puback', packetId, reasonCode: ReasonCode.Success, properties: noProperties })
    }
    const { counters } = this.broker.metrics
    counters[M.PACKETS_RECEIVED]++
    counters[M.PACKETS_PUBACK_RECEIVED]++
    if (!session.puback(packetId, ReasonCode.Success, noProperties)) counters[M.PACKETS_PUBACK_MISSED]++
  }

  /** What the packet sets off; a promise when later packets have to wait for it. */
  #handle(packet: ControlPacket): undefined | Promise<unknown> {
    if (this.state !== 'connected') {
      this.#outOfTurn()
      return undefined
    }
    switch (packet.type) {
      case 'puback':
      case 'pubrec':
      case 'pubrel':
      case 'pubcomp':
        return handleAck(this, packet)
      case 'subscribe':
        return handleSubscribe(this, packet)
      case 'unsubscribe':
        return handleUnsubscribe(this, packet)
      case 'disconnect':
        return handleDisconnect(this, packet)
      default:
        this.fail(ReasonCode.ProtocolError, `a client must not send ${packet.type.toUpperCase()}`)
        return undefined
    }
  }

  /** During an enhanced authentication only AUTH and DISCONNECT may come before CONNACK. [MQTT-3.1.2-30] */
  #outOfTurn(): void {
    if (this.state !== 'authenticating') return
    refuseConnect(this, new Refusal('reject', ReasonCode.ProtocolError, 'core', 'expected AUTH or DISCONNECT'))
  }

  #ping(): void {
    if (this.state !== 'connected') return this.abort()
    const { metrics, chains } = this.broker
    metrics.counters[M.PACKETS_PINGREQ_RECEIVED]++
    if (chains.clientPing.size !== 0 && this.client !== undefined && this.connInfo !== undefined) {
      chains.clientPing.notify({ client: this.client, connInfo: this.connInfo })
    }
    metrics.counters[M.PACKETS_PINGRESP_SENT]++
    this.send({ type: 'pingresp' }) // [MQTT-3.12.4-1] [MQTT-3.12.4-1 v3.1.1]
  }

  // --- other processes of the broker -------------------------------------------------------------------------------------

  /**
   * Hands the connection to the process that has the client's session. 'here': that is this one. 'nowhere': that one cannot be reached.
   * Nothing of the client has taken effect yet, and nothing of it is counted here.
   */
  moveTo(clientId: string): 'here' | 'moved' | 'nowhere' {
    const opening = this.#opening
    this.#opening = undefined
    const cluster = this.broker.peers?.cluster
    if (cluster === undefined || opening === undefined) return 'here'
    const bytes = Buffer.concat(opening)
    const owner = clientId === '' ? cluster.name : cluster.owner(clientId)
    if (owner !== cluster.name) return this.#move(cluster, owner, bytes, undefined) ? 'moved' : 'nowhere'
    this.#connect = bytes.subarray(0, firstPacketLength(bytes))
    return 'here'
  }

  /**
   * As `moveTo`, for a client that has been let in under an id whose session is at another process. That one goes on with what is known of it:
   * no hook is asked again. false: it cannot be reached.
   */
  moveAdmitted(cluster: Cluster, admission: Admission): boolean {
    const connect = this.#connect
    this.outbox.flush()
    // What the client has not taken of an exchange of AUTH packets would be lost.
    if (connect === undefined || this.transport.bufferedBytes > 0) return false
    const bytes = Buffer.concat([connect, this.parser.giveAway()])
    this.transport.resume()
    return this.#move(cluster, cluster.owner(admission.client.clientId), bytes, structuredClone(admission))
  }

  #move(cluster: Cluster, owner: string, bytes: Buffer, admission: Admission | undefined): boolean {
    const { broker, transport } = this
    const successor = cluster.handOver(owner, transport, bytes, admission)
    if (successor === undefined) return false
    this.state = 'closed'
    this.#successor = successor
    this.outbox.close()
    this.cancelWaiting()
    const { counters } = broker.metrics
    counters[M.CONNECTIONS_ACCEPTED]--
    counters[M.BYTES_RECEIVED] -= bytes.length
    counters[M.PACKETS_RECEIVED]--
    counters[M.PACKETS_CONNECT_RECEIVED]--
    broker.forgetConnection(this)
    return true
  }

  /** The client is in, and stays here. */
  settle(): void {
    this.#connect = undefined
  }

  /** While the other processes do not keep up, who sends them messages is not read. */
  slowDown(): void {
    const { peers, metrics } = this.broker
    if (peers === undefined || !peers.cluster.congested || (this.#holds & HOLD_PEERS) !== 0) return
    metrics.counters[M.CONNECTIONS_THROTTLED]++
    this.hold(HOLD_PEERS)
    peers.whenRelieved(() => this.release(HOLD_PEERS))
  }

  /** Acknowledgements wait: those that could go at once would overtake them. [MQTT-4.6.0-2] [MQTT-4.6.0-3] */
  get acknowledgesLate(): boolean {
    return this.#acknowledgements !== undefined && this.#acknowledgements.length > 0
  }

  /** Runs `acknowledge` when `safe` has settled and what waited before has been acknowledged. Later packets go on meanwhile. */
  acknowledgeWhen(
    safe: Promise<boolean | void> | undefined,
    acknowledge: (taken: boolean) => undefined | Promise<unknown>,
  ): undefined {
    this.slowDown()
    this.broker.durable?.throttle(this)
    if (safe === undefined) this.#late().push(() => acknowledge(true))
    else this.#late().pushPending(safe, (taken) => acknowledge(taken !== false))
    this.#checkAcknowledgements()
    return undefined
  }

  /** As `acknowledgeWhen`, for one that turns ready with a batch of the store: no promise for each. */
  acknowledgeStored(acknowledgement: Slot): undefined {
    this.slowDown()
    const { durable } = this.broker
    durable?.throttle(this)
    this.#late().add(acknowledgement)
    if (!this.#awaitsStore) {
      this.#awaitsStore = true
      durable?.await(this)
    }
    this.#checkAcknowledgements()
    return undefined
  }

  /** The store has written a batch. true: more can be acknowledged, in a later turn. */
  committed(): boolean {
    if (this.#acknowledgements?.proceedWith(acknowledgedTogether) === true) return true
    this.#awaitsStore = this.acknowledgesLate
    if (this.#awaitsStore) this.broker.durable?.await(this)
    return false
  }

  #late(): InOrder {
    this.#acknowledgements ??= new InOrder(
      () => this.#checkAcknowledgements(),
      (error) => this.broker.reportBug(error),
    )
    return this.#acknowledgements
  }

  #checkAcknowledgements(): void {
    const waiting = this.#acknowledgements?.length ?? 0
    const most = this.broker.options.receiveMaximum || 0xffff
    if (waiting >= most) this.hold(HOLD_ACKNOWLEDGEMENTS)
    else if (waiting <= most / 2) this.release(HOLD_ACKNOWLEDGEMENTS)
  }

  // --- order and back-pressure -----------------------------------------------------------------------------------------

  inOrder(): InOrder {
    this.order ??= new InOrder(
      () => this.#checkWindow(),
      (error) => {
        this.broker.reportBug(error)
        this.fail(ReasonCode.UnspecifiedError)
      },
    )
    return this.order
  }

  /** A PUBLISH waits for its hooks; the next packets may start meanwhile, up to the window. */
  waitIn(slot: Slot): void {
    this.inOrder().add(slot)
    this.#checkWindow()
  }

  #checkWindow(): void {
    const waiting = this.order?.length ?? 0
    if (waiting >= this.broker.options.hookWindow) {
      if ((this.#holds & HOLD_WINDOW) === 0) this.broker.metrics.counters[M.CONNECTIONS_WINDOW_PAUSED]++
      this.hold(HOLD_WINDOW)
    } else if (waiting <= this.broker.options.hookWindow / 2) this.release(HOLD_WINDOW)
    this.#endWhenFinished()
  }

  hold(reason: number): void {
    if (this.#holds === 0) {
      this.parser.pause()
      this.transport.pause()
    }
    this.#holds |= reason
  }

  release(reason: number): void {
    if ((this.#holds & reason) === 0) return
    this.#holds &= ~reason
    if (this.#holds !== 0 || this.state === 'closed') return
    if (this.#goneReason === undefined) this.transport.resume()
    this.broker.payloads.forget()
    try {
      this.parser.resume()
    } catch (error) {
      this.#parserFailed(error)
    }
    this.#endWhenFinished()
  }

  /** Hook calls that nobody needs an answer to once this connection is gone. */
  get scope(): CallScope {
    this.#scope ??= new CallScope()
    return this.#scope
  }

  /** The connection has ended: nobody waits for hooks or for a limit any more. */
  cancelWaiting(): void {
    this.#scope?.cancel()
    this.#cancelThrottle?.()
    this.#cancelThrottle = undefined
  }

  get held(): boolean {
    return this.#holds !== 0
  }

  #throttle(wait: number): void {
    if (wait === 0) return
    this.broker.metrics.counters[M.CONNECTIONS_THROTTLED]++
    this.hold(HOLD_RATE)
    this.#cancelThrottle?.()
    this.#cancelThrottle = this.broker.clock.after(wait, () => {
      this.#cancelThrottle = undefined
      this.release(HOLD_RATE)
    })
  }

  /** Who this client is has changed: what was allowed must be asked again, for aliases as well. */
  forgetPermissions(): void {
    this.topics?.clear()
    for (const entry of this.topicAliases?.values() ?? []) entry.known = 0
  }

  /** What its messages say of their publisher: one object for all of them. */
  messageHeaders(client: ClientInfo): MessageHeaders {
    if (this.#headers === undefined || this.#headers.username !== client.username) {
      const { username, protocol, peerhost } = client
      this.#headers = Object.freeze(username === undefined ? { protocol, peerhost } : { username, protocol, peerhost })
    }
    return this.#headers
  }

  /** What hooks of message.publish are called with: for all messages of one client the same object. */
  publishArgs(client: ClientInfo): { readonly client: ClientInfo } {
    if (this.#publishArgs?.client !== client) this.#publishArgs = Object.freeze({ client })
    return this.#publishArgs
  }

  // --- the end -------------------------------------------------------------------------------------------------------------

  /** The client broke the rules, or a limit: an MQTT 5 client is told why, then the connection is closed. [MQTT-4.13.1-1] */
  fail(reasonCode: number, reasonString?: string, serverReference?: string): void {
    endConnection(this, { reason: reasonCodeName(reasonCode), reasonCode, reasonString, serverReference, will: true })
  }

  /** Closes without a word: nobody is connected yet. */
  abort(): void {
    endConnection(this, { reason: 'closed', will: false })
  }

  /** The topic text of a frame, checked as UTF-8. Throws MqttError. */
  topicOf(frame: PublishFrame): string {
    return decodeTopic(frame.buffer, frame.topicStart, frame.topicEnd)
  }
}

/** Of an MQTT packet that has been parsed: its fixed header, and the remaining length that this tells. */
function firstPacketLength(bytes: Buffer): number {
  let length = 0
  for (let at = 1; ; at++) {
    length += (bytes[at] & 0x7f) * 128 ** (at - 1)
    if (bytes[at] < 0x80) return at + 1 + length
  }
}
