import type { Message } from '@hookmq/api'

/**
 * A message as it is kept: its payload is a copy of its own. Received payloads are often parts of a shared pool, 8 KB of which
 * would stay alive for each retained message of a few bytes.
 */
export function heldMessage(message: Message): Message {
  const { id, topic, qos, retain, dup, from, timestamp, properties, headers } = message
  // Not allocUnsafe: that is the pool.
  const payload = Buffer.alloc(message.payload.length)
  payload.set(message.payload)
  return { id, topic, payload, qos, retain, dup, from, timestamp, properties, headers }
}
