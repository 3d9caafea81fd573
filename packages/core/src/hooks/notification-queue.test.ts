import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HookHandler } from '@hookmq/api'
import { testClient, testConnInfo, testMessage } from '@hookmq/api/testing'
import { HookEngine } from './engine.ts'
import { Hook } from './hook.ts'
import { collectingLog } from './log.testing.ts'
import { NotificationQueue } from './notification-queue.ts'
import { PendingCalls } from './pending.ts'

const patience = 10_000

function makeEngine(options: { queueLimit?: number; queueDrop?: 'oldest' | 'newest'; timeout?: number } = {}) {
  const { log, lines } = collectingLog()
  const engine = new HookEngine({ log, timeout: 0, queueLimit: 100, queueDrop: 'oldest', ...options })
  const ping = (clientId: string) =>
    engine.chain('client.ping').notify({ client: testClient({ clientId }), connInfo: testConnInfo({ clientId }) })
  return { engine, lines, ping }
}

/** A handler whose promises the test settles one by one. */
function heldHandler() {
  const calls: { readonly clientId: string; readonly settle: () => void }[] = []
  const handler: HookHandler<'client.ping'> = ({ client }) =>
    new Promise((resolve) => calls.push({ clientId: client.clientId, settle: () => resolve(undefined) }))
  return { calls, handler, clients: () => calls.map(({ clientId }) => clientId) }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('notifications', () => {
  it('reach synchronous hooks inline; one that throws is logged and the next still told', () => {
    const { engine, lines, ping } = makeEngine()
    const told: string[] = []
    engine.add('client.ping', () => assert.fail('broken'), { owner: 'bad', name: 'thrower' })
    engine.add('client.ping', ({ client }) => void told.push(client.clientId), { owner: 'good' })
    ping('one')
    assert.deepEqual(told, ['one'])
    assert.deepEqual(
      lines.map(({ message, fields }) => [message, fields.owner, fields.hook, fields.point]),
      [['hook failed: threw', 'bad', 'thrower', 'client.ping']],
    )
  })

  it('wait for the earlier one of the same client and owner only', async () => {
    const { engine, ping } = makeEngine()
    const slow = heldHandler()
    const other: string[] = []
    engine.add('client.ping', slow.handler, { owner: 'slow' })
    engine.add('client.ping', ({ client }) => void other.push(client.clientId), { owner: 'quick' })
    for (const clientId of ['one', 'one', 'two', 'one']) ping(clientId)
    assert.deepEqual(slow.clients(), ['one', 'two'])
    assert.deepEqual(other, ['one', 'one', 'two', 'one'], 'another owner is not held up')
    slow.calls[0].settle()
    await turn()
    assert.deepEqual(slow.clients(), ['one', 'two', 'one'])
    slow.calls[2].settle()
    await turn()
    assert.deepEqual(slow.clients(), ['one', 'two', 'one', 'one'])
    slow.calls[1].settle()
    slow.calls[3].settle()
    assert.equal(await engine.idle(patience), true)
  })

  it('keep the order of one client over all hooks of an owner, synchronous ones too', async () => {
    const { engine } = makeEngine()
    const order: string[] = []
    const held = Promise.withResolvers<void>()
    const client = testClient()
    const connInfo = testConnInfo()
    engine.add('client.connected', () => held.promise.then(() => void order.push('connected')), { owner: 'one' })
    engine.add('client.disconnected', () => void order.push('disconnected'), { owner: 'one' })
    engine.chain('client.connected').notify({ client, connInfo })
    engine.chain('client.disconnected').notify({ client, reason: 'normal', connInfo })
    assert.deepEqual(order, [])
    held.resolve()
    await engine.idle(patience)
    assert.deepEqual(order, ['connected', 'disconnected'])
  })

  it('go by the sender of a message where there is no client', async () => {
    const { engine } = makeEngine()
    const seen: string[] = []
    engine.add('message.dropped', ({ message }) => new Promise(() => seen.push(message.from)), { owner: 'one' })
    for (const from of ['a', 'a', 'b'])
      engine.chain('message.dropped').notify({ message: testMessage({ topic: 't', from }), reason: 'no_subscribers' })
    assert.deepEqual(seen, ['a', 'b'])
  })

  it('are told only for matching topics', () => {
    const { engine } = makeEngine()
    const seen: string[] = []
    engine.add('message.dropped', ({ message }) => void seen.push(message.topic), { owner: 'one', topics: ['a/+'] })
    for (const topic of ['a/b', 'b'])
      engine.chain('message.dropped').notify({ message: testMessage({ topic }), reason: 'no_subscribers' })
    assert.deepEqual(seen, ['a/b'])
  })

  it('answered with a verdict are failures; other values are ignored', async () => {
    const { engine, lines, ping } = makeEngine()
    const answer = (value: unknown) => (() => value) as unknown as HookHandler<'client.ping'>
    engine.add('client.ping', answer({ drop: true }), { owner: 'o', name: 'drops' })
    engine.add('client.ping', answer(Promise.resolve('stop')), { owner: 'o', name: 'stops' })
    engine.add('client.ping', answer(17), { owner: 'o', name: 'counts' })
    ping('one')
    await engine.idle(patience)
    assert.deepEqual(
      lines.map(({ fields }) => fields.hook),
      ['drops', 'stops'],
    )
  })

  it('beyond the limit are dropped with one warning per burst', async () => {
    const { engine, lines, ping } = makeEngine({ queueLimit: 2 })
    const slow = heldHandler()
    engine.add('client.ping', slow.handler, { owner: 'slow', name: 'ask' })
    for (let burst = 1; burst <= 2; burst++) {
      slow.calls.length = 0
      for (let count = 0; count < 6; count++) ping('one')
      const hook = engine.describe().find(({ point }) => point === 'client.ping')?.hooks[0]
      assert.equal(hook?.dropped, 3 * burst)
      assert.equal(lines.filter(({ level }) => level === 'warn').length, burst)
      while (!(await engine.idle(1))) slow.calls.at(-1)?.settle()
    }
    assert.equal(lines.find(({ level }) => level === 'warn')?.fields.owner, 'slow')
    assert.deepEqual(
      lines.filter(({ level }) => level === 'info').map(({ fields }) => fields.dropped),
      [3, 3],
    )
  })

  it('a hook that publishes while it is told does not lose its place', async () => {
    const { engine, ping } = makeEngine()
    const order: string[] = []
    let depth = 0
    engine.add(
      'client.ping',
      async () => {
        const mine = ++depth
        if (mine < 4) ping('one')
        order.push(`begin ${mine}`)
        await turn()
        order.push(`end ${mine}`)
      },
      { owner: 'one' },
    )
    ping('one')
    ping('one')
    assert.equal(await engine.idle(patience), true)
    assert.equal(order.length, 10)
    assert.equal(order.filter((entry) => entry.startsWith('end')).length, 5)
  })

  it('a limit of calls in flight holds over all clients, and all are told in the end', async () => {
    const { log } = collectingLog()
    const calls = new PendingCalls(() => performance.now())
    const queue = new NotificationQueue({ owner: 'o', log, limit: 100, drop: 'oldest', inFlightLimit: 2 }, calls)
    let running = 0
    let most = 0
    const told: string[] = []
    const settings = {
      point: 'client.ping',
      owner: { name: 'o', queue, count() {} },
      name: 'h',
      priority: 0,
      phase: 'mutate',
      topics: undefined,
      timeout: 0,
      failedAction: 'ignore',
      answersForTopic: false,
      observe: false,
      wantsTicket: false,
      strict: false,
    } as const
    const hook = new Hook(settings, async (args) => {
      most = Math.max(most, ++running)
      await turn()
      running--
      told.push((args as { client: { clientId: string } }).client.clientId)
    })
    for (let count = 0; count < 20; count++) queue.tell(hook, { client: { clientId: `c${count % 7}` } }, undefined)
    await queue.whenIdle()
    assert.equal(most, 2)
    assert.equal(told.length, 20)
    assert.equal(queue.queued, 0)
  })
})
