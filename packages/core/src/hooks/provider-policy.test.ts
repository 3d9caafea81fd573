import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HookProviderPolicy, ProviderCall } from '@hookmq/api'
import { testClient, testConnInfo, testCredential } from '@hookmq/api/testing'
import { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'
import { HookEngine } from './engine.ts'
import { HandProvider, settle } from './hand-provider.testing.ts'
import { collectingLog } from './log.testing.ts'
import { CallScope } from './pending.ts'
import { rehearse } from './rehearse.ts'

function makeEngine() {
  const { log, lines } = collectingLog()
  const engine = new HookEngine({ log, timeout: 0, queueLimit: 100, queueDrop: 'oldest' })
  const authenticate = (clientId = 'client', fields = {}, scope?: CallScope) =>
    engine
      .chain('client.authenticate')
      .fold({ client: testCredential({ clientId, ...fields }) }, { result: 'ignore' }, scope)
  const authorize = (topic = 'a') =>
    engine
      .chain('client.authorize')
      .fold(
        { client: testClient(), action: 'publish', topic, qos: 0, retain: false },
        { result: 'allow', from: 'default' },
      )
  const publish = (topic = 'a', from = 'client', scope?: CallScope) =>
    engine.chain('message.publish').fold({}, BrokerMessage.from({ topic, from, payload: 'x' }, 1), scope)
  const ping = (clientId = 'client') =>
    engine.chain('client.ping').notify({ client: testClient({ clientId }), connInfo: testConnInfo({ clientId }) })
  return { engine, lines, authenticate, authorize, publish, ping }
}

const all = ['client.authenticate', 'client.authorize', 'message.publish', 'client.ping']
const allow = { stop: { result: 'allow' } }
const deny = { stop: { result: 'deny' } }
const denyPublish = { hooks: { 'message.publish': { failedAction: 'deny' } } } as const

describe('the failed action', () => {
  const failing = () => {
    const provider = new HandProvider(all)
    provider.reply = () => {
      throw new Error('down')
    }
    return provider
  }
  const cases: readonly (readonly [string, HookProviderPolicy, [string, string, boolean]])[] = [
    ['not written', {}, ['deny', 'deny', true]],
    ['deny', { failedAction: 'deny' }, ['deny', 'deny', true]],
    ['ignore', { failedAction: 'ignore' }, ['ignore', 'allow', true]],
    ['deny for message.publish only', { failedAction: 'ignore', ...denyPublish }, ['ignore', 'allow', false]],
    [
      'ignore for client.authorize only',
      { failedAction: 'deny', hooks: { 'client.authorize': { failedAction: 'ignore' } } },
      ['deny', 'allow', true],
    ],
  ]
  for (const [name, policy, [authenticated, authorized, published]] of cases)
    it(`${name}: what a failed call means`, async () => {
      const { engine, authenticate, authorize, publish } = makeEngine()
      await engine.attach(failing(), policy)
      assert.equal(((await authenticate()) as { result: string }).result, authenticated)
      assert.equal(((await authorize()) as { result: string }).result, authorized)
      const message = await publish()
      assert.equal(message instanceof BrokerMessage, published)
      if (message instanceof Refusal) assert.equal(message.reasonCode, 0x83)
    })

  it('has nothing to do with hooks that were not asked for, nor with topics that do not match', async () => {
    const { engine, authenticate, publish } = makeEngine()
    const first = new HandProvider([{ name: 'message.publish', topics: ['t/#'] }], 'first')
    const second = new HandProvider(['client.authenticate', 'message.publish'], 'second')
    second.reply = (point) => (point === 'client.authenticate' ? allow : { ok: { payload: 'second' } })
    await engine.attach(first, { failedAction: 'deny', ...denyPublish })
    await engine.attach(second, { failedAction: 'deny', ...denyPublish })
    assert.deepEqual(await authenticate(), { result: 'allow' })
    const message = await publish('x')
    assert.ok(message instanceof BrokerMessage)
    assert.equal(Buffer.from(message.payload).toString(), 'second')
    assert.deepEqual(first.seen, [])
  })

  it('holds before the first load where it is written, until the provider answers', async () => {
    const { engine, authenticate, authorize, publish } = makeEngine()
    const provider = new HandProvider(all)
    const held = Promise.withResolvers<void>()
    provider.loading = () => held.promise
    const attached = engine.attach(provider, { failedAction: 'deny', ...denyPublish })
    assert.equal(((await authenticate()) as { result: string }).result, 'deny')
    assert.equal(((await authorize()) as { result: string }).result, 'deny')
    assert.ok((await publish()) instanceof Refusal)
    held.resolve()
    await attached
    provider.reply = () => undefined
    assert.equal(((await authenticate()) as { result: string }).result, 'ignore')
    assert.ok((await publish()) instanceof BrokerMessage)
  })

  it('names what makes no sense', () => {
    const { engine } = makeEngine()
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ timeout: -1 }, /policy of hook provider 'far': timeout must be milliseconds from 0 \(none\)/],
      [{ failedAction: 'close' }, /failedAction must be 'deny' or 'ignore'; got "close"/],
      [{ breaker: { failureRate: 2 } }, /breaker\.failureRate must be a share from 0 \(never\) to 1; got 2/],
      [{ cache: { size: 0 } }, /cache\.size/],
      [{ hooks: { 'message.publish': { timeout: 'soon' } } }, /hooks\['message\.publish'\]\.timeout/],
      [{ hooks: { 'message.publsh': {} } }, /message\.publsh/],
    ]
    for (const [policy, error] of wrong)
      assert.throws(() => engine.providers.make(new HandProvider([]), policy as HookProviderPolicy), error)
  })
})

