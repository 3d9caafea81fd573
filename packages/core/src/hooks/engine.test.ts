import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HookHandler, type HookPointName, HookRegistrationError } from '@hookmq/api'
import { testClient, testConnInfo } from '@hookmq/api/testing'
import { BrokerMessage } from '../message.ts'
import { HookEngine } from './engine.ts'
import { collectingLog } from './log.testing.ts'

function makeEngine() {
  const { log, lines } = collectingLog()
  return { engine: new HookEngine({ log, timeout: 0, queueLimit: 100, queueDrop: 'oldest' }), lines }
}

const owner = 'test'
const message = BrokerMessage.from({ topic: 'a/b', payload: 'x' }, 1)
/** Names and option values as plain JavaScript may give them. */
const loose = (name: string) => name as HookPointName

describe('registration', () => {
  it('runs by falling priority, equal ones in the order of registration', () => {
    const { engine } = makeEngine()
    const order: string[] = []
    for (const [name, priority] of [
      ['a', 0],
      ['b', 10],
      ['c', 0],
      ['d', 10],
      ['e', -5],
    ] as const)
      engine.add('message.publish', () => void order.push(name), { owner, name, priority })
    engine.chain('message.publish').fold({}, message)
    assert.deepEqual(order, ['b', 'd', 'a', 'c', 'e'])
    assert.deepEqual(
      engine
        .describe()
        .find(({ point }) => point === 'message.publish')
        ?.hooks.map(({ name, calls }) => [name, calls]),
      [
        ['b', 1],
        ['d', 1],
        ['a', 1],
        ['c', 1],
        ['e', 1],
      ],
    )
  })

  it('gives one stable chain per point, whose size follows', () => {
    const { engine } = makeEngine()
    const chain = engine.chain('message.publish')
    assert.equal(chain.size, 0)
    const handle = engine.add('message.publish', () => undefined, { owner })
    engine.add('message.publish', () => undefined, { owner, phase: 'sink' })
    assert.equal(chain.size, 1)
    assert.equal(chain.sinkSize, 1)
    assert.equal(engine.chain('message.publish'), chain)
    handle.remove()
    handle.remove()
    assert.equal(chain.size, 0)
    assert.equal(chain.sinkSize, 1)
  })

  it('refuses the same handler twice on one point, and takes it on another', () => {
    const { engine } = makeEngine()
    const handler = () => undefined
    const first = engine.add('client.connected', handler, { owner: 'one', name: 'greet' })
    assert.throws(
      () => engine.add('client.connected', handler, { owner: 'two', priority: 5 }),
      (error) =>
        error instanceof HookRegistrationError && error.code === 'already_exists' && /greet.*one/.test(error.message),
    )
    engine.add('client.disconnected', handler, { owner: 'two' })
    first.remove()
    engine.add('client.connected', handler, { owner: 'two' })
    assert.equal(engine.chain('client.connected').size, 1)
  })

  it('names the points that an unknown name is near to', () => {
    const { engine } = makeEngine()
    assert.throws(
      () => engine.add(loose('message.publsh'), () => undefined, { owner }),
      (error) =>
        error instanceof HookRegistrationError &&
        error.code === 'invalid_hookpoint' &&
        /'message\.publsh'.*did you mean message\.publish/.test(error.message),
    )
    assert.throws(() => engine.chain(loose('nonsense')), HookRegistrationError)
  })

  it('takes the old names for the points that they mean', () => {
    const { engine } = makeEngine()
    const handle = engine.add(loose('client.check_acl'), () => undefined, { owner })
    engine.add(loose('session.takeovered'), () => undefined, { owner })
    assert.equal(handle.point, 'client.authorize')
    assert.equal(engine.chain('client.authorize').size, 1)
    assert.equal(engine.chain('session.takenover').size, 1)
  })

  for (const [what, point, options, expected] of [
    ['a sink elsewhere', 'message.delivered', { phase: 'sink' }, /phase 'sink' is for message\.publish only/],
    ['topics without messages', 'client.connected', { topics: ['a'] }, /topics is for message\.\* only/],
    ['topics that are no list', 'message.publish', { topics: 'a' }, /topics must be a list/],
    ['a bad filter', 'message.publish', { topics: ['a/#/b'] }, /a\/#\/b/],
    ['recheck elsewhere', 'message.delivered', { recheck: false }, /recheck is for message\.publish only/],
    [
      'payload elsewhere',
      'message.delivered',
      { payload: 'borrow' },
      /payload is for message\.publish in phase 'mutate' only/,
    ],
    ['payload of a sink', 'message.publish', { phase: 'sink', payload: 'ignore' }, /in phase 'mutate' only/],
    [
      'another payload',
      'message.publish',
      { payload: 'lend' },
      /payload must be 'keep', 'borrow' or 'ignore', got 'lend'/,
    ],
    ['a misspelt option', 'message.publish', { prioritiy: 1 }, /no option 'prioritiy'.*priority/],
    ['a priority that is no number', 'message.publish', { priority: 'high' }, /priority must be a number/],
    ['a negative timeout', 'message.publish', { timeout: -1 }, /timeout must be milliseconds/],
    ['another failed action', 'message.publish', { failedAction: 'allow' }, /'deny' or 'ignore', got 'allow'/],
  ] as const)
    it(`refuses ${what}`, () => {
      const { engine } = makeEngine()
      assert.throws(
        () => engine.add(point, () => undefined, { owner, ...(options as object) }),
        (error) =>
          error instanceof HookRegistrationError && error.code === 'invalid_options' && expected.test(error.message),
      )
      assert.equal(engine.chain(point).size, 0)
    })

  it('refuses a handler that is no function', () => {
    const { engine } = makeEngine()
    const handler = 'log it' as unknown as HookHandler<'client.connected'>
    assert.throws(() => engine.add('client.connected', handler, { owner }), /handler must be a function, got string/)
  })

  it('takes all hooks of an owner out, and what waits in its queue', async () => {
    const { engine } = makeEngine()
    const seen: string[] = []
    const held = Promise.withResolvers<void>()
    const args = { client: testClient(), connInfo: testConnInfo() }
    engine.add('client.ping', () => held.promise.then(() => void seen.push('first')), { owner: 'gone' })
    engine.add('client.connected', () => void seen.push('waiting'), { owner: 'gone' })
    engine.add('client.connected', () => void seen.push('other'), { owner: 'stays' })
    engine.chain('client.ping').notify(args)
    engine.chain('client.connected').notify(args)
    engine.removeOwner('gone')
    engine.removeOwner('gone')
    held.resolve()
    await engine.idle(10_000)
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(seen, ['other', 'first'])
    assert.equal(engine.chain('client.connected').size, 1)
    assert.equal(engine.chain('client.ping').size, 0)
  })
})

describe('what can be seen', () => {
  it('names the call that hangs, its client, and since when', async () => {
    const { engine } = makeEngine()
    engine.add('message.publish', () => new Promise(() => {}), { owner: 'slow-plugin', name: 'ask' })
    engine.add('client.ping', () => new Promise(() => {}), { owner: 'slow-plugin', name: 'tell' })
    const client = testClient({ clientId: 'device-1' })
    const before = Date.now()
    void engine.chain('message.publish').fold({ client }, message)
    engine.chain('client.ping').notify({ client, connInfo: testConnInfo() })
    const waiting = engine.waiting()
    assert.deepEqual(waiting.map(({ owner, hook, point, clientId }) => [owner, hook, point, clientId]).sort(), [
      ['slow-plugin', 'ask', 'message.publish', 'device-1'],
      ['slow-plugin', 'tell', 'client.ping', 'device-1'],
    ])
    // The two clocks of a machine may drift apart; what matters is that it is the time of day.
    for (const { since } of waiting) assert.ok(Math.abs(since - before) < 1000, `since ${since}, asked at ${before}`)
    assert.equal(await engine.idle(5), false, 'the notification has not been handled')
  })

  it('estimates the latency of hooks that answer later', async () => {
    let now = 0
    const { log } = collectingLog()
    const engine = new HookEngine({ log, timeout: 0, queueLimit: 1, queueDrop: 'oldest', now: () => now })
    let duration = 0
    const answerLater = async () => {
      await undefined
      now += duration
      return undefined
    }
    engine.add('message.publish', answerLater, { owner })
    for (let run = 0; run < 100; run++) {
      duration = run < 98 ? 10 : 1000
      await engine.chain('message.publish').fold({}, message)
    }
    const hookOf = (name: HookPointName) => engine.describe().find(({ point }) => point === name)?.hooks[0]
    const { p50 = 0, p99 = 0 } = hookOf('message.publish') ?? {}
    // Buckets are a quarter of a doubling wide.
    assert.ok(p50 >= 10 && p50 < 12, String(p50))
    assert.ok(p99 >= 1000 && p99 < 1200, String(p99))
  })

  it('times some of the answers that come at once, the first one included', () => {
    const { log } = collectingLog()
    const engine = new HookEngine({ log, timeout: 0, queueLimit: 1, queueDrop: 'oldest' })
    const busy = (): undefined => {
      const until = performance.now() + 2
      while (performance.now() < until);
    }
    engine.add('message.publish', busy, { owner })
    engine.add('client.connected', busy, { owner })
    const [first] = engine.describe()[0]?.hooks ?? []
    assert.equal(first?.p50, undefined)
    engine.chain('message.publish').fold({}, message)
    engine.chain('client.connected').notify({ client: testClient(), connInfo: testConnInfo() })
    for (const { point, hooks } of engine.describe().filter(({ hooks }) => hooks.length > 0)) {
      const [{ calls = 0, p50 = 0 } = {}] = hooks
      assert.deepEqual([calls, p50 >= 2], [1, true], point)
    }
  })
})
