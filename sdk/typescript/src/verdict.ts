import type { Message } from './message.ts'
import { Writer } from './wire.ts'

/** What a hook makes of a message. What is left out stays as it was. */
export interface MessageChange {
  readonly topic?: string
  /** A string is sent as UTF-8. */
  readonly payload?: Uint8Array | string
  readonly qos?: number
  /** false: routed to nobody; the publisher gets an ordinary acknowledgement. */
  readonly allowPublish?: boolean
  /** Headers to send back, beside allow_publish. */
  readonly headers?: Readonly<Record<string, string>>
}

/** Nothing: left to others. `ok`: this value so far, others may change it. `stop`: this value, nobody else is asked. */
export type Verdict<T> = undefined | void | { readonly ok: T } | { readonly stop: T }

/** Goes on with this value: hooks and rules after this one are asked as well. */
export function ok<T>(value: T): { readonly ok: T } {
  return { ok: value }
}

/** Ends with this value: nobody else is asked. */
export function stop<T>(value: T): { readonly stop: T } {
  return { stop: value }
}

/** Leaves it to others; the same as to return nothing. */
export function ignore(): undefined {
  return undefined
}

/** The message is routed to nobody, and nobody else is asked. */
export function drop(): { readonly stop: MessageChange } {
  return { stop: { allowPublish: false } }
}

export type ValueKind = 'boolean' | 'message'

const writer = new Writer(4096)
const body = new Writer(4096)

/**
 * A verdict as the bytes of a ValuedResponse; undefined for IGNORE. Throws with what was expected when it is no verdict for this
 * hook.
 */
export function encodeVerdict(
  hook: string,
  kind: ValueKind,
  verdict: unknown,
  message: Message | undefined,
): Buffer | undefined {
  if (verdict === undefined) return undefined
  if (typeof verdict !== 'object' || verdict === null) return wrong(hook, kind, describe(verdict))
  const { ok: going, stop: stopping } = verdict as { readonly ok?: unknown; readonly stop?: unknown }
  const stops = stopping !== undefined
  if (stops === (going !== undefined)) return wrong(hook, kind, describe(verdict))
  const value = stops ? stopping : going
  if (stops) writer.varint(0x08).varint(2)
  if (kind === 'boolean') {
    if (typeof value !== 'boolean') return wrong(hook, kind, `${stops ? 'stop' : 'ok'}(${describe(value)})`)
    return writer
      .varint(0x18)
      .varint(value ? 1 : 0)
      .take()
  }
  const problem = encodeMessage(value, message)
  if (problem !== undefined) return wrong(hook, kind, problem)
  return writer.present(0x22, body.take()).take()
}

function encodeMessage(value: unknown, original: Message | undefined): string | undefined {
  if (typeof value !== 'object' || value === null) return describe(value)
  const change = value as { readonly [Field in keyof MessageChange]: unknown }
  const topic = change.topic ?? original?.topic ?? ''
  const payload = change.payload ?? original?.payload ?? ''
  const qos = change.qos ?? original?.qos ?? 0
  if (typeof topic !== 'string') return `topic: ${describe(topic)}`
  if (qos !== 0 && qos !== 1 && qos !== 2) return `qos: ${describe(qos)}`
  if (typeof payload !== 'string' && !(payload instanceof Uint8Array)) return `payload: ${describe(payload)}`
  if (qos !== 0) body.varint(0x18).varint(qos)
  body.string(0x2a, topic)
  body.bytes(0x32, typeof payload === 'string' ? Buffer.from(payload) : payload)
  const headers = change.headers
  if (headers !== undefined && headers !== original?.headers)
    for (const [name, text] of Object.entries(headers as Record<string, unknown>)) header(name, String(text))
  if (typeof change.allowPublish === 'boolean') header('allow_publish', String(change.allowPublish))
  return undefined
}

function header(name: string, value: string): void {
  body.present(0x42, new Writer(64).string(0x0a, name).string(0x12, value).take())
}

const expected = {
  boolean: 'ok(true), ok(false), stop(true), stop(false) or nothing',
  message: 'ok({ topic?, payload?, qos?, allowPublish? }), stop({ … }), drop() or nothing',
}

function wrong(hook: string, kind: ValueKind, got: string): never {
  writer.take()
  body.take()
  throw new TypeError(`hook '${hook}' answered ${got}; expected ${expected[kind]}`)
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value !== 'object' || value === null) return String(value)
  return `an object with ${Object.keys(value).join(', ') || 'nothing in it'}`
}