describe('the timeout', () => {
  it('can be another for one hook, and the provider knows how long it has', async () => {
    const { engine, authenticate, publish } = makeEngine()
    const provider = new HandProvider(all)
    const remaining: number[] = []
    provider.reply = (_point, call) => {
      remaining.push(call.remaining)
      return new Promise(() => {})
    }
    await engine.attach(provider, {
      timeout: 20,
      hooks: { 'message.publish': { timeout: 30, failedAction: 'deny' } },
    })
    await authenticate()
    assert.ok((await publish()) instanceof Refusal)
    assert.ok(remaining[0] > 0 && remaining[0] <= 20, `${remaining[0]}`)
    assert.ok(remaining[1] > 20 && remaining[1] <= 30, `${remaining[1]}`)
  })

  it('without one the provider has for ever', async () => {
    const { engine, publish } = makeEngine()
    const provider = new HandProvider(all)
    await engine.attach(provider, { timeout: 0 })
    const result = publish()
    await settle()
    const { call, answer } = provider.next()
    assert.equal(call.remaining, Number.POSITIVE_INFINITY)
    answer()
    await result
  })

  it('tells the provider that nobody waits any more, by call and by signal', async () => {
    const { engine, publish } = makeEngine()
    const provider = new HandProvider(all)
    await engine.attach(provider)
    const scope = new CallScope()
    const result = publish('a', 'client', scope)
    const { call } = provider.next()
    let abandoned = 0
    call.onAbandoned = () => abandoned++
    scope.cancel()
    await result
    assert.equal(abandoned, 1)
    assert.equal(call.signal.aborted, true)
  })
})

