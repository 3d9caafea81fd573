import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import type { EngineInit } from './engine.ts'
import { serve } from './serve.ts'
import { SqliteEngine } from './sqlite/engine.ts'

// The thread dies as the file `die` in its folder says: `before N` or `after N`, in the next N batches, before or after they are
// written; and each time one less is left.
const { file } = workerData as EngineInit
const plan = join(file, '..', 'die')

function dies(when: string): boolean {
  const [word, times] = existsSync(plan) ? readFileSync(plan, 'utf8').split(' ') : []
  if (word !== when || Number(times) === 0) return false
  writeFileSync(plan, `${word} ${Number(times) - 1}`)
  return true
}

serve((init) => {
  const engine = new SqliteEngine(init)
  return {
    get transactions() {
      return engine.transactions
    },
    run(operations) {
      if (dies('before')) process.exit(9)
      const results = engine.run(operations)
      if (dies('after')) process.exit(9)
      return results
    },
    apply(batch) {
      if (dies('before')) process.exit(9)
      engine.apply(batch)
      if (dies('after')) process.exit(9)
    },
    read: (query) => engine.read(query),
    close: () => engine.close(),
  }
})
