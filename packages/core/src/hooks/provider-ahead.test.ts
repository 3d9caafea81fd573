import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HookPointName, HookProvider, HookProviderPolicy, ProviderCall } from '@hookmq/api'
import { testClient, testConnInfo } from '@hookmq/api/testing'
import { HookEngine } from './engine.ts'
import { settle } from './hand-provider.testing.ts'
import { collectingLog } from './log.testing.ts'

/** Takes each notification, lets the next one follow at once, and says later how it ended. */
class AheadProvider implements HookProvider {
  readonly name = 'far'
  readonly calls: ProviderCall[] = []
  unloads = 0
  /** Ends each within `tell`. */
  atOnce: { readonly error?: Error } | undefined
  readonly numbers = { letters: 3 }

  async load() {
    return [{ name: 'client.ping' }]
  }

  call(): void {}

  tell(_point: HookPointName, _args: unknown, _accumulator: unknown, call: ProviderCall): void {
    call.ahead = true
    this.calls.push(call)
    if (this.atOnce !== undefined) call.handled(this.atOnce.error)
  }

  async unload() {
    this.unloads++
  }
}

async function start(policy: HookProviderPolicy = {}) {
  const { log, lines } = collectingLog()
  const engine = new HookEngine({ log, timeout: 0, queueLimit: 10, queueDrop: 'oldest' })
  const provider = new AheadProvider()
  const attached = await engine.attach(provider, policy)
  const ping = (clientId = 'one') =>
    engine.chain('client.ping').notify({ client: testClient({ clientId }), connInfo: testConnInfo({ clientId }) })
  return { engine, provider, attached, ping, lines }
}

describe('notifications that go ahead', () => {
  it('follow each other without waiting, and are in flight until they have been handled', async () => {
    const { engine, provider, attached, ping } = await start()
    for (let count = 0; count < 3; count++) ping()
    assert.equal(provider.calls.length, 3)
    assert.deepEqual([attached.counters.inFlight, attached.hooks[0].succeeded], [3, 0])
    assert.equal(await engine.idle(20), false)
    for (const call of provider.calls) call.handled()
    assert.deepEqual([attached.counters.inFlight, attached.hooks[0].succeeded], [0, 3])
    assert.equal(attached.hooks[0].latency.count, 3)
    assert.equal(await engine.idle(20), true)
    assert.deepEqual(attached.numbers, { letters: 3 })
  })

  it('count as failed when they have failed, once, with a line in the log', async () => {
    const { provider, attached, ping, lines } = await start()
    ping()
    ping()
    provider.calls[0].handled(new Error('the line is dead'))
    provider.calls[0].handled(new Error('again'))
    provider.calls[1].handled()
    const { calls, failures, timeouts, inFlight } = attached.counters
    assert.deepEqual([calls, failures, timeouts, inFlight], [2, 1, 0, 0])
    assert.equal(attached.hooks[0].succeeded, 1)
    assert.deepEqual(
      lines.map(({ message, fields }) => [message, fields.error]),
      [['hook failed: rejected', 'the line is dead']],
    )
  })

  it('count as a timeout when their time was over', async () => {
    const { provider, attached, ping } = await start({ timeout: 1 })
    ping()
    while (provider.calls[0].remaining > 0) await settle()
    provider.calls[0].handled(new Error('no answer'))
    assert.deepEqual([attached.counters.failures, attached.counters.timeouts], [1, 1])
  })

  it('keep to maxInFlight: those beyond it wait in the queue, client by client', async () => {
    const { provider, attached, ping } = await start({ maxInFlight: 2 })
    for (let count = 0; count < 4; count++) ping()
    assert.deepEqual([provider.calls.length, attached.counters.queued], [2, 2])
    provider.calls[0].handled()
    assert.deepEqual([provider.calls.length, attached.counters.queued], [3, 1])
    provider.calls[1].handled(new Error('no'))
    provider.calls[2].handled()
    assert.deepEqual([provider.calls.length, attached.counters.queued], [4, 0])
  })

  it('open the circuit breaker, and close it', async () => {
    const { provider, attached, ping } = await start({ breaker: { failures: 3, openFor: 1 } })
    for (let count = 0; count < 5; count++) ping()
    for (const call of provider.calls) call.handled(new Error('no'))
    assert.equal(attached.counters.opened, 1)
    while (attached.breaker === 'open') await settle()
    ping()
    ping()
    assert.equal(provider.calls.length, 6, 'one tries it')
    provider.calls[5].handled()
    assert.equal(attached.breaker, 'closed')
  })

  it('may end before tell has returned', async () => {
    const { engine, provider, attached, ping } = await start()
    provider.atOnce = { error: new Error('refused') }
    ping()
    provider.atOnce = {}
    ping()
    const { calls, failures, inFlight } = attached.counters
    assert.deepEqual([calls, failures, inFlight, attached.hooks[0].succeeded], [2, 1, 0, 1])
    assert.equal(await engine.idle(20), true)
  })

  it('are waited for before the provider is unloaded', async () => {
    const { provider, attached, ping } = await start()
    ping()
    const detached = attached.detach()
    await settle()
    assert.equal(provider.unloads, 0)
    provider.calls[0].handled()
    await detached
    assert.equal(provider.unloads, 1)
  })
})
