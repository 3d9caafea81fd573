import type { HookPointName, Message } from '@hookmq/api'
import { CodePoints, Tuple, type Value } from '../value.ts'

type Fields = { -readonly [K in keyof Message]?: Message[K] }

/**
 * The verdict of a handler in the broker, from what a driver sends for it:
 *
 * * nothing: no opinion;
 * * `('ok', value)`, `('stop', value)`: go on, or end the chain, with a value: nothing for "as it is"; for decisions `('allow', superuser, client_id,
 *   username, attributes, expires_at, cacheable)` or `('deny', reason_code, reason, cacheable)`; for a message a list of `(field, value)`, the changed
 *   ones alone;
 * * `('drop', reason)`, `('reject', reason_code, reason)`, `('disconnect', reason_code, reason)`.
 *
 * Throws an Error that says what is wrong.
 */
export function modernVerdict(point: HookPointName, value: Value, from: string, before?: unknown): unknown {
  if (value === undefined || value === null) return undefined
  if (!(value instanceof Tuple)) throw new Error('answered something that is no verdict')
  const [kind, first, second] = value.elements
  switch (text(kind)) {
    case 'ok':
      return first === undefined ? undefined : { ok: accumulator(point, first, from, before) }
    case 'stop':
      return first === undefined ? 'stop' : { stop: accumulator(point, first, from, before) }
    case 'drop':
      return { drop: true, ...reason(first) }
    case 'reject':
      return { reject: integer(first), ...reason(second) }
    case 'disconnect':
      return { disconnect: integer(first), ...reason(second) }
    default:
      throw new Error(`answered a verdict '${text(kind)}', which there is not`)
  }
}

function accumulator(point: HookPointName, value: Value, from: string, before: unknown): unknown {
  if (point === 'client.authenticate') return authentication(value)
  if (point === 'client.authorize') return authorization(value, from)
  if (point === 'message.publish') return message(value, before)
  throw new Error('answered a value where none is expected')
}

function authentication(value: Value): unknown {
  const [kind, ...rest] = elements(value)
  if (text(kind) === 'deny') {
    const [reasonCode, why] = rest
    return {
      result: 'deny',
      reasonCode: integer(reasonCode),
      ...(why === undefined ? {} : { reasonString: text(why) }),
    }
  }
  const [superuser, clientId, username, attributes, expiresAt] = rest
  return {
    result: 'allow',
    anonymous: false,
    ...(superuser === undefined ? {} : { superuser: superuser === true }),
    ...(clientId === undefined ? {} : { clientId: text(clientId) }),
    ...(username === undefined ? {} : { username: text(username) }),
    ...(attributes === undefined ? {} : { attributes: Object.fromEntries(textPairs(attributes)) }),
    ...(expiresAt === undefined ? {} : { expiresAt: integer(expiresAt) }),
  }
}

function authorization(value: Value, from: string): unknown {
  const [kind, ...rest] = elements(value)
  const result = text(kind) === 'deny' ? 'deny' : 'allow'
  const cacheable = rest.at(-1)
  return { result, from, ...(cacheable === false ? { cacheable: false } : {}) }
}

function message(value: Value, before: unknown): Fields {
  if (!Array.isArray(value)) throw new Error('answered a message that is no list of changes')
  const changed: Fields = {}
  const properties: Record<string, unknown> = {}
  for (const pair of value as readonly Value[]) {
    const [field, one] = elements(pair)
    take(changed, properties, text(field), one)
  }
  // A verdict replaces properties as a whole: those that nobody touched stay.
  if (Object.keys(properties).length > 0)
    changed.properties = { ...(before as Partial<Message> | undefined)?.properties, ...properties }
  return changed
}

const propertyFields: Readonly<Record<string, readonly [key: string, read: (value: Value) => unknown]>> = {
  content_type: ['contentType', text],
  response_topic: ['responseTopic', text],
  correlation_data: ['correlationData', bytes],
  message_expiry_interval: ['messageExpiryInterval', integer],
  payload_format_indicator: ['payloadFormatIndicator', integer],
  user_properties: ['userProperties', textPairs],
}

function take(changed: Fields, properties: Record<string, unknown>, field: string, value: Value): void {
  switch (field) {
    case 'topic':
      changed.topic = text(value)
      return
    case 'payload':
      changed.payload = bytes(value)
      return
    case 'qos':
      if (value !== 0 && value !== 1 && value !== 2) throw new Error('answered a message whose qos is not 0, 1 or 2')
      changed.qos = value
      return
    case 'retain':
      changed.retain = value === true
      return
    default: {
      const known = propertyFields[field]
      if (known === undefined) throw new Error(`answered a change of '${field}', which a message does not have`)
      properties[known[0]] = value === undefined ? undefined : known[1](value)
    }
  }
}

function elements(value: Value): readonly Value[] {
  if (value instanceof Tuple) return value.elements
  throw new Error('answered something else where a tuple is expected')
}

function text(value: Value): string {
  if (value instanceof CodePoints) return value.text
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  throw new Error('answered something else where a text is expected')
}

function bytes(value: Value): Uint8Array {
  return value instanceof Uint8Array ? value : Buffer.from(text(value))
}

function integer(value: Value): number {
  if (typeof value === 'number') return value
  throw new Error('answered something else where an integer is expected')
}

function textPairs(value: Value): (readonly [string, string])[] {
  if (!Array.isArray(value)) throw new Error('answered something else where a list of pairs is expected')
  return (value as readonly Value[]).map((pair) => {
    const [name, one] = elements(pair)
    return [text(name), text(one)] as const
  })
}

function reason(value: Value): { readonly reason?: string } {
  return value === undefined ? {} : { reason: text(value) }
}
