import { serve } from './serve.ts'
import { SqliteEngine } from './sqlite/engine.ts'

// A disk that never answers: what is asked waits for good.
serve((init) => {
  const engine = new SqliteEngine(init)
  return {
    transactions: 0,
    run() {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      return []
    },
    close: () => engine.close(),
  }
})
