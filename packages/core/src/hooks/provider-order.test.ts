import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testClient, testConnInfo } from '@hookmq/api/testing'
import * as fc from 'fast-check'
import { BrokerMessage } from '../message.ts'
import { HookEngine } from './engine.ts'
import { HandProvider, settle } from './hand-provider.testing.ts'
import { collectingLog } from './log.testing.ts'
import { CallScope } from './pending.ts'

function makeEngine() {
  const engine = new HookEngine({ log: collectingLog().log, timeout: 0, queueLimit: 1000, queueDrop: 'oldest' })
  const about = (clientId: string) => ({ client: testClient({ clientId }), connInfo: testConnInfo({ clientId }) })
  return {
    engine,
    ping: (clientId: string) => engine.chain('client.ping').notify(about(clientId)),
    connack: (clientId: string, scope?: CallScope) =>
      engine
        .chain('client.connack')
        .fold({ connInfo: testConnInfo({ clientId }), reasonCode: 0, reason: 'success' }, {}, scope),
    publish: (from: string, topic = 'a', scope?: CallScope) =>
      engine.chain('message.publish').fold({}, BrokerMessage.from({ topic, from, payload: 'x' }, 1), scope),
  }
}

const asks = ['message.publish', 'client.ping', { name: 'client.connack', observe: true }]

describe('notify: background', () => {
  it('calls do not wait for notifications, and nobody waits for what is only told', async () => {
    const { engine, ping, publish, connack } = makeEngine()
    const provider = new HandProvider(asks)
    await engine.attach(provider)
    ping('1')
    const result = publish('1')
    assert.ok(!(connack('1') instanceof Promise))
    await settle()
    assert.deepEqual(provider.seen, ['client.ping 1', 'message.publish 1'])
    provider.arrived[1].answer()
    assert.ok((await result) instanceof BrokerMessage)
    provider.next().answer()
    await settle()
    assert.deepEqual(provider.seen.slice(2), ['client.connack 1'], 'one after the other')
    provider.arrived[1].answer()
  })
})

describe('notify: wait', () => {
  const policy = { notify: 'wait' } as const

  it('a call waits for the notifications before it, and they for the call', async () => {
    const { engine, ping, publish } = makeEngine()
    const provider = new HandProvider(asks)
    await engine.attach(provider, policy)
    ping('1')
    const result = publish('1')
    ping('1')
    const other = publish('2')
    await settle()
    assert.deepEqual(provider.seen, ['client.ping 1', 'message.publish 2'])
    provider.next().answer()
    await settle()
    assert.deepEqual(provider.seen.slice(2), ['message.publish 1'])
    provider.arrived[1].answer()
    assert.ok((await result) instanceof BrokerMessage)
    await settle()
    assert.deepEqual(provider.seen.slice(3), ['client.ping 1'])
    for (const arrived of provider.arrived) arrived.answer()
    await other
  })

  it('the client waits for what is told on a point at which it can wait', async () => {
    const { engine, connack, ping } = makeEngine()
    const provider = new HandProvider(asks)
    await engine.attach(provider, policy)
    ping('1')
    let written = false
    const result = Promise.resolve(connack('1')).then(() => {
      written = true
    })
    await settle()
    provider.next().answer()
    await settle()
    assert.equal(written, false)
    provider.next().answer()
    await result
  })

  it('CONNACK waits also where the provider does not hook it, without a call', async () => {
    const { engine, connack, ping } = makeEngine()
    const provider = new HandProvider(['client.ping'])
    const attached = await engine.attach(provider, policy)
    assert.deepEqual(attached.points, ['client.ping'])
    assert.deepEqual(engine.describe().find(({ point }) => point === 'client.connack')?.hooks, [])
    ping('1')
    let written = false
    const result = Promise.resolve(connack('1')).then(() => {
      written = true
    })
    await settle()
    assert.equal(written, false)
    provider.next().answer()
    await result
    assert.deepEqual(provider.seen, ['client.ping 1'])
  })

  it('each has its own time from the moment at which it is its turn', async () => {
    const { engine, connack, publish, ping } = makeEngine()
    const provider = new HandProvider(asks)
    const attached = await engine.attach(provider, { ...policy, timeout: 15 })
    ping('1')
    await Promise.all([connack('1'), publish('1')])
    assert.deepEqual(provider.seen, ['client.ping 1', 'client.connack 1', 'message.publish 1'])
    assert.equal(attached.counters.timeouts, 3)
  })

  it('what a client that has gone was waiting for is not asked, and what follows goes on', async () => {
    const { engine, publish, ping } = makeEngine()
    const provider = new HandProvider(asks)
    await engine.attach(provider, policy)
    const scope = new CallScope()
    ping('1')
    const results = [publish('1', 'a', scope), publish('1', 'b')]
    scope.cancel()
    provider.next().answer()
    await results[0]
    await settle()
    assert.deepEqual(provider.seen, ['client.ping 1', 'message.publish 1'])
    provider.next().answer()
    await results[1]
  })

  it('calls that wait for their turn are never dropped', async () => {
    const { engine, publish, ping } = makeEngine()
    const provider = new HandProvider(asks)
    const attached = await engine.attach(provider, { ...policy, queueLimit: 1 })
    ping('1')
    const result = publish('1')
    ping('1')
    ping('1')
    ping('1')
    assert.equal(attached.counters.dropped, 2)
    provider.reply = () => undefined
    provider.next().answer()
    assert.ok((await result) instanceof BrokerMessage)
    assert.equal(await engine.idle(1000), true)
    assert.deepEqual(provider.seen, ['client.ping 1', 'message.publish 1', 'client.ping 1'])
  })
})

