import type { RecordedEvent, RecordedVerdict } from '../record/format.ts'

/** Whom a record is played to. */
export interface Target {
  /** A url, or a file. */
  readonly name: string
  /** In words: what it is. */
  readonly about: string
  /** Never rejects: a failure is a verdict. */
  ask(event: RecordedEvent): Promise<RecordedVerdict>
  close(): Promise<void>
}
