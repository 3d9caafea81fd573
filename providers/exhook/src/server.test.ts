import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { HookSpec } from '@hookmq/api'
import { createHookHost } from '@hookmq/core/testing'
import { startTestBroker } from 'hookmq/testing'
import { ExHookServer } from './server.ts'
import { readServer } from './settings.ts'
import { silent, testIdentity } from './testing/harness.ts'
import { until } from './testing/managed.ts'
import { answers, RecordingProvider } from './testing/recording-provider.ts'

// What a server is said to be, as it comes and goes.

/** A load may take long on a busy machine: one that was given up would be tried again, or never. */
const quick = { health_check_interval: '20ms', request_timeout: '30s', pool_size: '2' }

async function watch(
  t: TestContext,
  texts: Readonly<Record<string, string>>,
): Promise<{ server: ExHookServer; statuses: string[] }> {
  const server = new ExHookServer(readServer('one', texts), { broker: testIdentity, log: silent })
  const broker = await startTestBroker(t)
  await broker.load({
    name: 'looks-after',
    setup(ctx) {
      server.start((provider, policy) => ctx.provider(provider, policy))
      ctx.onTeardown(() => server.retire())
    },
  })
  const statuses: string[] = []
  const look = setInterval(() => {
    if (statuses.at(-1) !== server.status) statuses.push(server.status)
  }, 1)
  t.after(() => clearInterval(look))
  return { server, statuses }
}

const loads = async (far: RecordingProvider) => (await far.requests('OnProviderLoaded')).length

test('connected as long as its connections are there', async (t) => {
  const far = await RecordingProvider.start(t)
  const { server } = await watch(t, { url: far.url, ...quick })
  await until(() => server.status === 'connected')
  assert.equal(server.provider.version, 'v3')
  assert.equal(server.error, undefined)
  await until(() => server.provider.counters.connections === 2, 'every connection of the pool')
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(server.status, 'connected')
  assert.equal(await loads(far), 1)
})

test('back after a moment: connecting, then connected, without being loaded again', async (t) => {
  const first = await RecordingProvider.start(t)
  // Long enough for a slow machine to bring another server up before the second look.
  const { server, statuses } = await watch(t, { url: first.url, ...quick, health_check_interval: '1500ms' })
  await until(() => server.status === 'connected')
  await first.stop()
  await until(() => server.status === 'connecting')
  assert.equal(server.error, 'connection lost')
  const second = await RecordingProvider.start(t, { address: `127.0.0.1:${first.port}` })
  await until(() => server.status === 'connected')
  assert.ok(!statuses.includes('disconnected'))
  assert.equal(await loads(second), 0, 'it keeps its hooks')
})

test('away for longer: disconnected, until auto_reconnect has passed, then loaded again', async (t) => {
  const first = await RecordingProvider.start(t, {}, { alone: true })
  const { server, statuses } = await watch(t, { url: first.url, ...quick, auto_reconnect: '400ms' })
  await until(() => server.status === 'connected')
  await first.kill()
  await until(() => statuses.at(-1) === 'disconnected')
  // What is compared is what was seen, a moment after it happened.
  assert.deepEqual(statuses, ['connecting', 'connected', 'connecting', 'disconnected'].slice(-statuses.length))
  const second = await RecordingProvider.start(t, { address: `127.0.0.1:${first.port}` })
  await until(() => statuses.at(-1) === 'connected')
  // Until the second one was up, it may have been tried in vain.
  const since = statuses.slice(statuses.indexOf('disconnected') + 1)
  assert.deepEqual(since.slice(-2), ['connecting', 'connected'].slice(-since.length))
  assert.equal(await loads(second), 1)
  assert.equal((await second.requests('OnProviderUnloaded')).length, 0)
})

test('without auto_reconnect a server that was lost is disconnected at once, and stays so', async (t) => {
  const far = await RecordingProvider.start(t, {}, { alone: true })
  const { server, statuses } = await watch(t, { url: far.url, ...quick, auto_reconnect: 'false' })
  await until(() => server.status === 'connected')
  await far.kill()
  await until(() => statuses.at(-1) === 'disconnected')
  assert.deepEqual(statuses.slice(-2), ['connected', 'disconnected'])
  await RecordingProvider.start(t, { address: `127.0.0.1:${far.port}` })
  await new Promise((resolve) => setTimeout(resolve, 100))
  assert.equal(server.status, 'disconnected')
})

test('not there yet: connecting, and loaded when it has come', async (t) => {
  const reserved = await RecordingProvider.start(t, {}, { alone: true })
  await reserved.kill()
  const { server } = await watch(t, { url: reserved.url, ...quick, auto_reconnect: '50ms' })
  await until(() => server.error !== undefined)
  assert.match(server.error ?? '', /ECONNREFUSED/)
  assert.equal(server.status, 'connecting')
  const far = await RecordingProvider.start(t, { address: `127.0.0.1:${reserved.port}` })
  await until(() => server.status === 'connected')
  assert.equal(await loads(far), 1)
})