describe('the calls of a provider', () => {
  it('are no more at one time than it may have; others wait in their order', async () => {
    const { engine, publish } = makeEngine()
    const provider = new HandProvider(all)
    const attached = await engine.attach(provider, { maxInFlight: 2 })
    const results = ['1', '2', '3', '4'].map((from) => publish('a', from))
    await settle()
    assert.deepEqual(provider.seen, ['message.publish 1', 'message.publish 2'])
    assert.equal(attached.counters.waiting, 2)
    provider.next().answer()
    await settle()
    assert.deepEqual(provider.seen.slice(2), ['message.publish 3'])
    while (provider.arrived.length > 0) {
      provider.next().answer()
      await settle()
    }
    for (const result of results) assert.ok((await result) instanceof BrokerMessage)
    assert.equal(attached.counters.waiting, 0)
    assert.equal(attached.counters.failures, 0)
  })

  it('fail when too many wait', async () => {
    const { engine, publish, lines } = makeEngine()
    const provider = new HandProvider(all)
    const attached = await engine.attach(provider, { maxInFlight: 1, maxWaiting: 1, ...denyPublish })
    const results = ['1', '2', '3'].map((from) => publish('a', from))
    assert.ok((await results[2]) instanceof Refusal)
    assert.equal(attached.counters.overflowed, 1)
    assert.equal(attached.counters.failures, 1)
    provider.next().answer()
    await settle()
    provider.next().answer()
    for (const result of results.slice(0, 2)) assert.ok((await result) instanceof BrokerMessage)
    assert.deepEqual(lines, [], 'not a line for each')
  })

  it('that wait are given up at their timeout, and never made', async () => {
    const { engine, publish } = makeEngine()
    const provider = new HandProvider(all)
    const attached = await engine.attach(provider, { maxInFlight: 1, timeout: 20, ...denyPublish })
    const results = await Promise.all([publish('a', '1'), publish('a', '2')])
    assert.ok(results.every((result) => result instanceof Refusal))
    assert.deepEqual(provider.seen.slice(0, 1), ['message.publish 1'])
    assert.equal(attached.counters.waiting, 0)
    assert.equal(attached.counters.timeouts, 2)
  })

  it('and its notifications share the places; calls come first', async () => {
    const { engine, publish, ping } = makeEngine()
    const provider = new HandProvider(all)
    const attached = await engine.attach(provider, { maxInFlight: 1 })
    ping('1')
    ping('2')
    const result = publish('a', '3')
    await settle()
    assert.deepEqual(provider.seen, ['client.ping 1'])
    assert.equal(attached.counters.queued, 1)
    provider.next().answer()
    await settle()
    assert.deepEqual(provider.seen, ['client.ping 1', 'message.publish 3'])
    provider.next().answer()
    await result
    await settle()
    assert.deepEqual(provider.seen.slice(2), ['client.ping 2'])
    provider.next().answer()
    assert.equal(await engine.idle(1000), true)
  })
})

describe('the circuit breaker of a provider', () => {
  const breaker = { failures: 3, openFor: 40 }

  it('spares the clients the wait, is seen, and closes by itself', async () => {
    const { engine, publish, lines } = makeEngine()
    const provider = new HandProvider(all)
    provider.reply = () => {
      throw new Error('down')
    }
    const attached = await engine.attach(provider, { breaker, ...denyPublish })
    for (let index = 0; index < 10; index++) assert.ok((await publish()) instanceof Refusal)
    assert.equal(provider.seen.length, 3)
    assert.equal(attached.breaker, 'open')
    assert.equal(attached.counters.turnedAway, 7)
    assert.equal(attached.counters.opened, 1)
    assert.equal(attached.counters.failures, 10)
    provider.reply = () => undefined
    while (attached.breaker === 'open') await new Promise((resolve) => setTimeout(resolve, 5))
    assert.equal(attached.breaker, 'half-open')
    assert.ok((await publish()) instanceof BrokerMessage)
    assert.equal(attached.breaker, 'closed')
    assert.deepEqual(
      lines.filter(({ message }) => message.startsWith('circuit')).map(({ level }) => level),
      ['warn', 'info'],
    )
    assert.equal(lines.filter(({ message }) => message.startsWith('hook failed')).length, 3)
  })

  it('counts what comes too late and notifications, but no client that has gone', async () => {
    const { engine, publish, ping } = makeEngine()
    const provider = new HandProvider(all)
    const attached = await engine.attach(provider, { breaker: { failures: 2, openFor: 10_000 }, timeout: 10 })
    const scope = new CallScope()
    const cancelled = [publish('a', '1', scope), publish('a', '2', scope)]
    scope.cancel()
    await Promise.all(cancelled)
    assert.equal(attached.breaker, 'closed')
    ping('1')
    await publish('a', '3')
    await engine.idle(1000)
    assert.equal(attached.breaker, 'open')
    const before = provider.seen.length
    ping('4')
    await engine.idle(1000)
    assert.equal(provider.seen.length, before)
    assert.equal(attached.counters.turnedAway, 1)
  })

  it('closes when the provider is loaded again', async () => {
    const { engine, publish } = makeEngine()
    const provider = new HandProvider(all)
    provider.reply = () => {
      throw new Error('down')
    }
    const attached = await engine.attach(provider, { breaker: { failures: 1, openFor: 60_000 } })
    await publish()
    assert.equal(attached.breaker, 'open')
    await attached.reload()
    assert.equal(attached.breaker, 'closed')
  })
})

