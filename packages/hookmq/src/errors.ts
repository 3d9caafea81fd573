/** Every error that this package makes on purpose, by code. The text says when it happens. */
const errorCodes = {
  CONFIG_INVALID: 'A configuration file, --set or environment setting is not usable; the message names the place.',
  LISTENER_FAILED: 'A listener could not bind, or its certificate could not be read.',
  LISTENER_UNSAFE:
    'A listener is reachable from other machines while nobody checks who connects and allow_anonymous was not set.',
  PLUGIN_NOT_FOUND: 'The file of a plugin does not exist or cannot be read.',
  PLUGIN_SYNTAX: 'The file of a plugin is not valid TypeScript or JavaScript.',
  PLUGIN_IMPORT: 'The file of a plugin threw while it was imported, or imports something that does not exist.',
  PLUGIN_INVALID: 'The default export of a plugin is missing or has no usable name and setup.',
  PLUGIN_SETUP: 'The setup function of a plugin threw.',
  BROKER_STATE: 'The broker is not in a state in which this can be done (not started, already started, stopped).',
  CONNECT_FAILED: 'The client could not reach the broker.',
  CONNECT_REFUSED: 'The broker refused the connection; `reasonCode` says why.',
  CONNECTION_LOST: 'The connection ended while an answer was awaited.',
  REQUEST_INVALID: 'What was to be sent is not possible in MQTT: a wildcard in a topic, a text that is too long.',
  REQUEST_REFUSED: 'The broker refused a PUBLISH, SUBSCRIBE or UNSUBSCRIBE; `reasonCode` says why.',
} as const

export type ErrorCode = keyof typeof errorCodes

/** An error whose message is meant for the person in front of the terminal: complete in one line, no stack needed. */
export class HookmqError extends Error {
  readonly code: ErrorCode
  /** MQTT 5 reason code, when the other side gave one. */
  readonly reasonCode: number | undefined

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown; reasonCode?: number }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'HookmqError'
    this.code = code
    this.reasonCode = options?.reasonCode
  }
}

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return text.replace(/\s*\n\s*/g, ' ').trim() || 'unknown error'
}
