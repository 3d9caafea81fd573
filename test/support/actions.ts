import type { IPublishPacket, ISubscription, Packet, QoS } from 'mqtt-packet'
import type { RawClient, Received } from './raw-client.ts'

const lastIds = new WeakMap<RawClient, number>()

/** Identifiers 1, 2, 3 … of one client. */
function nextId(client: RawClient): number {
  const id = (lastIds.get(client) ?? 0) + 1
  lastIds.set(client, id)
  return id
}

export type PublishOptions = Partial<Pick<IPublishPacket, 'qos' | 'retain' | 'dup' | 'messageId' | 'properties'>>

/** Sends PUBLISH and returns its packet identifier (0 at QoS 0). */
export function publish(
  client: RawClient,
  topic: string,
  payload: string | Buffer,
  options: PublishOptions = {},
): number {
  const qos = options.qos ?? 0
  const messageId = qos === 0 ? undefined : (options.messageId ?? nextId(client))
  client.send({ cmd: 'publish', topic, payload, retain: false, dup: false, ...options, qos, messageId })
  return messageId ?? 0
}

/** Publishes and carries the handshake through; resolves to the packets that answered. At QoS 0 until the broker has taken it. */
export async function publishThrough(
  client: RawClient,
  topic: string,
  payload: string | Buffer,
  options: PublishOptions = {},
): Promise<Received[]> {
  const messageId = publish(client, topic, payload, options)
  if (options.qos === 1) return [await client.expect('puback', { messageId })]
  if (options.qos === 2) {
    const pubrec = await client.expect('pubrec', { messageId })
    if (Number(pubrec.reasonCode ?? 0) >= 0x80) return [pubrec]
    client.send({ cmd: 'pubrel', messageId })
    return [pubrec, await client.expect('pubcomp', { messageId })]
  }
  return client.settle()
}

export interface SubscribeOptions {
  qos?: QoS
  noLocal?: boolean
  retainAsPublished?: boolean
  retainHandling?: 0 | 1 | 2
  identifier?: number
}

/** Sends SUBSCRIBE and resolves to the codes of SUBACK. Retained messages come after it. */
export async function subscribe(
  client: RawClient,
  filters: string | readonly string[],
  options: SubscribeOptions = {},
): Promise<number[]> {
  const messageId = nextId(client)
  const subscriptions: ISubscription[] = [filters].flat().map((topic) => ({
    topic,
    qos: options.qos ?? 0,
    nl: options.noLocal ?? false,
    rap: options.retainAsPublished ?? false,
    rh: options.retainHandling ?? 0,
  }))
  const properties = options.identifier === undefined ? undefined : { subscriptionIdentifier: options.identifier }
  client.send({ cmd: 'subscribe', messageId, subscriptions, properties })
  const suback = await client.expect('suback', { messageId })
  return suback.granted as number[]
}

export async function unsubscribe(client: RawClient, ...unsubscriptions: string[]): Promise<Received> {
  const messageId = nextId(client)
  client.send({ cmd: 'unsubscribe', messageId, unsubscriptions })
  return client.expect('unsuback', { messageId })
}

/** Answers a PUBLISH that came, through to the end of its handshake. */
export async function acknowledge(client: RawClient, received: Received): Promise<void> {
  const messageId = received.messageId as number
  if (received.qos === 1) client.send({ cmd: 'puback', messageId })
  if (received.qos !== 2) return
  client.send({ cmd: 'pubrec', messageId })
  await client.expect('pubrel', { messageId })
  client.send({ cmd: 'pubcomp', messageId })
}

/** AUTH, as mqtt-packet has it. */
export function auth(reasonCode: number, authenticationMethod: string, data: string): Packet {
  return { cmd: 'auth', reasonCode, properties: { authenticationMethod, authenticationData: Buffer.from(data) } }
}

/** Payloads as text, in order. */
export function payloads(packets: readonly Received[]): string[] {
  return packets.filter(({ cmd }) => cmd === 'publish').map(({ payload }) => String(payload))
}

/** Properties of a packet; none where it has none. */
export function propertiesOf(packet: Received | undefined): Record<string, unknown> {
  return (packet?.properties ?? {}) as Record<string, unknown>
}
