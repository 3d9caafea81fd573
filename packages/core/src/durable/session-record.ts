import type { ClientInfo } from '@hookmq/api'
import type { Will } from '@hookmq/mqtt'
import { BrokerMessage } from '../message.ts'
import { decodeMessage, encodeMessage } from './message-codec.ts'

/** What is stored of a session beside its subscriptions and messages. */
export interface SessionRecord {
  readonly createdAt: number
  /** Seconds. */
  readonly expiryInterval: number
  /** Milliseconds since the epoch; undefined: it was connected. */
  readonly detachedAt: number | undefined
  readonly client: ClientInfo
  readonly will: Will | undefined
  /** When the will is to be published; undefined while the client is connected. */
  readonly willAt: number | undefined
}

interface Written extends Omit<SessionRecord, 'will'> {
  readonly version: 1
  readonly will: { readonly delay: number; readonly message: string } | undefined
}

export function encodeRecord(record: SessionRecord): Uint8Array {
  const written: Written = { version: 1, ...record, will: record.will && encodeWill(record.will) }
  return Buffer.from(JSON.stringify(written))
}

/** Throws for bytes that encodeRecord did not write. */
export function decodeRecord(bytes: Uint8Array): SessionRecord {
  const { version, ...written } = JSON.parse(Buffer.from(bytes).toString()) as Written
  if (version !== 1) throw new TypeError(`a stored session of version ${String(version)}; this program reads 1`)
  return { ...written, will: written.will && decodeWill(written.will) }
}

function encodeWill({ topic, payload, qos, retain, properties }: Will): NonNullable<Written['will']> {
  const { willDelayInterval: delay = 0, ...rest } = properties
  const message = new BrokerMessage(topic, payload, qos, retain, false, '', 0, rest)
  return { delay, message: Buffer.from(encodeMessage(message)).toString('base64') }
}

function decodeWill({ delay, message }: NonNullable<Written['will']>): Will {
  const { topic, payload, qos, retain, properties } = decodeMessage(Buffer.from(message, 'base64'))
  return { topic, payload: Buffer.from(payload), qos, retain, properties: { ...properties, willDelayInterval: delay } }
}