describe('remembered verdicts', () => {
  const cached = { cache: { ttl: 60_000 } }

  it('are not there unless they are asked for', async () => {
    const { engine, authenticate } = makeEngine()
    const provider = new HandProvider(all)
    provider.reply = () => allow
    await engine.attach(provider)
    await authenticate()
    await authenticate()
    assert.equal(provider.seen.length, 2)
  })

  it('spare the provider the same question, whatever the answer was', async () => {
    const { engine, authenticate, authorize } = makeEngine()
    const provider = new HandProvider(all)
    provider.reply = (point) => (point === 'client.authenticate' ? allow : deny)
    const attached = await engine.attach(provider, cached)
    for (let index = 0; index < 3; index++) {
      assert.deepEqual(await authenticate(), { result: 'allow' })
      assert.equal(((await authorize('a')) as { result: string }).result, 'deny')
    }
    assert.deepEqual(provider.seen, ['client.authenticate client', 'client.authorize client'])
    assert.equal(attached.counters.cacheHits, 4)
    assert.equal(attached.counters.cached, 2)
  })

  it('are no answer to another question', async () => {
    const { engine, authenticate, authorize } = makeEngine()
    const provider = new HandProvider(all)
    provider.reply = () => allow
    await engine.attach(provider, cached)
    await authenticate('client', { password: Buffer.from('one') })
    await authenticate('client', { password: Buffer.from('two') })
    await authenticate('client', { password: Buffer.from('one'), username: 'u' })
    await authenticate('other', { password: Buffer.from('one') })
    await authorize('a')
    await authorize('b')
    assert.equal(provider.seen.length, 6)
  })

  it('are shared by those who ask at the same time', async () => {
    const { engine, authenticate } = makeEngine()
    const provider = new HandProvider(all)
    const attached = await engine.attach(provider, cached)
    const results = [authenticate(), authenticate(), authenticate()]
    await settle()
    assert.equal(provider.seen.length, 1)
    provider.next().answer(allow)
    assert.deepEqual(await Promise.all(results), Array(3).fill({ result: 'allow' }))
    assert.equal(attached.counters.cacheHits, 2)
  })

  it('reach the others also when the first that asked has gone; the call is given up with the last', async () => {
    const { engine, authenticate } = makeEngine()
    const provider = new HandProvider(all)
    const attached = await engine.attach(provider, cached)
    const [first, second] = [new CallScope(), new CallScope()]
    const results = [authenticate('client', {}, first), authenticate('client', {}, second)]
    const { call, answer } = provider.next()
    first.cancel()
    await settle()
    assert.equal(call.signal.aborted, false)
    answer(allow)
    assert.ok((await results[0]) instanceof Refusal)
    assert.deepEqual(await results[1], { result: 'allow' })

    const [third, fourth] = [new CallScope(), new CallScope()]
    const more = [authenticate('other', {}, third), authenticate('other', {}, fourth)]
    const other = provider.next()
    third.cancel()
    fourth.cancel()
    await Promise.all(more)
    assert.equal(other.call.signal.aborted, true)
    assert.equal(attached.counters.failures, 0)
  })

  it('do not outlive what the policy or the provider says', async () => {
    const { engine, authenticate } = makeEngine()
    const provider = new HandProvider(all)
    await engine.attach(provider, { cache: { ttl: 60_000, negativeTtl: 0 } })
    provider.reply = () => deny
    await authenticate()
    await authenticate()
    assert.equal(provider.seen.length, 2, 'a refusal')
    provider.reply = (_point, call: ProviderCall) => {
      call.cacheFor(0)
      return allow
    }
    await authenticate()
    await authenticate()
    assert.equal(provider.seen.length, 4, 'the provider said no')
    provider.reply = (_point, call: ProviderCall) => {
      call.cacheFor(20)
      return deny
    }
    await authenticate()
    const end = performance.now() + 25
    await authenticate()
    assert.ok(provider.seen.length === 5 || performance.now() > end - 5)
    while (performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 5))
    const before = provider.seen.length
    await authenticate()
    assert.equal(provider.seen.length, before + 1, 'it has run out')
  })

  it('are of answers only', async () => {
    const { engine, authenticate } = makeEngine()
    const provider = new HandProvider(all)
    await engine.attach(provider, cached)
    provider.reply = () => {
      throw new Error('down')
    }
    await authenticate()
    provider.reply = () => ({ stop: 'nonsense' })
    await authenticate()
    provider.reply = () => allow
    assert.deepEqual(await authenticate(), { result: 'allow' })
    assert.equal(provider.seen.length, 3)
  })

  it('are not kept beyond their number, the one that was used last stays', async () => {
    const { engine, authenticate } = makeEngine()
    const provider = new HandProvider(all)
    provider.reply = () => allow
    const attached = await engine.attach(provider, { cache: { ttl: 60_000, size: 2 } })
    for (const clientId of ['1', '2', '1', '3', '1', '2']) await authenticate(clientId)
    assert.equal(attached.counters.cached, 2)
    assert.deepEqual(
      provider.seen.map((line) => line.split(' ')[1]),
      ['1', '2', '3', '2'],
    )
  })

  it('can be forgotten, of one client or all, also those on their way', async () => {
    const { engine, authenticate } = makeEngine()
    const provider = new HandProvider(all)
    provider.reply = () => allow
    const attached = await engine.attach(provider, cached)
    for (const clientId of ['1', '2', '3']) await authenticate(clientId)
    assert.equal(attached.cleanCache('1'), 1)
    assert.equal(attached.cleanCache(), 2)
    assert.equal(attached.counters.cached, 0)
    provider.reply = undefined
    const result = authenticate('4')
    attached.cleanCache()
    provider.next().answer(allow)
    await result
    assert.equal(attached.counters.cached, 0)
  })

  it('are forgotten when the provider is loaded again', async () => {
    const { engine, authenticate } = makeEngine()
    const provider = new HandProvider(all)
    provider.reply = () => allow
    const attached = await engine.attach(provider, cached)
    await authenticate()
    await attached.reload()
    await authenticate()
    assert.equal(provider.seen.length, 2)
  })
})

describe('a rehearsal', () => {
  it('takes its place among the calls in flight and gives it back, whatever comes of it', async () => {
    const { engine, publish } = makeEngine()
    const provider = new HandProvider(['message.publish'])
    await engine.attach(provider, { maxInFlight: 1, timeout: 5, breaker: { failures: 2 } })
    const message = () => BrokerMessage.from({ topic: 'a', from: 'client', payload: 'x' }, 1)
    const answers = [() => undefined, () => assert.fail('down'), () => new Promise(() => {})]
    for (const reply of [...answers, ...answers]) {
      provider.reply = reply
      await rehearse(engine.chain('message.publish'), {}, message(), { record() {} })
    }
    provider.reply = () => ({ ok: { payload: 'asked' } })
    const published = await publish()
    assert.ok(published instanceof BrokerMessage)
    assert.equal(String(published.payload), 'asked', 'there is room, and the circuit breaker is closed')
  })
})
