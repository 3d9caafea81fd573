import { parentPort, workerData } from 'node:worker_threads'
import type { Engine, EngineInit, OpenEngine } from './engine.ts'
import { type Failure, failureOf } from './errors.ts'
import type { Query } from './sessions/change.ts'
import { memoryOf } from './sessions/index-page.ts'
import { type Posted, receive } from './wire.ts'

/** What the thread is asked: a batch of operations or of changes to sessions, something about sessions, or to end. */
export type Request = Posted | Uint8Array | Asked | 'close'

/** `unwritten`: see Engine. */
export interface Asked {
  readonly query: Query
  readonly unwritten?: readonly Uint8Array[]
}

/** What it answers, in their order: once for being opened and once for each request. */
export type Answer =
  | { readonly results: readonly unknown[]; readonly transactions: number }
  | { readonly failure: Failure }

/** Runs in the thread of the store: one engine, one batch after the other. */
export function serve(open: OpenEngine): void {
  const port = parentPort
  if (port === null) throw new Error('this is the thread of a store, not a program')
  const answer = (run: () => readonly unknown[]): boolean => {
    let reply: Answer
    try {
      const results = run()
      reply = { results, transactions: engine?.transactions ?? 0 }
    } catch (error) {
      reply = { failure: failureOf(error) }
    }
    port.postMessage(reply, 'results' in reply ? memoryOf(reply.results[0]) : [])
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
    } else answer(() => (engine === undefined ? [] : handle(engine, request)))
  })
}

function handle(engine: Engine, request: Exclude<Request, 'close'>): readonly unknown[] {
  if (request instanceof Uint8Array) {
    engine.apply(request)
    return []
  }
  return 'query' in request ? [engine.read(request.query, request.unwritten)] : engine.run(receive(request))
}
