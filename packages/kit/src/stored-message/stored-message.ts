import type { Message, MessageHeaders } from '@hookmq/api'

type Properties = Message['properties']

/** A message as a KeyValueStore can hold it: bytes as base64. */
export interface StoredMessage {
  readonly id: string
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
  readonly from: string
  readonly timestamp: number
  readonly properties?: Record<string, unknown>
  readonly headers?: MessageHeaders
}

export function storeMessage(message: Message): StoredMessage {
  const { id, topic, payload, qos, retain, from, timestamp, properties, headers } = message
  const { correlationData, ...rest } = properties
  return {
    id,
    topic,
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('base64'),
    qos,
    retain,
    from,
    timestamp,
    ...(Object.keys(properties).length > 0 && {
      properties: {
        ...rest,
        ...(correlationData !== undefined && { correlationData: Buffer.from(correlationData).toString('base64') }),
      },
    }),
    ...(Object.keys(headers).length > 0 && { headers }),
  }
}

/** @returns undefined for what is no stored message */
export function readStoredMessage(value: unknown): Message | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { id, topic, payload, qos, retain, from, timestamp, properties, headers } = value as Partial<StoredMessage>
  if (typeof id !== 'string' || typeof topic !== 'string' || topic === '' || typeof payload !== 'string')
    return undefined
  if (qos !== 0 && qos !== 1 && qos !== 2) return undefined
  if (typeof retain !== 'boolean' || typeof from !== 'string' || !Number.isFinite(timestamp)) return undefined
  return {
    id,
    topic,
    payload: Buffer.from(payload, 'base64'),
    qos,
    retain,
    dup: false,
    from,
    timestamp: Number(timestamp),
    properties: readProperties(properties),
    headers: headers ?? {},
  }
}

function readProperties(stored: Record<string, unknown> | undefined): Properties {
  if (stored === undefined) return {}
  const { correlationData, ...rest } = stored
  if (typeof correlationData !== 'string') return rest
  return { ...rest, correlationData: Buffer.from(correlationData, 'base64') }
}
