/** Every error that this package makes on purpose, by code. The text says when it happens. */
export const errorCodes = {
  CONFIG_INVALID: 'A configuration file, --set or environment setting is not usable; the message names the place.',
  LISTENER_FAILED: 'A listener could not bind, or its certificate could not be read.',
  LISTENER_UNSAFE:
    'A listener is reachable from other machines while nobody checks who connects and allow_anonymous was not set.',
  PLUGIN_NOT_FOUND: 'The file of a plugin does not exist or is no module.',
  PLUGIN_PACKAGE: 'The folder of a plugin has no usable package.json.',
  PLUGIN_SYNTAX: 'The file of a plugin is not valid TypeScript or JavaScript.',
  PLUGIN_IMPORT: 'The file of a plugin threw while it was imported, or imports something that does not exist.',
  PLUGIN_EXPORT: 'The module of a plugin has no default export, or one that is not an object.',
  PLUGIN_NAME: 'The name of a plugin is missing or cannot be a name.',
  PLUGIN_INVALID: 'A part of what a plugin exports, such as its setup, is missing or of the wrong kind.',
  PLUGIN_VERSION: 'The version of a plugin is not a version.',
  PLUGIN_API: 'A plugin is made for other versions of the plugin API, or its range cannot be read.',
  PLUGIN_SCHEMA: 'A plugin declares its settings in a way that cannot be used.',
  PLUGIN_ALIAS: 'The aliases of a plugin are not names.',
  PLUGIN_DEPENDENCY: 'A plugin needs another one that is not there, cannot be loaded, or needs the first one in turn.',
  PLUGIN_PLACEMENT: 'A plugin cannot run where it is to run.',
  PLUGIN_DUPLICATE: 'A plugin of this name is loaded already.',
  PLUGIN_SETUP: 'The setup function of a plugin threw.',
  PLUGIN_TIMEOUT: 'The setup function of a plugin did not end in time.',
  PLUGIN_BUSY: 'A plugin cannot be unloaded now.',
  BROKER_STATE: 'The broker is not in a state in which this can be done (not started, already started, stopped).',
  DATA_DIR: 'The data folder cannot be made or written.',
  DATA_DIR_LOCKED: 'Another broker is using the data folder.',
  STORE_UNUSABLE: 'The file that the broker keeps its state in cannot be used.',
  WORKERS: 'A socket between the workers of a broker cannot be opened.',
  CONTROL_SOCKET: 'The control socket cannot be opened, or the broker behind it did not answer as it should.',
  USAGE: 'The words of a command cannot be used as they are; the message says what is expected.',
  RECORD_UNUSABLE: 'A file is not a record of hook traffic, or is damaged; the message names the line.',
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