describe('the order of what one client does', () => {
  type Event = readonly [kind: 'ping' | 'connack' | 'publish', clientId: string]
  const events = fc.array(
    fc.tuple(fc.constantFrom('ping', 'connack', 'publish'), fc.constantFrom('1', '2', '3')) as fc.Arbitrary<Event>,
    { maxLength: 30 },
  )
  const answers = fc.infiniteStream(fc.nat(100))
  const points = { ping: 'client.ping', connack: 'client.connack', publish: 'message.publish' } as const

  for (const notify of ['background', 'wait'] as const)
    it(`is kept with notify: ${notify}, whatever is answered when, and nothing is lost or comes twice`, async () => {
      await fc.assert(
        fc.asyncProperty(events, answers, fc.constantFrom(0, 1, 3), async (list, choices, maxInFlight) => {
          const { engine, ...run } = makeEngine()
          const provider = new HandProvider(asks)
          await engine.attach(provider, { notify, maxInFlight })
          const results = list.map(([kind, clientId]) => run[kind](clientId))
          for (const choice of choices) {
            await settle()
            if (provider.arrived.length === 0) break
            // Of one client: in the background one notification at a time, beside its calls; else one of all.
            const busy = provider.arrived
              .filter(({ told }) => notify === 'wait' || told)
              .map(({ clientId }) => clientId)
            assert.equal(new Set(busy).size, busy.length, 'two at a time')
            if (maxInFlight > 0) assert.ok(provider.arrived.length <= maxInFlight)
            const [arrived] = provider.arrived.splice(choice % provider.arrived.length, 1)
            arrived.answer()
          }
          await Promise.all(results)
          assert.equal(await engine.idle(1000), true)
          for (const clientId of ['1', '2', '3']) {
            const wanted = list.filter(([, other]) => other === clientId).map(([kind]) => `${points[kind]} ${clientId}`)
            const seen = provider.seen.filter((line) => line.endsWith(` ${clientId}`))
            const kinds = notify === 'wait' ? [/./] : [/^message/, /^client/]
            for (const kind of kinds)
              assert.deepEqual(
                seen.filter((line) => kind.test(line)),
                wanted.filter((line) => kind.test(line)),
              )
          }
        }),
        { numRuns: 60 },
      )
    })
})
