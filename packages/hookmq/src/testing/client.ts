import type {
  AckPacket,
  ConnackPacket,
  Packet,
  Properties,
  QoS,
  SubackPacket,
  SubscriptionOptions,
  UnsubackPacket,
} from '@hookmq/mqtt'
import { Client } from '../client/client.ts'
import { PacketReader } from '../client/codec.ts'
import type { ClientEnd, ClientMessage, ClientOptions } from '../client/options.ts'
import type { ByteStream } from '../client/stream.ts'
import { Awaited } from './awaited.ts'

let clients = 0

/** An MQTT client without a socket. What it gets waits until the test takes it. */
export class TestClient {
  readonly clientId: string
  /** The answer to CONNECT. */
  connack: ConnackPacket | undefined
  /** Resolves, and never rejects, when the connection is gone. */
  readonly ended: Promise<ClientEnd>
  readonly #client: Client
  readonly #stream: ByteStream
  readonly #messages = new Awaited<ClientMessage>()
  readonly #packets = new Awaited<Packet>()
  #end: ClientEnd | undefined

  constructor(stream: ByteStream, options: ClientOptions) {
    this.clientId = options.clientId ?? `client-${++clients}`
    this.#stream = stream
    this.#client = new Client(stream, {
      // Its pings would follow the real time, which a test does not wait for.
      keepAlive: 0,
      ...options,
      clientId: this.clientId,
      receive: (message) => this.#messages.add(message),
    })
    this.ended = this.#client.ended
    this.ended.then((end) => {
      this.#end = end
      this.#messages.wake()
      this.#packets.wake()
    })
    this.#listen(options.protocolVersion ?? 5)
  }

  /** Also hands the bytes to a reader of its own, so that a test sees packets that a client keeps to itself. */
  #listen(version: 3 | 4 | 5): void {
    const stream = this.#stream
    const reader = new PacketReader(version, (packet) => this.#packets.add(packet))
    const receive = stream.onData
    stream.onData = (chunk) => {
      reader.push(chunk)
      receive(chunk)
    }
  }

  /** Rejects with CONNECT_REFUSED and the `reasonCode` of CONNACK when the broker does not want this client. */
  async connect(): Promise<this> {
    this.connack = await this.#client.connect()
    return this
  }

  /** QoS 1 and 2: resolves to PUBACK or PUBCOMP, rejects with its `reasonCode` when the broker refuses the message. */
  publish(
    topic: string,
    payload: Uint8Array | string = '',
    options: { qos?: QoS; retain?: boolean; properties?: Properties } = {},
  ): Promise<AckPacket | undefined> {
    return this.#client.publish(topic, payload, options)
  }

  /** Rejects with the `reasonCode` of SUBACK when the broker refuses the filter. */
  subscribe(filter: string, options: Partial<SubscriptionOptions> = {}): Promise<SubackPacket> {
    return this.#client.subscribe(filter, undefined, options)
  }

  unsubscribe(filter: string): Promise<UnsubackPacket> {
    return this.#client.unsubscribe(filter)
  }

  /** The next message, or the one that came first and was not taken yet; with `topic`, of that topic. */
  message(topic?: string): Promise<ClientMessage> {
    const what = `a message${topic === undefined ? '' : ` on '${topic}'`} for ${this.clientId}`
    return this.#messages.take(what, (message) => topic === undefined || message.topic === topic, this.#whyEnded)
  }

  /** All messages so far, taken or not. */
  get messages(): readonly ClientMessage[] {
    return this.#messages.all
  }

  /** All packets from the broker so far. */
  get packets(): readonly Packet[] {
    return this.#packets.all
  }

  /**
   * Messages that have come and were not taken, once the broker has dealt with all that this client sent before: the way to see that
   * something did not come.
   */
  async untaken(): Promise<ClientMessage[]> {
    await this.ping()
    return this.#messages.drain()
  }

  /** PINGREQ and its PINGRESP. */
  async ping(): Promise<void> {
    this.#stream.write(Uint8Array.of(0xc0, 0))
    await this.#packets.take(`PINGRESP for ${this.clientId}`, ({ type }) => type === 'pingresp', this.#whyEnded)
  }

  /** DISCONNECT, then the end. Resolves when the connection is gone. */
  close(reasonCode = 0, properties: Properties = {}): Promise<void> {
    return this.#client.close(reasonCode, properties)
  }

  /** Gone without DISCONNECT. */
  destroy(): void {
    this.#client.destroy()
  }

  readonly #whyEnded = (): string | undefined =>
    this.#end === undefined ? undefined : `the connection ended (${this.#end.reason})`
}
