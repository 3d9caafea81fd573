import type { MessagePort } from 'node:worker_threads'
import type { PluginConfigKey, Term } from '@hookmq/api'
import type { SharedNumbers } from './shared.ts'

/** What the broker asks of the worker: functions of the plugin have the numbers after these. */
export const SET_UP = 0
export const TEAR_DOWN = 1
export const firstFunction = 2

/** What the worker asks of the broker: `first` is the method's name, `second` the list of its arguments. */
export const ASK = 0
/** The same, and the worker's thread waits for the answer on the other port. */
export const ASK_AND_WAIT = 1

/** What a worker is started with. */
export interface WorkerStart {
  readonly file: string
  readonly name: string
  readonly keys: Readonly<Record<string, PluginConfigKey>> | undefined
  readonly config: Readonly<Record<string, string>>
  readonly terms: Readonly<Record<string, Term>>
  readonly node: string
  readonly version: string
  readonly startedAt: number
  /** The broker's time is the system's. */
  readonly systemTime: boolean
  readonly port: MessagePort
  readonly answers: MessagePort
  readonly shared: SharedNumbers
  readonly limit: number
  readonly limitBytes: number
  /** Milliseconds between two signs of life. */
  readonly beatInterval: number
  /** Milliseconds that the worker waits for an answer. */
  readonly patience: number
}

/** One answer on the port for those who wait. */
export interface WaitedAnswer {
  readonly number: number
  readonly frame: Uint8Array
}
