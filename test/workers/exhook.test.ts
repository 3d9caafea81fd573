import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answers, RecordingProvider } from '../../providers/exhook/src/testing/recording-provider.ts'
import { publishThrough } from '../support/actions.ts'
import { until } from '../support/wait.ts'
import { startTwo } from './support.ts'

test('each worker asks the ExHook servers for its own clients, and follows what is changed while they run', async (t) => {
  const hooks = [{ name: 'message.publish' }]
  const [one, other] = [await RecordingProvider.start(t, { hooks }), await RecordingProvider.start(t, { hooks })]
  const broker = await startTwo(t)
  const clients = [await broker.connect(1), await broker.connect(2)]
  const count = async (far: RecordingProvider, call: string) =>
    (await far.trace()).filter((name) => name === call).length
  const publish = async (topic: string) => {
    for (const client of clients) await publishThrough(client, topic, client.clientId, { qos: 1 })
  }
  const senders = async (far: RecordingProvider, topic: string) =>
    (await far.requests('OnMessagePublish'))
      .filter(({ message }) => message?.topic === topic)
      .map(({ message }) => message?.from)

  assert.equal(await broker.ctl('exhook', 'server', 'add', 'first', one.url), 'ok')
  await until(async () => (await count(one, 'provider_loaded')) === 2, 'both workers to load it')
  await publish('added')
  const both = clients.map(({ clientId }) => clientId)
  assert.deepEqual(await senders(one, 'added'), both)

  // Two that answer: the first in the order is asked first, everywhere, and stops the chain.
  await one.change({ answers: { OnMessagePublish: answers.message('stop', { topic: 'from/one' }) } })
  await other.change({ answers: { OnMessagePublish: answers.message('stop', { topic: 'from/other' }) } })
  assert.equal(await broker.ctl('exhook', 'server', 'add', 'second', other.url), 'ok')
  await until(async () => (await count(other, 'provider_loaded')) === 2, 'both workers to load the second one')
  await publish('order')
  assert.deepEqual([await senders(one, 'order'), await senders(other, 'order')], [both, []])
  assert.equal(await broker.ctl('exhook', 'server', 'move', 'second', 'front'), 'ok')
  await until(async () => {
    await publish('moved')
    return (await senders(other, 'moved')).slice(-2).join() === both.join()
  }, 'the second one to be first in both workers')

  assert.equal(await broker.ctl('exhook', 'server', 'update', 'second', `url=${one.url}`), 'ok')
  await until(async () => (await count(other, 'provider_unloaded')) === 2, 'both workers to leave the old address')
  assert.equal(await broker.ctl('exhook', 'server', 'delete', 'second'), 'ok')
  assert.equal(await broker.ctl('exhook', 'server', 'disable', 'first'), 'ok')
  await until(async () => (await count(one, 'provider_unloaded')) === 4, 'both workers to unload both')
  await publish('alone')
  assert.deepEqual(await senders(one, 'alone'), [])

  // Whoever starts later has what was changed from the store.
  assert.equal(await broker.ctl('exhook', 'server', 'enable', 'first'), 'ok')
  await until(async () => (await count(one, 'provider_loaded')) === 6, 'both workers to load it again')
  process.kill(broker.pid(2), 'SIGKILL')
  await broker.command.shows(/"worker":"worker2","msg":"a worker is back"/)
  clients[1] = await broker.connect(2)
  await until(async () => (await count(one, 'provider_loaded')) === 7, 'the new worker to load it')
  await publish('again')
  assert.deepEqual(
    await senders(one, 'again'),
    clients.map(({ clientId }) => clientId),
  )
})
