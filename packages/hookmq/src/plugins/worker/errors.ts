import { HookRegistrationError } from '@hookmq/api'
import { type ErrorCode, HookmqError } from '../../errors.ts'

/** An error as fields, so that the other thread can make it again. */
export function describedError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) }
  const { name, message, stack } = error
  const { code, reasonCode } = error as { readonly code?: unknown; readonly reasonCode?: unknown }
  return { name, message, stack, code, reasonCode }
}

/** An error of the other thread: with its message, stack, name and code, and of its class where callers ask for that. */
export function carriedError(fields: Record<string, unknown>): Error {
  const { name, stack, code, reasonCode } = fields
  const error = ofClass(name, String(fields.message), code)
  if (typeof stack === 'string') error.stack = stack
  if (typeof name === 'string' && error.name !== name) error.name = name
  if (code !== undefined && !('code' in error)) Object.assign(error, { code })
  if (reasonCode !== undefined && !('reasonCode' in error)) Object.assign(error, { reasonCode })
  return error
}

function ofClass(name: unknown, message: string, code: unknown): Error {
  switch (name) {
    case 'HookRegistrationError':
      return new HookRegistrationError(code as HookRegistrationError['code'], message)
    case 'HookmqError':
      return new HookmqError(code as ErrorCode, message)
    case 'TypeError':
      return new TypeError(message)
    case 'RangeError':
      return new RangeError(message)
    default:
      return new Error(message)
  }
}
