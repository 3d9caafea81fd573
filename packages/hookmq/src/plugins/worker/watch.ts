import type { Worker } from 'node:worker_threads'
import { megabyte, type WorkerLimits } from './limits.ts'
import { lifeSign, type SharedNumbers } from './shared.ts'

const looks = 5

/**
 * Looks whether a worker lives and keeps to its memory; tells once what is wrong. It counts looks, not time: a broker that was held up itself
 * must not take that for its worker's fault. While the plugin is set up, which may mean that much code is read, only the host's patience counts.
 * Returns what ends it.
 */
export function watchWorker(
  worker: Worker,
  shared: SharedNumbers,
  { hangTimeout, memory }: WorkerLimits,
  isSetUp: () => boolean,
  found: (reason: string) => void,
): () => void {
  let last: number | 'waiting' = 'waiting'
  let silent = 0
  const timer = setInterval(() => {
    const sign = lifeSign(shared)
    silent = isSetUp() && sign !== 'waiting' && sign === last ? silent + 1 : 0
    last = sign
    if (silent >= looks) {
      found(`it did not answer for ${hangTimeout} ms: a handler does not return, or takes too long`)
      return
    }
    // The heap has a limit of its own; what buffers hold outside of it has none.
    worker.getHeapStatistics().then(
      ({ external_memory: bytes }) => {
        if (bytes > memory) found(`it held more than ${memory / megabyte} MB in buffers`)
      },
      () => {
        // It has just ended, and that is told elsewhere.
      },
    )
  }, hangTimeout / looks)
  timer.unref()
  return () => clearInterval(timer)
}
