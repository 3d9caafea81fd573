import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

test('routes and topics in 2.x words', async (scope) => {
  const { connect, lines } = await startOperated(scope, '2.x')
  assert.deepEqual(await lines('routes', 'list'), [])
  const client = await connect('one')
  await client.subscribe('a/b')
  await client.subscribe('c/+')
  assert.deepEqual((await lines('routes', 'list')).toSorted(), ['a/b -> test@127.0.0.1', 'c/+ -> test@127.0.0.1'])
  assert.deepEqual(await lines('routes', 'show', 'c/+'), ['c/+ -> test@127.0.0.1'])
  assert.deepEqual(await lines('routes', 'show', 'c/d'), [])
  assert.deepEqual((await lines('topics', 'list')).toSorted(), ['a/b', 'c/+'])
  assert.deepEqual(await lines('topics', 'show', 'a/b'), ['a/b -> test@127.0.0.1'])
  assert.deepEqual(await lines('topics', 'show', 'x'), [])
})

test('topics in the words of later releases', async (scope) => {
  const { connect, lines, run } = await startOperated(scope)
  assert.deepEqual(await lines('topics', 'list'), ['No topics.'])
  assert.deepEqual(await lines('topics', 'show', 'a'), ['Not Found.'])
  const client = await connect('one')
  await client.subscribe('a/b')
  assert.deepEqual(await lines('topics', 'list'), ['a/b -> test@127.0.0.1'])
  assert.deepEqual((await run('topics', 'list')).json, [{ topic: 'a/b', nodes: ['test@127.0.0.1'] }])
  for (const words of [[], ['list', 'a'], ['show'], ['what', 'a']])
    for (const name of ['topics', 'routes']) assert.equal((await run(name, ...words)).exitCode, 2)
})
