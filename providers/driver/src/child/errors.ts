import type { Failure } from '../codec.ts'

/** A call that came to nothing, in one line that names driver, hook and cause. */
export class DriverError extends Error {
  override readonly name: string = 'DriverError'
  /** As the language prints it; undefined when there is none. */
  readonly traceback: string | undefined

  constructor(message: string, traceback?: string) {
    super(message)
    this.traceback = traceback === '' ? undefined : traceback
    // Where the broker noticed it says nothing to whoever wrote the handler.
    this.stack = undefined
  }
}

/** `ValueError: no such table (data/extension/hooks.py line 12, in on_client_connect)` */
export function failureText({ type, text, place }: Failure): string {
  const what = type === 'init' ? text : text === '' ? type : `${type}: ${text}`
  return place === undefined ? what : `${what} (${place})`
}
