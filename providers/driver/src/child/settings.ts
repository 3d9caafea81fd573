import type { Logger } from '@hookmq/api'
import type { Codec } from '../codec.ts'
import type { Launch } from '../language.ts'
import type { LineLimits } from './lines.ts'

/** What governs one process, whatever its language. Times in milliseconds, sizes in bytes. */
export interface ProcessSettings {
  /** The driver's, for messages. */
  readonly name: string
  readonly initModule: string
  readonly workingDirectory: string
  /** From spawn to the first frame. */
  readonly startTimeout: number
  /** Of each call, of init and of deinit. */
  readonly callTimeout: number
  /** Timeouts one after the other after which the process is ended and started again; 0 = never. */
  readonly restartAfterTimeouts: number
  /** What may wait to be read by the process; a call beyond it fails. */
  readonly maxBuffered: number
  /** Of an answer. */
  readonly maxFrame: number
  readonly lines: LineLimits
}

export interface ProcessEvents {
  readonly log: Logger
  readonly codec: Codec
  readonly launch: Launch
  /** Once, after it has been started: it is no more. `problem` is a clause for a message, such as 'was ended by SIGKILL'. */
  ended(problem: string): void
}
