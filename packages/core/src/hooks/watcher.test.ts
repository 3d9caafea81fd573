import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testClient } from '@hookmq/api/testing'
import { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'
import { pending } from './chain.ts'
import { HookEngine } from './engine.ts'
import { collectingLog } from './log.testing.ts'

function watched() {
  const engine = new HookEngine({ log: collectingLog().log, timeout: 0, queueLimit: 100, queueDrop: 'oldest' })
  const chain = engine.chain('message.publish')
  const seen: { args: object; result: unknown }[] = []
  chain.watcher = (args) => (result) => void seen.push({ args, result })
  return { engine, chain, seen }
}

const message = (topic = 'a') => BrokerMessage.from({ topic, payload: 'x' }, 1)

test('a watcher is told of each run and of its result, also of one that is refused', () => {
  const { engine, chain, seen } = watched()
  engine.add('message.publish', (_, { topic }) => (topic === 'no' ? { reject: 0x87 } : undefined), { owner: 'test' })
  const [good, bad] = [message('yes'), message('no')]
  assert.equal(chain.fold({ client: testClient() }, good), good)
  chain.fold({ client: testClient() }, bad)
  assert.equal(seen[0].result, good)
  const refusal = seen[1].result
  assert.ok(refusal instanceof Refusal)
  assert.deepEqual([refusal.kind, refusal.reasonCode], ['reject', 0x87])
})

test('runs with the same arguments are told apart by the hooks, also when they answer later and in another order', async () => {
  const { engine, chain, seen } = watched()
  const given: object[] = []
  const answers: (() => void)[] = []
  engine.add('message.publish', (args) => void given.push(args), { owner: 'first', priority: 1 })
  engine.add('message.publish', () => new Promise<undefined>((resolve) => answers.push(() => resolve(undefined))), {
    owner: 'second',
  })
  const args = { client: testClient() }
  const messages = [message('1'), message('2')]
  const folded = chain.fold(args, messages[0])
  const later = Promise.withResolvers<unknown>()
  assert.equal(chain.foldThen(args, messages[1], undefined, { ended: later.resolve }), pending)
  assert.equal(seen.length, 0)
  answers[1]()
  assert.equal(await later.promise, messages[1])
  assert.deepEqual(seen, [{ args: given[1], result: messages[1] }])
  assert.equal(seen[0].args, given[1])
  answers[0]()
  assert.equal(await folded, messages[0])
  assert.equal(seen[1].args, given[0])
})

test('without a watcher the hooks get the arguments as they are', () => {
  const { engine, chain } = watched()
  chain.watcher = undefined
  const given: object[] = []
  engine.add('message.publish', (args) => void given.push(args), { owner: 'test' })
  const args = { client: testClient() }
  chain.fold(args, message())
  assert.equal(given[0], args)
})
