/** What a worker may take, and how long one waits for it. */
export interface WorkerLimits {
  /** Megabytes of heap, and as many again outside of it. */
  readonly memory: number
  /** Calls that may wait for the worker's answer. */
  readonly queue: number
  /** Bytes of their arguments. */
  readonly queueBytes: number
  /** Milliseconds without a sign of life after which it is ended. */
  readonly hangTimeout: number
  /** Milliseconds that the worker waits when it asks the broker for something that must be there at once. */
  readonly patience: number
  /** Milliseconds until the first restart; each one that fails doubles them, up to the second number. */
  readonly restartDelay: readonly [first: number, most: number]
}

export const defaultLimits: WorkerLimits = {
  memory: 256,
  queue: 65_536,
  queueBytes: 64 * 1024 * 1024,
  hangTimeout: 10_000,
  patience: 5000,
  restartDelay: [500, 60_000],
}
