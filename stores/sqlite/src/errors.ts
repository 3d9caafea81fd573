/** What can be wrong with the store. The text says when it happens. */
const storeErrorCodes = {
  STORE_CORRUPT: 'The file is damaged.',
  STORE_FOREIGN: 'The file is a database of another program, or none at all.',
  STORE_NEWER: 'The file was written by a later version of the program.',
  STORE_READ_ONLY: 'The file or its folder cannot be written or opened.',
  STORE_LOCKED: 'Another program holds the file.',
  STORE_DISK_FULL: 'The disk has no room left.',
  STORE_IO: 'The system failed to read or write.',
  STORE_TOO_LARGE: 'One value is larger than the store takes.',
  STORE_OVERLOADED: 'More waits to be written than may wait.',
  STORE_INTERRUPTED: 'The thread of the store ended before it answered, again and again.',
  STORE_CLOSED: 'The store is closed.',
} as const

export type StoreErrorCode = keyof typeof storeErrorCodes

/** What went wrong with the store, where, and what to do about it, in one line. */
export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}

/** A StoreError as it travels between threads. */
export interface Failure {
  readonly code: StoreErrorCode
  readonly message: string
}

export function failureOf(error: unknown): Failure {
  if (error instanceof StoreError) return { code: error.code, message: error.message }
  return { code: 'STORE_IO', message: error instanceof Error ? error.message : String(error) }
}
