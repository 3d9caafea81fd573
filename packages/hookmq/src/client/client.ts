import {
  type AckPacket,
  type ConnackPacket,
  encodeToBuffer,
  type Packet,
  type Properties,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  ReasonCode,
  type SubackPacket,
  type SubscriptionOptions,
  topicFilterError,
  topicNameError,
  type UnsubackPacket,
} from '@hookmq/mqtt'
import { HookmqError, messageOf } from '../errors.ts'
import { PacketReader } from './codec.ts'
import { connectPacket } from './connect-packet.ts'
import { explainReason, lost, refuse } from './failure.ts'
import { Incoming, type Receive } from './incoming.ts'
import { KeepAlive } from './keep-alive.ts'
import type { ClientEnd, ClientOptions } from './options.ts'
import { PendingAnswers, SendWindow } from './pending.ts'
import type { ByteStream } from './stream.ts'

/** One connection to a broker, over any stream of bytes. It does not reconnect. */
export class Client {
  /** Resolves, and never rejects, when the connection is gone. */
  readonly ended: Promise<ClientEnd>
  readonly #stream: ByteStream
  readonly #options: ClientOptions
  readonly #version: ProtocolVersion
  readonly #answers = new PendingAnswers()
  readonly #window = new SendWindow()
  readonly #keepAlive = new KeepAlive()
  readonly #incoming: Incoming
  #finish: (end: ClientEnd) => void = () => {}
  #end: ClientEnd | undefined
  #closing = false
  #connack: ConnackPacket | undefined
  #timer: NodeJS.Timeout | undefined
  #reauthenticated: (() => void) | undefined
  #settleConnect: { resolve(connack: ConnackPacket): void; reject(error: Error): void } | undefined

  constructor(stream: ByteStream, options: ClientOptions = {}) {
    this.#stream = stream
    this.#options = options
    this.#version = options.protocolVersion ?? 5
    this.#incoming = new Incoming(options.receive)
    this.ended = new Promise((resolve) => {
      this.#finish = resolve
    })
    const reader = new PacketReader(this.#version, (packet) => this.#receivePacket(packet))
    stream.onData = (chunk) => {
      const problem = reader.push(chunk)
      if (problem !== undefined) this.#abort(`the broker sent something malformed: ${problem}`)
    }
    stream.onClose = (reason) => this.#closed({ reason: this.#closing ? 'closed' : reason })
  }

  /** Sends CONNECT. Rejects with CONNECT_REFUSED and the reason code when the broker does not want this client. */
  connect(): Promise<ConnackPacket> {
    return new Promise((resolve, reject) => {
      this.#settleConnect = { resolve, reject }
      const timeout = this.#options.connectTimeout ?? 30_000
      this.#timer = setTimeout(() => this.#abort(`no CONNACK within ${timeout / 1000} s`), timeout)
      this.#send(connectPacket(this.#options, this.#version))
    })
  }

  /**
   * QoS 0: resolves to undefined once the bytes have left. QoS 1 and 2: resolves to PUBACK or PUBCOMP; rejects with
   * REQUEST_REFUSED when the broker refuses the message.
   */
  async publish(
    topic: string,
    payload: Uint8Array | string = '',
    options: { qos?: QoS; retain?: boolean; properties?: Properties } = {},
  ): Promise<AckPacket | undefined> {
    const fault = topicNameError(topic)
    if (fault !== undefined) throw new HookmqError('REQUEST_INVALID', `'${topic}': ${fault.message}`)
    const qos = options.qos ?? 0
    const packet: PublishPacket = {
      type: 'publish',
      topic,
      payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
      qos,
      retain: options.retain ?? false,
      dup: false,
      properties: options.properties ?? {},
    }
    if (qos === 0) {
      await new Promise<void>((resolve, reject) => {
        if (this.#end !== undefined) return reject(lost(this.#end))
        const untrack = this.#answers.track(reject)
        this.#send(packet, () => {
          untrack()
          resolve()
        })
      })
      return undefined
    }
    await this.#window.enter()
    try {
      const answer = await this.#request<AckPacket>((packetId) => ({ ...packet, packetId }))
      refuse(answer.reasonCode, `publishing to '${topic}'`, answer.properties)
      return answer
    } finally {
      this.#window.leave()
    }
  }

