import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HookHandle, HookHandler } from '@hookmq/api'
import fc from 'fast-check'
import { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'
import { HookEngine } from './engine.ts'
import { collectingLog } from './log.testing.ts'

// What a hook does, as the model knows it. While it is being asked it may also add or remove hooks.
interface Script {
  readonly answer: 'continue' | 'append' | 'stop' | 'stop with' | 'drop' | 'throw' | 'nonsense'
  readonly asynchronous: boolean
  readonly priority: number
  readonly failedAction: 'deny' | 'ignore'
  /** An index into the hooks that are there: that one is removed while this one is being asked. */
  readonly removes: number | undefined
  readonly adds: boolean
}

const scripts = fc.record<Script>({
  answer: fc.constantFrom('continue', 'append', 'append', 'stop', 'stop with', 'drop', 'throw', 'nonsense'),
  asynchronous: fc.boolean(),
  priority: fc.integer({ min: -2, max: 2 }),
  failedAction: fc.constantFrom('deny', 'ignore', 'ignore', 'ignore'),
  removes: fc.option(fc.nat(9), { nil: undefined, freq: 3 }),
  adds: fc.boolean(),
})

type Command =
  | { readonly do: 'add'; readonly script: Script }
  | { readonly do: 'remove'; readonly index: number }
  | { readonly do: 'run' }

const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('add' as const), script: scripts }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), index: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'run' } as const) },
)

interface Entry {
  readonly id: number
  readonly script: Script
  readonly handle: HookHandle
}

const failures = new Set<Script['answer']>(['throw', 'nonsense'])

/** The rules of a chain, in as few words as possible. */
function expected(list: readonly Entry[]): { asked: number[]; result: string } {
  const asked: number[] = []
  let text = ''
  for (const { id, script } of list) {
    asked.push(id)
    if (failures.has(script.answer)) {
      if (script.failedAction === 'deny') return { asked, result: 'reject' }
      continue
    }
    if (script.answer === 'drop') return { asked, result: 'drop' }
    if (script.answer === 'append' || script.answer === 'stop with') text += `${id},`
    if (script.answer === 'stop' || script.answer === 'stop with') break
  }
  return { asked, result: text }
}

async function play(script: readonly Command[]): Promise<void> {
  const { log } = collectingLog()
  const engine = new HookEngine({ log, timeout: 0, queueLimit: 1, queueDrop: 'oldest' })
  const chain = engine.chain('message.publish')
  // The model: hooks in the order in which they must run.
  const entries: Entry[] = []
  let nextId = 0
  let asked: number[] = []

  const remove = (index: number): void => {
    const [entry] = entries.splice(index % Math.max(1, entries.length), 1)
    entry?.handle.remove()
  }

  const add = (hook: Script): void => {
    const id = nextId++
    const answer = (text: string): unknown => {
      switch (hook.answer) {
        case 'continue':
          return undefined
        case 'append':
          return { ok: { payload: `${text}${id},` } }
        case 'stop with':
          return { stop: { payload: `${text}${id},` } }
        case 'drop':
          return { drop: true }
        case 'throw':
          throw new Error('scripted')
        case 'nonsense':
          return 42
        default:
          return hook.answer
      }
    }
    const handler = (_args: unknown, message: BrokerMessage): unknown => {
      asked.push(id)
      if (hook.removes !== undefined) remove(hook.removes)
      if (hook.adds && entries.length < 12) add({ ...hook, adds: false, removes: undefined })
      const text = Buffer.from(message.payload).toString()
      return hook.asynchronous ? Promise.resolve().then(() => answer(text)) : answer(text)
    }
    const { priority, failedAction } = hook
    const handle = engine.add('message.publish', handler as HookHandler<'message.publish'>, {
      owner: 'model',
      priority,
      failedAction,
    })
    const behind = entries.findIndex((entry) => entry.script.priority < priority)
    entries.splice(behind === -1 ? entries.length : behind, 0, { id, script: hook, handle })
  }

  for (const command of script) {
    if (command.do === 'add') {
      if (entries.length < 12) add(command.script)
    } else if (command.do === 'remove') remove(command.index)
    else {
      const list = [...entries]
      const model = expected(list)
      asked = []
      const run = chain.fold({}, BrokerMessage.from({ topic: 't' }, 1))
      const waits = list.some(({ id, script: { asynchronous } }) => asynchronous && model.asked.includes(id))
      assert.equal(run instanceof Promise, waits, 'a promise only when an asked hook gave one')
      const result = await run
      assert.deepEqual(asked, model.asked)
      assert.equal(result instanceof Refusal ? result.kind : Buffer.from(result.payload).toString(), model.result)
    }
    assert.equal(chain.size, entries.length)
    const listed = engine.describe().find(({ point }) => point === 'message.publish')?.hooks
    assert.deepEqual(
      listed?.map(({ priority }) => priority),
      entries.map(({ script: { priority } }) => priority),
    )
  }
}

test('chains run as the model says, while hooks come and go', async () => {
  await fc.assert(fc.asyncProperty(fc.array(commands, { minLength: 1, maxLength: 20 }), play), { numRuns: 400 })
})
