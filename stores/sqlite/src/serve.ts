import { parentPort, workerData } from 'node:worker_threads'
import type { Engine, EngineInit, OpenEngine } from './engine.ts'
import { type Failure, failureOf } from './errors.ts'
import type { AnyResult } from './operations.ts'
import { type Posted, receive } from './wire.ts'

/** What the thread is asked: a batch, or to end. */
export type Request = Posted | 'close'

/** What it answers, once for being opened and once for each batch. */
export type Answer =
  | { readonly results: readonly AnyResult[]; readonly transactions: number }
  | { readonly failure: Failure }

/** Runs in the thread of the store: one engine, one batch after the other. */
export function serve(open: OpenEngine): void {
  const port = parentPort
  if (port === null) throw new Error('this is the thread of a store, not a program')
  const answer = (run: () => readonly AnyResult[]): boolean => {
    let reply: Answer
    try {
      const results = run()
      reply = { results, transactions: engine?.transactions ?? 0 }
    } catch (error) {
      reply = { failure: failureOf(error) }
    }
    port.postMessage(reply)
    return 'results' in reply
  }
  let engine: Engine | undefined
  const opened = answer(() => {
    engine = open(workerData as EngineInit)
    return []
  })
  if (!opened) return
  port.on('message', (request: Request) => {
    if (request === 'close') {
      engine?.close()
      port.close()
    } else answer(() => engine?.run(receive(request)) ?? [])
  })
}
