import { test } from 'node:test'
import type { SessionStore } from '@hookmq/api'
import fc from 'fast-check'
import type { TestScope } from '../support/broker.ts'
import { workerCount } from '../support/workers.ts'
import { type Crashable, Crashing, crashableFile, crashableMemory } from './crash.ts'
import { SessionModel } from './model.ts'
import { commands, Real } from './model-commands.ts'

const skip = workerCount > 1 ? 'the crash of one process' : false

const stores: readonly (readonly [string, number, (scope: TestScope) => Promise<Crashable<SessionStore>>])[] = [
  ['in memory', Number(process.env.HOOKMQ_MODEL_RUNS ?? 150), async () => crashableMemory()],
  ['in a file', Number(process.env.HOOKMQ_MODEL_RUNS ?? 12), crashableFile],
]

for (const [what, numRuns, open] of stores) {
  test(`a session is what the model says, whatever is done and whenever the broker crashes (${what})`, {
    skip,
  }, async () => {
    const property = fc.asyncProperty(fc.commands([...commands], { maxCommands: 40, size: 'max' }), async (chosen) => {
      const ends: (() => void | Promise<void>)[] = []
      const scope: TestScope = { after: (run) => void ends.push(run) }
      try {
        const options = { maxInflight: 10, awaitRelTimeout: 0 }
        const crashing = await Crashing.startWith(scope, options, await open(scope))
        const setup = () => ({ model: new SessionModel(), real: new Real(crashing) })
        await fc.asyncModelRun(setup, chosen)
      } finally {
        for (const end of ends.reverse()) await end()
      }
    })
    await fc.assert(property, { numRuns, interruptAfterTimeLimit: 25_000 })
  })
}
