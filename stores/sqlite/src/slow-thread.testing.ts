import { workerData } from 'node:worker_threads'
import type { Engine, EngineInit } from './engine.ts'
import { serve } from './serve.ts'
import { SqliteEngine } from './sqlite/engine.ts'

/** A store whose disk takes its time: 50 ms for each transaction that writes, without giving the thread away. */
class SlowEngine extends SqliteEngine implements Engine {
  override run(...args: Parameters<SqliteEngine['run']>): ReturnType<SqliteEngine['run']> {
    const before = this.transactions
    const results = super.run(...args)
    if (this.transactions > before) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
    return results
  }
}

serve(() => new SlowEngine(workerData as EngineInit))
