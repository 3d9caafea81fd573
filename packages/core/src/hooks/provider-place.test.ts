import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testClient, testConnInfo } from '@hookmq/api/testing'
import { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'
import { HookEngine } from './engine.ts'
import { HandProvider, settle } from './hand-provider.testing.ts'
import { collectingLog } from './log.testing.ts'

function makeEngine() {
  const engine = new HookEngine({ log: collectingLog().log, timeout: 0, queueLimit: 1000, queueDrop: 'oldest' })
  return {
    engine,
    publish: (from = 'c') =>
      engine.chain('message.publish').fold({}, BrokerMessage.from({ topic: 'a', from, payload: 'x' }, 1)),
    ping: (clientId = 'c') =>
      engine.chain('client.ping').notify({ client: testClient({ clientId }), connInfo: testConnInfo({ clientId }) }),
  }
}

function recording(name: string, order: string[]): HandProvider {
  const provider = new HandProvider(['message.publish'], name)
  provider.reply = () => void order.push(name)
  return provider
}

describe('the place of a provider', () => {
  it('orders those of one priority, and can be changed without loading anything', async () => {
    const { engine, publish } = makeEngine()
    const order: string[] = []
    const providers = ['a', 'b', 'c'].map((name) => recording(name, order))
    const handles = []
    for (const [place, provider] of providers.entries()) handles.push(await engine.attach(provider, { place }))
    await publish()
    handles[2].place = -1
    await publish()
    handles[0].place = 5
    await publish()
    assert.equal(order.join(''), 'abccabcba')
    assert.deepEqual(
      providers.map(({ loads, unloads }) => [loads, unloads]),
      [
        [1, 0],
        [1, 0],
        [1, 0],
      ],
    )
  })

  it('stays when the provider is loaded again or replaced', async () => {
    const { engine, publish } = makeEngine()
    const order: string[] = []
    const first = await engine.attach(recording('a', order), { place: 0 })
    await engine.attach(recording('b', order), { place: 1 })
    await first.reload()
    await first.replace(recording('a', order), { place: 0 }).ready
    await publish()
    assert.equal(order.join(''), 'ab')
  })
})

describe('a provider in the place of another', () => {
  it('takes over when it has loaded; until then the other answers; each event comes once', async () => {
    const { engine, publish, ping } = makeEngine()
    const before = new HandProvider(['message.publish', 'client.ping'])
    const after = new HandProvider(['message.publish', 'client.ping'])
    const held = Promise.withResolvers<void>()
    after.loading = () => held.promise
    const handle = await engine.attach(before)
    const inFlight = publish('1')
    const successor = handle.replace(after)
    assert.equal(handle.status, 'detached')
    ping('2')
    const during = publish('2')
    assert.deepEqual(before.seen, ['message.publish 1', 'client.ping 2', 'message.publish 2'])
    held.resolve()
    assert.equal(await successor.ready, true)
    const later = publish('3')
    ping('2')
    await settle()
    assert.deepEqual(after.seen, ['message.publish 3'], 'the notification waits for the one before it')
    assert.equal(before.unloads, 0, 'it has calls to answer')
    for (const { answer } of before.arrived) answer()
    await Promise.all([inFlight, during])
    await handle.detach()
    assert.equal(before.unloads, 1)
    await settle()
    assert.deepEqual(after.seen, ['message.publish 3', 'client.ping 2'])
    for (const { answer } of after.arrived) answer()
    await later
    assert.equal(before.seen.length, 3)
    assert.equal(await engine.idle(1000), true)
  })

  it('lets it go also when it cannot load, and refuses where its own policy says so', async () => {
    const { engine, publish } = makeEngine()
    const before = new HandProvider(['message.publish'])
    before.reply = () => undefined
    const handle = await engine.attach(before)
    const after = new HandProvider([])
    after.loading = () => Promise.reject(new Error('nobody there'))
    const successor = handle.replace(after, { hooks: { 'message.publish': { failedAction: 'deny' } } })
    assert.equal(await successor.ready, false)
    await handle.detach()
    assert.equal(before.unloads, 1)
    assert.ok((await publish()) instanceof Refusal)
    await successor.detach()
    assert.ok((await publish()) instanceof BrokerMessage)
    assert.equal(after.unloads, 0, 'never loaded')
  })

  it('can itself be replaced before it has loaded', async () => {
    const { engine, publish } = makeEngine()
    const [first, second, third] = [1, 2, 3].map(() => new HandProvider(['message.publish']))
    first.reply = () => undefined
    third.reply = () => undefined
    const held = Promise.withResolvers<void>()
    second.loading = () => held.promise
    const handle = await engine.attach(first)
    const between = handle.replace(second)
    const last = between.replace(third)
    await publish()
    assert.equal(first.seen.length, 1)
    assert.equal(await last.ready, true)
    await Promise.all([handle.detach(), between.detach()])
    held.resolve()
    await publish()
    await settle()
    assert.deepEqual([first.seen.length, second.seen.length, third.seen.length], [1, 0, 1])
    assert.deepEqual([first.unloads, second.unloads, third.unloads], [1, 1, 0])
  })

  it('must not be another by name, and not twice', async () => {
    const { engine } = makeEngine()
    const handle = await engine.attach(new HandProvider([], 'a'))
    await engine.attach(new HandProvider([], 'b'))
    assert.throws(() => handle.replace(new HandProvider([], 'b')), /must be of the same name/)
    await handle.detach()
    assert.throws(() => handle.replace(new HandProvider([], 'a')), /is detached/)
  })

  it('may have a name that one had which is still on its way out', async () => {
    const { engine, publish } = makeEngine()
    const before = new HandProvider(['message.publish'])
    const handle = await engine.attach(before)
    const result = publish()
    const gone = handle.detach()
    const after = new HandProvider(['message.publish'])
    after.reply = () => undefined
    await engine.attach(after)
    before.next().answer()
    await Promise.all([result, gone])
    await publish()
    assert.equal(after.seen.length, 1, 'its hooks have not gone with the other')
  })
})

describe('loading', () => {
  it('is tried again for ever where the policy says so', async () => {
    const { engine, publish } = makeEngine()
    const provider = new HandProvider(['message.publish'])
    provider.reply = () => undefined
    provider.loading = async () => {
      if (provider.loads < 4) throw new Error('not yet')
    }
    const attached = await engine.attach(provider, { retry: 5 })
    assert.equal(attached.status, 'failed')
    while (engine.providers.list()[0].status !== 'loaded') await new Promise((resolve) => setTimeout(resolve, 2))
    assert.equal(provider.loads, 4)
    await publish()
    assert.equal(provider.seen.length, 1)
    await attached.detach()
  })

  it('again keeps the counts, and an event that is under way comes once', async () => {
    const { engine, publish } = makeEngine()
    const provider = new HandProvider(['message.publish'])
    const attached = await engine.attach(provider)
    const result = publish()
    const [one, other] = [attached.reload(), attached.reload()]
    assert.equal(one, other, 'one at a time')
    await one
    provider.next().answer()
    await result
    provider.reply = () => {
      throw new Error('no')
    }
    await publish()
    const [{ calls, succeeded, failures, latency }] = attached.hooks
    assert.deepEqual([calls, succeeded, failures, latency.count], [2, 1, 1, 2])
    assert.ok(latency.p50 !== undefined && latency.p99 !== undefined && latency.p50 <= latency.p99)
  })
})
