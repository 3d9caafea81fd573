import type { PluginConfigKey } from '@hookmq/api'
import { expectedSetting, readSetting } from '@hookmq/kit'
import { HookmqError } from '../../errors.ts'

/** What a worker may take, and how long one waits for it. */
export interface WorkerLimits {
  /** Bytes of heap, and as many again in buffers outside of it. */
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

export const megabyte = 1024 * 1024

export const defaultLimits: WorkerLimits = {
  memory: 256 * megabyte,
  queue: 65_536,
  queueBytes: 64 * megabyte,
  hangTimeout: 10_000,
  patience: 5000,
  restartDelay: [500, 60_000],
}

/** What the operator can set of them, as `plugin.NAME.KEY`. */
const keys: {
  readonly [field in 'memory' | 'queue' | 'queueBytes' | 'hangTimeout']: readonly [string, PluginConfigKey]
} = {
  memory: ['worker.memory', { type: 'bytesize', minimum: 16 * megabyte, description: '' }],
  queue: ['worker.queue_limit', { type: 'integer', minimum: 1, maximum: 16_000_000, description: '' }],
  queueBytes: ['worker.queue_bytes', { type: 'bytesize', minimum: megabyte, description: '' }],
  hangTimeout: ['worker.hang_timeout', { type: 'duration', minimum: 500, maximum: 86_400_000, description: '' }],
}

/** The limits from a plugin's settings. Throws a HookmqError with code PLUGIN_PLACEMENT. */
export function readLimits(plugin: string, settings: Readonly<Record<string, string>>): Partial<WorkerLimits> {
  const limits: Record<string, unknown> = {}
  for (const [field, [key, definition]] of Object.entries(keys)) {
    const text = settings[key]
    if (text === undefined) continue
    const value = readSetting(definition, text)
    if (value === undefined)
      throw new HookmqError(
        'PLUGIN_PLACEMENT',
        `plugin ${plugin}: ${key}: expected ${expectedSetting(definition)}, got ${JSON.stringify(text)}`,
      )
    limits[field] = value
  }
  return limits
}
