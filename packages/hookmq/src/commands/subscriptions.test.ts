import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

test('add, show and del for a client that is connected: it takes effect', async (scope) => {
  const { connect, lines, broker } = await startOperated(scope)
  await connect('one')
  assert.deepEqual(await lines('subscriptions', 'list'), [])
  assert.deepEqual(await lines('subscriptions', 'add', 'one', 'a/+', '1'), ['ok'])
  assert.deepEqual(await lines('subscriptions', 'add', 'one', '$share/g/b', '0'), ['ok'])
  assert.deepEqual(await lines('subscriptions', 'add', 'one', '$queue/c', '2'), ['ok'])
  assert.deepEqual(await lines('subscriptions', 'list'), ['one -> a/+', 'one -> $share/g/b', 'one -> $queue/c'])
  assert.equal(await broker.publish({ topic: 'a/x' }), 1)
  assert.equal(await broker.publish({ topic: 'b' }), 1)
  assert.deepEqual(await lines('subscriptions', 'del', 'one', 'a/+'), ['ok'])
  assert.equal(await broker.publish({ topic: 'a/x' }), 0)
  assert.deepEqual(await lines('subscriptions', 'show', 'one'), ['one -> $share/g/b', 'one -> $queue/c'])
})

test('2.x: QoS behind the topic, options below it, all of a client at once', async (scope) => {
  const { connect, lines } = await startOperated(scope, '2.x')
  const client = await connect('one')
  await client.subscribe('a/b', undefined, { qos: 1 })
  await lines('subscriptions', 'add', 'one', '$share/g/t', '2')
  assert.deepEqual(await lines('subscriptions', 'list'), ['one -> a/b:1', 'one -> $share/g/t:2'])
  assert.deepEqual(await lines('subscriptions', 'show', 'one'), [
    'one -> a/b:1',
    '  qos     : 1',
    'one -> $share/g/t:2',
    '  qos     : 2',
    '  share   : g',
  ])
  assert.deepEqual(await lines('subscriptions', 'del', 'one'), ['ok'])
  assert.deepEqual(await lines('subscriptions', 'show', 'one'), ['Not Found.'])
})

for (const [profile, missing] of [
  ['4.x', 'Error: Channel not found!'],
  ['2.x', 'Error: Session not found!'],
] as const) {
  test(`${profile}: what cannot be done is said, with exit code 0`, async (scope) => {
    const { connect, lines } = await startOperated(scope, profile)
    await connect('one')
    assert.deepEqual(await lines('subscriptions', 'add', 'two', 'a', '0'), [missing])
    assert.deepEqual(await lines('subscriptions', 'del', 'two', 'a'), [missing])
    assert.deepEqual(await lines('subscriptions', 'add', 'one', 'a', '3'), ['QoS should be 0, 1, 2'])
    assert.match((await lines('subscriptions', 'add', 'one', 'a/#/b', '0'))[0], /^Error: .*#/)
    assert.deepEqual(await lines('subscriptions', 'show', 'two'), ['Not Found.'])
  })
}

test('JSON has all options', async (scope) => {
  const { connect, run } = await startOperated(scope)
  const client = await connect('one')
  await client.subscribe('a', undefined, { qos: 2 })
  assert.deepEqual((await run('subscriptions', 'show', 'one')).json, [
    { clientid: 'one', topic: 'a', qos: 2, nl: 0, rap: 0, rh: 0 },
  ])
})
