import { serve } from './serve.ts'
import { SqliteEngine } from './sqlite/engine.ts'

function stand(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}

// A disk that never answers: what is asked waits for good.
serve((init) => {
  const engine = new SqliteEngine(init)
  return {
    transactions: 0,
    run() {
      stand()
      return []
    },
    apply: stand,
    read: (query) => (query.kind === 'run' ? engine.read(query) : stand()),
    close: () => engine.close(),
  }
})