test('an unknown hook name fails the load, which is tried again until it is mended', async (t) => {
  const far = await RecordingProvider.start(t, { hooks: [{ name: 'client.connected' }, { name: 'client.conected' }] })
  const { server } = await watch(t, { url: far.url, ...quick, auto_reconnect: '50ms' })
  await until(async () => (await loads(far)) >= 2)
  assert.equal(server.status, 'connecting')
  assert.match(
    server.error ?? '',
    /^unknown_hookpoint: the server asks for the hook "client\.conected", which does not exist; the hooks are client\.connect,/,
  )
  assert.deepEqual(server.provider.hooks, [])
  await far.change({ hooks: [{ name: 'client.connected' }] })
  await until(() => server.status === 'connected')
})

test('a url that is none: disconnected, and nothing is tried', async (t) => {
  for (const url of ['http://127.0.0.1', 'tcp://127.0.0.1:1', '127.0.0.1:9000', 'http://127.0.0.1:99999', '']) {
    const { server } = await watch(t, { ...(url === '' ? {} : { url }), ...quick, auto_reconnect: '10ms' })
    await until(() => server.status === 'disconnected', url)
    assert.match(server.error ?? '', /^bad_server_url: exhook\.server\.one\.url must be http:\/\/HOST:PORT/)
  }
})

test('disabled: no connection, no call', async (t) => {
  const far = await RecordingProvider.start(t)
  const { server } = await watch(t, { url: far.url, enable: 'off', ...quick })
  await new Promise((resolve) => setTimeout(resolve, 60))
  assert.equal(server.status, 'disabled')
  assert.deepEqual(await far.calls(), [])
})

test('versions: v3 where it is, else v2; what is set is not guessed', async (t) => {
  const older = await RecordingProvider.start(t, { versions: ['v2'] })
  const both = await RecordingProvider.start(t)
  const versionOf = async (url: string, version: string) => {
    const { server } = await watch(t, { url, version, ...quick, auto_reconnect: 'false' })
    await until(() => server.status === 'connected' || server.error !== undefined)
    return server.provider.version ?? server.error
  }
  assert.equal(await versionOf(older.url, 'auto'), 'v2')
  assert.equal(await versionOf(both.url, 'auto'), 'v3')
  assert.equal(await versionOf(both.url, 'v2'), 'v2')
  assert.match((await versionOf(older.url, 'v3')) ?? '', /^UNIMPLEMENTED/)
  const neither = await RecordingProvider.start(t, { versions: [] })
  assert.match((await versionOf(neither.url, 'auto')) ?? '', /has neither emqx\.exhook\.v3 nor emqx\.exhook\.v2/)
})

test('a slow start of the provider is waited for as long as a call may take, and no longer', async (t) => {
  const far = await RecordingProvider.start(t, { answers: { OnProviderLoaded: { hold: true } } })
  const { server } = await watch(t, { url: far.url, ...quick, request_timeout: '100ms', auto_reconnect: '10s' })
  await until(() => server.error !== undefined)
  assert.match(server.error ?? '', /^DEADLINE_EXCEEDED/)
  await far.release()
})

test('hooks: the first of two counts, only messages have topics, none at all is fine', async (t) => {
  const far = await RecordingProvider.start(t, {
    hooks: [
      { name: 'message.publish', topics: ['a/#'] },
      { name: 'message.publish', topics: ['b'] },
      { name: 'client.connected', topics: ['c'] },
    ],
  })
  const { server } = await watch(t, { url: far.url, ...quick })
  await until(() => server.status === 'connected')
  const seen = server.provider.hooks.map(({ name, topics }: HookSpec) => [name, topics])
  assert.deepEqual(seen, [
    ['message.publish', ['a/#']],
    ['client.connected', undefined],
  ])
  const none = await RecordingProvider.start(t, { hooks: [] })
  const empty = await watch(t, { url: none.url, ...quick })
  await until(() => empty.server.status === 'connected')
})

test('stopped: OnProviderUnloaded once, within five seconds also when it is never answered', async (t) => {
  const far = await RecordingProvider.start(t, { answers: { OnProviderUnloaded: answers.fail() } })
  const server = new ExHookServer(readServer('one', { url: far.url, ...quick }), {
    broker: testIdentity,
    log: silent,
  })
  const host = createHookHost()
  const attached = await host.attach(server.provider, server.settings.policy)
  assert.equal(attached.status, 'loaded')
  await attached.detach()
  assert.equal((await far.requests('OnProviderUnloaded')).length, 1)
  assert.notEqual((await far.requests('OnProviderUnloaded'))[0].meta, undefined)
})