  /** Rejects with REQUEST_REFUSED when the broker refuses the filter. `receive` gets the messages of this subscription. */
  async subscribe(
    filter: string,
    receive?: Receive,
    options: Partial<SubscriptionOptions> & { properties?: Properties } = {},
  ): Promise<SubackPacket> {
    const fault = topicFilterError(filter)
    if (fault !== undefined) throw new HookmqError('REQUEST_INVALID', `'${filter}': ${fault.message}`)
    const { qos = 0, noLocal = false, retainAsPublished = false, retainHandling = 0, properties = {} } = options
    const identified = this.#version === 5 && this.#connack?.properties.subscriptionIdentifierAvailable !== 0
    const identifier = receive === undefined ? undefined : this.#incoming.add(filter, receive, identified)
    try {
      const answer = await this.#request<SubackPacket>((packetId) => ({
        type: 'subscribe',
        packetId,
        subscriptions: [{ filter, options: { qos, noLocal, retainAsPublished, retainHandling } }],
        properties: identifier === undefined ? properties : { ...properties, subscriptionIdentifiers: [identifier] },
      }))
      refuse(answer.reasonCodes[0] ?? 0x80, `subscribing to '${filter}'`, answer.properties)
      return answer
    } catch (error) {
      this.#incoming.remove(filter)
      throw error
    }
  }

  async unsubscribe(filter: string): Promise<UnsubackPacket> {
    const answer = await this.#request<UnsubackPacket>((packetId) => ({
      type: 'unsubscribe',
      packetId,
      filters: [filter],
      properties: {},
    }))
    this.#incoming.remove(filter)
    refuse(answer.reasonCodes[0] ?? 0, `unsubscribing from '${filter}'`, answer.properties)
    return answer
  }

  /**
   * MQTT 5: authenticates again on the open connection, with the method of CONNECT. Rejects when the broker refuses: the
   * connection is gone then.
   */
  reauthenticate(): Promise<void> {
    const { authentication } = this.#options
    if (authentication === undefined) throw new TypeError('reauthenticate needs the option `authentication`')
    const properties = { authenticationMethod: authentication.method, authenticationData: authentication.start() }
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(lost(this.#end))
      const untrack = this.#answers.track(reject)
      this.#reauthenticated = () => {
        untrack()
        resolve()
      }
      this.#send({ type: 'auth', reasonCode: ReasonCode.ReAuthenticate, properties })
    })
  }

  /** Sends DISCONNECT and closes; 0x04 makes the broker publish the will (MQTT 5). Resolves when the connection is gone. */
  async close(reasonCode = 0, properties: Properties = {}): Promise<void> {
    if (this.#end === undefined && !this.#closing) {
      this.#closing = true
      this.#send({ type: 'disconnect', reasonCode, properties })
      this.#stream.end()
    }
    await this.ended
  }

  /** Cuts the connection without DISCONNECT, as a client that dies would. */
  destroy(): void {
    this.#closing = true
    this.#stream.destroy()
  }

  #request<Answer extends Packet>(make: (packetId: number) => Packet): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#end !== undefined) return reject(lost(this.#end))
      const packetId = this.#answers.add(resolve as (packet: Packet) => void, reject)
      if (packetId === undefined)
        return reject(
          new HookmqError('BROKER_STATE', '65535 requests are waiting for an answer; wait for some of them'),
        )
      try {
        this.#send(make(packetId))
      } catch (error) {
        this.#answers.forget(packetId)
        reject(error)
      }
    })
  }

  #send(packet: Packet, sent?: () => void): void {
    if (this.#end !== undefined) return
    let bytes: Buffer
    try {
      bytes = encodeToBuffer(packet, this.#version)
    } catch (error) {
      throw new HookmqError('REQUEST_INVALID', `${packet.type.toUpperCase()} cannot be sent: ${messageOf(error)}`)
    }
    const limit = this.#connack?.properties.maximumPacketSize
    if (limit !== undefined && bytes.length > limit)
      throw new HookmqError(
        'REQUEST_REFUSED',
        `a packet of ${bytes.length} bytes is too large: the broker takes ${limit}`,
      )
    this.#keepAlive.sent()
    this.#stream.write(bytes, sent)
  }

  #receivePacket(packet: Packet): void {
    switch (packet.type) {
      case 'connack':
        this.#receiveConnack(packet)
        break
      case 'auth':
        this.#receiveAuth(packet.reasonCode, packet.properties.authenticationData)
        break
      case 'publish': {
        const answer = this.#incoming.accept(packet)
        if (answer !== undefined) this.#send(answer)
        break
      }
      case 'pubrec':
        // [MQTT-4.3.3-4] a refusal ends the handshake, anything else goes on with PUBREL.
        if (packet.reasonCode >= 0x80) this.#answers.settle(packet.packetId, packet)
        else this.#send({ type: 'pubrel', packetId: packet.packetId, reasonCode: 0, properties: {} })
        break
      case 'pubrel':
        this.#incoming.release(packet.packetId)
        this.#send({ type: 'pubcomp', packetId: packet.packetId, reasonCode: 0, properties: {} })
        break
      case 'puback':
      case 'pubcomp':
      case 'suback':
      case 'unsuback':
        this.#answers.settle(packet.packetId, packet)
        break
      case 'pingresp':
        this.#keepAlive.answered()
        break
      case 'disconnect':
        this.#closed({ reason: explainReason(packet.reasonCode, packet.properties), reasonCode: packet.reasonCode })
        this.#stream.end()
        break
      default:
        this.#abort(`the broker sent ${packet.type.toUpperCase()}`)
    }
  }

  #receiveConnack(connack: ConnackPacket): void {
    clearTimeout(this.#timer)
    const settle = this.#settleConnect
    this.#settleConnect = undefined
    if (connack.reasonCode !== 0) {
      const why = explainReason(connack.reasonCode, connack.properties)
      settle?.reject(
        new HookmqError('CONNECT_REFUSED', `the broker refused the connection: ${why}`, {
          reasonCode: connack.reasonCode,
        }),
      )
      this.#closed({ reason: why, reasonCode: connack.reasonCode })
      this.#stream.end()
      return
    }
    // The last message of the server, such as SCRAM's signature, comes with CONNACK: the client's turn to doubt.
    const { authentication } = this.#options
    if (authentication !== undefined && connack.properties.authenticationData !== undefined) {
      try {
        authentication.answer(connack.properties.authenticationData)
      } catch (error) {
        this.#abort(messageOf(error))
        return
      }
    }
    this.#connack = connack
    this.#window.open(connack.properties.receiveMaximum ?? 65_535)
    const keepAlive = connack.properties.serverKeepAlive ?? this.#options.keepAlive ?? 60
    this.#keepAlive.start(
      keepAlive,
      () => this.#send({ type: 'pingreq' }),
      () => this.#abort(`no PINGRESP within ${keepAlive} s`),
    )
    settle?.resolve(connack)
  }

  #receiveAuth(reasonCode: number, data: Uint8Array | undefined): void {
    const { authentication } = this.#options
    if (authentication === undefined) {
      this.#abort('the broker sent AUTH without having been asked')
      return
    }
    try {
      const answer = authentication.answer(data)
      if (reasonCode !== ReasonCode.ContinueAuthentication) {
        this.#reauthenticated?.()
        return
      }
      const properties = { authenticationMethod: authentication.method, authenticationData: answer }
      this.#send({ type: 'auth', reasonCode: ReasonCode.ContinueAuthentication, properties })
    } catch (error) {
      this.#abort(messageOf(error))
    }
  }

  #abort(reason: string): void {
    this.#closed({ reason })
    this.#stream.destroy()
  }

  #closed(end: ClientEnd): void {
    if (this.#end !== undefined) return
    this.#end = end
    clearTimeout(this.#timer)
    this.#keepAlive.stop()
    this.#settleConnect?.reject(lost(end))
    this.#settleConnect = undefined
    this.#answers.fail(lost(end))
    this.#window.fail(lost(end))
    this.#finish(end)
  }
}
