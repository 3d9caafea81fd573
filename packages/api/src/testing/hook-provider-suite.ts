import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { HookProviderPolicy } from '../provider.ts'
import { testClient, testConnInfo, testCredential, testSession } from './fixtures.ts'
import type {
  AttachedToHost,
  HookHost,
  HookProviderHarness,
  ProviderCapability,
  ProviderScript,
  ProviderUnderTest,
} from './hook-provider-harness.ts'

// Long enough for a slow machine; no case waits for it unless it is about to fail.
const patience = 10_000
// Short, because cases wait for it to pass.
const shortTimeout = 40

interface Case {
  readonly host: HookHost
  readonly far: ProviderUnderTest
  readonly attached: AttachedToHost
}

/**
 * What every provider of hooks must do once the broker has attached it, whatever carries its calls. Runs under node:test.
 */
export function hookProviderSuite(harness: HookProviderHarness): void {
  async function start(t: TestContext, script: ProviderScript, policy: HookProviderPolicy = {}): Promise<Case> {
    const far = await harness.create(script)
    let attached: AttachedToHost | undefined
    t.after(async () => {
      await far.release()
      await attached?.detach()
      await far.dispose()
    })
    const host = harness.host()
    attached = await host.attach(far.provider, { timeout: patience, ...policy })
    return { host, far, attached }
  }

  function needs(capability: ProviderCapability): { skip: string | false } {
    return { skip: harness.lacks?.[capability] ?? false }
  }

  /** A failed call on message.publish stops the message only where that is said for this hook. */
  const strict: HookProviderPolicy = { failedAction: 'deny', hooks: { 'message.publish': { failedAction: 'deny' } } }
  const publishHook: ProviderScript['hooks'] = [{ name: 'message.publish' }]
  const message = { topic: 'a/b', payload: 'before', from: 'client' }

  describe(`hook provider: ${harness.name}`, () => {
    describe('loading', () => {
      it('is asked on the points that it named, and unloaded once', async (t) => {
        const { host, far, attached } = await start(t, { hooks: publishHook })
        assert.equal(attached.status, 'loaded')
        assert.equal(await far.loads(), 1)
        await host.publish(message)
        await host.authenticate(testCredential())
        assert.deepEqual(await far.received(), [{ point: 'message.publish', clientId: 'client', topic: 'a/b' }])
        await attached.detach()
        await attached.detach()
        assert.equal(attached.status, 'detached')
        assert.equal(await far.unloads(), 1)
        await host.publish(message)
        assert.equal((await far.received()).length, 1, 'not asked any more')
      })

      it('may name no hook at all', async (t) => {
        const { host, attached } = await start(t, { hooks: [] })
        assert.equal(attached.status, 'loaded')
        assert.deepEqual(await host.publish(message), { topic: 'a/b', payload: 'before' })
      })

      it('takes old names for the points that they mean', needs('old hook names'), async (t) => {
        const { host, far } = await start(t, { hooks: [{ name: 'client.check_acl' }] })
        await host.authorize({ client: testClient(), action: 'publish', topic: 'a/b', qos: 0, retain: false })
        assert.deepEqual(await far.received(), [{ point: 'client.authorize', clientId: 'client', topic: 'a/b' }])
      })

      it('fails on an unknown hook name, and none of its hooks runs', needs('unknown hook names'), async (t) => {
        const { host, far, attached } = await start(
          t,
          { hooks: [{ name: 'message.publish' }, { name: 'message.publsh' }] },
          { failedAction: 'ignore' },
        )
        assert.equal(attached.status, 'failed')
        assert.match(String(attached.error), /message\.publsh/)
        await host.publish(message)
        assert.deepEqual(await far.received(), [])
      })

      it('refuses everything with a written failedAction deny when it could not be loaded', async (t) => {
        const { host, attached } = await start(t, { hooks: publishHook, refuseLoad: 'not today' }, strict)
        assert.equal(attached.status, 'failed')
        assert.match(String(attached.error), /not today/)
        assert.deepEqual(await host.publish(message), { refused: 'reject', reasonCode: 0x83 })
        const answer = await host.authenticate(testCredential())
        assert.ok('result' in answer && answer.result === 'deny')
        await attached.detach()
        assert.deepEqual(await host.publish(message), { topic: 'a/b', payload: 'before' })
      })

      it('lets messages pass, but nobody in, with deny written for the provider only', async (t) => {
        const { host } = await start(t, { hooks: publishHook, refuseLoad: 'not today' }, { failedAction: 'deny' })
        assert.deepEqual(await host.publish(message), { topic: 'a/b', payload: 'before' })
        const answer = await host.authenticate(testCredential())
        assert.ok('result' in answer && answer.result === 'deny')
      })

      for (const [said, policy] of [
        ['failedAction ignore', { failedAction: 'ignore' }],
        ['no failedAction', {}],
        ['armed false', { ...strict, armed: false }],
      ] as const)
        it(`lets everything pass with ${said} when it could not be loaded`, async (t) => {
          const { host } = await start(t, { hooks: publishHook, refuseLoad: 'not today' }, policy)
          assert.deepEqual(await host.publish(message), { topic: 'a/b', payload: 'before' })
          const answer = await host.authenticate(testCredential())
          assert.ok('result' in answer && answer.result === 'ignore')
        })

      it('can be loaded again without being unloaded', async (t) => {
        const { host, far, attached } = await start(t, { hooks: publishHook })
        assert.equal(await attached.reload(), true)
        assert.equal(await far.loads(), 2)
        await host.publish(message)
        assert.equal((await far.received()).length, 1, 'hooked once, not twice')
      })
    })

    describe('answers', () => {
      it('continue leaves the message as it is', async (t) => {
        const { host } = await start(t, { hooks: publishHook })
        assert.deepEqual(await host.publish(message), { topic: 'a/b', payload: 'before' })
      })

      for (const stop of [false, true])
        it(`changes the message${stop ? ' and stops' : ''}`, async (t) => {
          const answer = { do: 'payload', payload: 'after', stop } as const
          const { host } = await start(t, { hooks: publishHook, answers: { 'message.publish': answer } })
          assert.deepEqual(await host.publish(message), { topic: 'a/b', payload: 'after' })
        })

      it('drops', needs('drop'), async (t) => {
        const { host } = await start(t, { hooks: publishHook, answers: { 'message.publish': { do: 'drop' } } })
        assert.deepEqual(await host.publish(message), { refused: 'drop', reasonCode: 0x10 })
      })

      for (const kind of ['reject', 'disconnect'] as const)
        it(`${kind}s`, needs(kind), async (t) => {
          const answers = { 'message.publish': { do: kind, code: 0x87 } } as const
          const { host } = await start(t, { hooks: publishHook, answers })
          assert.deepEqual(await host.publish(message), { refused: kind, reasonCode: 0x87 })
        })

      for (const result of ['allow', 'deny'] as const)
        it(`decides ${result} on authentication and authorization`, async (t) => {
          const { host } = await start(t, {
            hooks: [{ name: 'client.authenticate' }, { name: 'client.authorize' }],
            answers: { 'client.authenticate': { do: result }, 'client.authorize': { do: result } },
          })
          const authentication = await host.authenticate(testCredential())
          assert.equal('result' in authentication && authentication.result, result)
          const request = { client: testClient(), action: 'subscribe', topic: 'a', qos: 0, retain: false } as const
          const authorization = await host.authorize(request)
          assert.equal('result' in authorization && authorization.result, result)
        })

      it('is asked only for the topics that it named', async (t) => {
        const { host, far } = await start(t, { hooks: [{ name: 'message.publish', topics: ['a/+', 'x/#'] }] })
        for (const topic of ['a/b', 'a/b/c', 'x/y/z', 'y', '$SYS/a']) await host.publish({ ...message, topic })
        assert.deepEqual(
          (await far.received()).map(({ topic }) => topic),
          ['a/b', 'x/y/z'],
        )
      })
    })

    describe('failure', () => {
      it('that throws is denied with deny', needs('throw'), async (t) => {
        const answers = {
          'message.publish': { do: 'throw' },
          'client.authenticate': { do: 'throw' },
          'client.authorize': { do: 'throw' },
        } as const
        const hooks = Object.keys(answers).map((name) => ({ name }))
        const { host, attached } = await start(t, { hooks, answers }, strict)
        assert.deepEqual(await host.publish(message), { refused: 'reject', reasonCode: 0x83 })
        const authentication = await host.authenticate(testCredential())
        assert.ok('result' in authentication && authentication.result === 'deny')
        const request = { client: testClient(), action: 'publish', topic: 'a', qos: 1, retain: false } as const
        const authorization = await host.authorize(request)
        assert.ok('result' in authorization && authorization.result === 'deny')
        assert.equal(attached.counters.failures, 3)
      })

      it('that throws is passed by with ignore', needs('throw'), async (t) => {
        const script: ProviderScript = { hooks: publishHook, answers: { 'message.publish': { do: 'throw' } } }
        const { host, attached } = await start(t, script, { failedAction: 'ignore' })
        assert.deepEqual(await host.publish(message), { topic: 'a/b', payload: 'before' })
        assert.equal(attached.counters.failures, 1)
      })

      for (const failedAction of ['deny', 'ignore'] as const)
        it(`to answer in time ends with ${failedAction}`, async (t) => {
          const script: ProviderScript = { hooks: publishHook, answers: { 'message.publish': { do: 'hold' } } }
          const hooks = { 'message.publish': { failedAction } } as const
          const { host, far, attached } = await start(t, script, { hooks, timeout: shortTimeout })
          const result = await host.publish(message)
          if (failedAction === 'deny') assert.deepEqual(result, { refused: 'reject', reasonCode: 0x83 })
          else assert.deepEqual(result, { topic: 'a/b', payload: 'before' })
          assert.equal(attached.counters.timeouts, 1)
          await far.release()
          assert.equal(attached.counters.timeouts, 1, 'the late answer changes nothing')
        })
    })

    describe('notifications', () => {
      const createdHook: ProviderScript['hooks'] = [{ name: 'session.created' }]
      const held: ProviderScript = { hooks: createdHook, answers: { 'session.created': { do: 'hold' } } }
      const tell = (host: HookHost, clientId: string) =>
        host.notify('session.created', { client: testClient({ clientId }), session: testSession({ clientId }) })

      /** Clients whose events have come, in the order of arrival; between clients there is none to rely on. */
      async function arrived(far: ProviderUnderTest, count: number): Promise<string[]> {
        const end = Date.now() + patience
        for (;;) {
          const clients = (await far.received()).map(({ clientId }) => clientId)
          if (clients.length >= count || Date.now() > end) return clients
          await new Promise((resolve) => setTimeout(resolve, 2))
        }
      }

      it('arrive in order per client and are not waited for', async (t) => {
        const { host, far } = await start(t, {
          hooks: [{ name: 'client.connected' }, { name: 'session.subscribed' }, { name: 'client.disconnected' }],
        })
        for (const clientId of ['one', 'two']) {
          const client = testClient({ clientId })
          const connInfo = testConnInfo({ clientId })
          const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
          host.notify('client.connected', { client, connInfo })
          host.notify('session.subscribed', { client, topic: 'a/b', options, isNew: true })
          host.notify('client.disconnected', { client, reason: 'normal', connInfo })
        }
        assert.equal(await host.idle(patience), true)
        const received = await far.received()
        for (const clientId of ['one', 'two'])
          assert.deepEqual(
            received.filter((event) => event.clientId === clientId).map(({ point }) => point),
            ['client.connected', 'session.subscribed', 'client.disconnected'],
          )
      })

      it('of one client wait for each other, those of another do not', needs('wait in the broker'), async (t) => {
        const { host, far, attached } = await start(t, held)
        tell(host, 'one')
        tell(host, 'one')
        tell(host, 'two')
        assert.deepEqual((await arrived(far, 2)).sort(), ['one', 'two'])
        assert.equal(attached.counters.inFlight, 2)
        assert.equal(attached.counters.queued, 1)
        await far.release()
        assert.equal(await host.idle(patience), true)
        assert.deepEqual((await arrived(far, 3)).sort(), ['one', 'one', 'two'])
      })

      for (const queueDrop of ['oldest', 'newest'] as const)
        it(
          `beyond the queue's limit are dropped, the ${queueDrop} first, and counted`,
          needs('wait in the broker'),
          async (t) => {
            const script: ProviderScript = {
              hooks: [...createdHook, { name: 'client.connected' }],
              answers: { 'session.created': { do: 'hold' } },
            }
            const { host, far, attached } = await start(t, script, { queueLimit: 2, queueDrop })
            const client = testClient({ clientId: 'one' })
            const connInfo = testConnInfo({ clientId: 'one' })
            tell(host, 'one')
            host.notify('client.connected', { client, connInfo })
            tell(host, 'one')
            tell(host, 'one')
            tell(host, 'one')
            assert.equal(attached.counters.queued, 2)
            assert.equal(attached.counters.dropped, 2)
            await far.release()
            assert.equal(await host.idle(patience), true)
            assert.deepEqual(
              (await far.received()).map(({ point }) => point),
              queueDrop === 'newest'
                ? ['session.created', 'client.connected', 'session.created']
                : ['session.created', 'session.created', 'session.created'],
            )
          },
        )

      it('that are never answered hold up their client no longer than the timeout', needs('overtake'), async (t) => {
        const { host, far, attached } = await start(t, held, { timeout: shortTimeout })
        tell(host, 'one')
        tell(host, 'one')
        assert.equal(await host.idle(patience), true)
        assert.deepEqual(await arrived(far, 2), ['one', 'one'])
        assert.equal(attached.counters.timeouts, 2)
      })

      it('that fail do not hold up the next one', needs('throw'), async (t) => {
        const script: ProviderScript = { hooks: createdHook, answers: { 'session.created': { do: 'throw' } } }
        const { host, far, attached } = await start(t, script)
        tell(host, 'one')
        tell(host, 'one')
        assert.equal(await host.idle(patience), true)
        assert.equal((await arrived(far, 2)).length, 2)
        assert.equal(attached.counters.failures, 2)
      })

      it('are all that an observed fold point gives', needs('observe'), async (t) => {
        const { host, far } = await start(t, {
          hooks: [{ name: 'message.publish', observe: true }],
          answers: { 'message.publish': { do: 'hold' } },
        })
        assert.deepEqual(await host.publish(message), { topic: 'a/b', payload: 'before' }, 'not waited for')
        assert.deepEqual(await arrived(far, 1), ['client'])
      })
    })

    describe('detaching', () => {
      it('lets calls in flight end', async (t) => {
        const script: ProviderScript = { hooks: publishHook, answers: { 'message.publish': { do: 'hold' } } }
        const { host, far, attached } = await start(t, script)
        const result = host.publish(message)
        const detached = attached.detach()
        assert.deepEqual(await host.publish(message), { topic: 'a/b', payload: 'before' }, 'no longer asked')
        await far.release()
        assert.deepEqual(await result, { topic: 'a/b', payload: 'before' })
        await detached
        assert.equal(await far.unloads(), 1)
      })

      it('does not wait longer than the timeout for them', needs('overtake'), async (t) => {
        const script: ProviderScript = { hooks: publishHook, answers: { 'message.publish': { do: 'hold' } } }
        const { host, far, attached } = await start(t, script, { ...strict, timeout: shortTimeout })
        const result = host.publish(message)
        await attached.detach()
        assert.deepEqual(await result, { refused: 'reject', reasonCode: 0x83 })
        assert.equal(await far.unloads(), 1)
      })
    })
  })
}
