import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestBroker } from 'hookmq/testing'
import plugin from './index.ts'

test('greets below my-plugin/ and nowhere else', async (t) => {
  const broker = await startTestBroker(t, { plugins: [plugin] })
  const client = await broker.connect()
  await client.subscribe('#')
  await client.publish('my-plugin/people', 'world')
  assert.equal(String((await client.message()).payload), 'hello, world')
  await client.publish('elsewhere', 'world')
  assert.equal(String((await client.message()).payload), 'world')
})

test('reads its settings', async (t) => {
  const broker = await startTestBroker(t, { plugins: [{ plugin, conf: 'my-plugin.greeting = good morning' }] })
  const client = await broker.connect()
  await client.subscribe('my-plugin/#')
  await client.publish('my-plugin/people', 'world')
  assert.equal(String((await client.message()).payload), 'good morning, world')
})

test('lets everybody in while it is loaded, and has a command', async (t) => {
  const broker = await startTestBroker(t, { plugins: [plugin], allowAnonymous: false, aclNoMatch: 'deny' })
  const client = await broker.connect({ username: 'anybody' })
  await client.publish('any/topic', 'x', { qos: 1 })
  assert.deepEqual((await broker.ctl('cmd arg1 arg2')).lines, ['ok'])
  assert.deepEqual((await broker.ctl('cmd')).lines, ['cmd arg1 arg2'])

  await broker.unload('my-plugin')
  await assert.rejects(broker.ctl('cmd arg1 arg2'), /there is no command/)
  await assert.rejects(broker.connect({ username: 'anybody' }), /refused the connection/)
})

test('tells who comes and goes', async (t) => {
  const broker = await startTestBroker(t, { plugins: [plugin] })
  const client = await broker.connect({ clientId: 'ann' })
  await client.close()
  await broker.event('client.disconnected')
  await broker.settle()
  const lines = broker.log.filter(({ fields }) => fields.clientId === 'ann').map(({ message }) => message)
  assert.deepEqual(lines, ['connected', 'disconnected'])
})
