import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HookPointName, HookProvider, HookSpec, ProviderCall } from '@hookmq/api'
import { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'
import { HookEngine } from './engine.ts'
import { collectingLog } from './log.testing.ts'
import { CallScope } from './pending.ts'

// What the conformance suite cannot see from outside: signals, priorities, what is logged.

class Provider implements HookProvider {
  readonly name = 'far'
  readonly signals: AbortSignal[] = []
  readonly #specs: readonly HookSpec[]
  answer: () => unknown = () => new Promise(() => {})

  constructor(specs: readonly HookSpec[] = [{ name: 'message.publish' }]) {
    this.#specs = specs
  }

  async load() {
    return this.#specs
  }

  call(_point: HookPointName, _args: unknown, _accumulator: unknown, call: ProviderCall): unknown {
    this.signals.push(call.signal)
    return this.answer()
  }

  tell(): void {}
  async unload() {}
}

function makeEngine() {
  const { log, lines } = collectingLog()
  const engine = new HookEngine({ log, timeout: 0, queueLimit: 10, queueDrop: 'oldest' })
  const publish = (scope?: CallScope) =>
    engine.chain('message.publish').fold({}, BrokerMessage.from({ topic: 'a' }, 1), scope)
  return { engine, lines, publish }
}

describe('the signal of a call', () => {
  it('aborts at the timeout', async () => {
    const { engine, publish } = makeEngine()
    const provider = new Provider()
    await engine.attach(provider, { timeout: 10, hooks: { 'message.publish': { failedAction: 'deny' } } })
    assert.ok((await publish()) instanceof Refusal)
    assert.deepEqual(
      provider.signals.map(({ aborted }) => aborted),
      [true],
    )
  })

  it('aborts when whoever asked is gone, and that is no failure', async () => {
    const { engine, publish, lines } = makeEngine()
    const provider = new Provider()
    const attached = await engine.attach(provider)
    const scope = new CallScope()
    const result = publish(scope)
    assert.equal(provider.signals[0].aborted, false)
    scope.cancel()
    assert.equal(provider.signals[0].aborted, true)
    assert.ok((await result) instanceof Refusal)
    assert.equal(attached.counters.failures, 0)
    assert.deepEqual(lines, [])
  })

  it('does not abort after an answer', async () => {
    const { engine, publish } = makeEngine()
    const provider = new Provider()
    provider.answer = async () => 'ok'
    await engine.attach(provider)
    const scope = new CallScope()
    await publish(scope)
    scope.cancel()
    assert.equal(provider.signals[0].aborted, false)
  })
})

describe('an attached provider', () => {
  it('stands at priority 100 unless its policy says otherwise', async () => {
    const { engine } = makeEngine()
    engine.add('message.publish', () => undefined, { owner: 'rewrite', priority: 980 })
    engine.add('message.publish', () => undefined, { owner: 'plugin' })
    await engine.attach(new Provider())
    const owners = engine.describe().find(({ point }) => point === 'message.publish')?.hooks
    assert.deepEqual(
      owners?.map(({ owner, priority }) => [owner, priority]),
      [
        ['rewrite', 980],
        ['far', 100],
        ['plugin', 0],
      ],
    )
  })

  it('names a point once, takes topics for messages only, and may answer at once', async () => {
    const { engine, lines, publish } = makeEngine()
    const provider = new Provider([
      { name: 'message.publish', topics: ['b'] },
      { name: 'message.publish' },
      { name: 'client.connected', topics: ['a'] },
    ])
    const attached = await engine.attach(provider)
    assert.deepEqual(attached.points, ['message.publish', 'client.connected'])
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields.point]),
      [
        ['warn', 'message.publish'],
        ['warn', 'client.connected'],
      ],
    )
    assert.ok(publish() instanceof BrokerMessage, 'its topics do not match')
    await assert.rejects(engine.attach(new Provider()), /already are hooks of 'far'/)
  })

  it('that runs meet after it was detached is passed by', async () => {
    const { engine, publish } = makeEngine()
    const held = Promise.withResolvers<void>()
    engine.add('message.publish', () => held.promise, { owner: 'plugin', priority: 500 })
    const provider = new Provider()
    const attached = await engine.attach(provider)
    const result = publish()
    await attached.detach()
    held.resolve()
    assert.ok((await result) instanceof BrokerMessage)
    assert.deepEqual(provider.signals, [])
  })
})
