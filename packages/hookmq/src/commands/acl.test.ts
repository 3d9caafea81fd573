import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

test('reload asks the authorizers that can, and forgets what was remembered', async (scope) => {
  const { broker, connect, lines, run } = await startOperated(scope)
  let rule: 'allow' | 'deny' = 'allow'
  let next: 'allow' | 'deny' | undefined = 'deny'
  await broker.loadPlugin({
    name: 'rules',
    setup: (ctx) =>
      ctx.authorizer({
        name: 'rules',
        authorize: () => rule,
        reload() {
          if (next === undefined) throw new Error('rules.txt:3: expected allow or deny')
          rule = next
        },
      }),
  })
  const client = await connect('one')
  await client.publish('a', 'x', { qos: 1 })
  assert.deepEqual(await lines('acl', 'reload'), ['reload acl_internal successfully'])
  await assert.rejects(client.publish('a', 'x', { qos: 1 }), { code: 'REQUEST_REFUSED' })
  assert.deepEqual((await run('acl', 'reload')).json, { reloaded: ['rules'] })
  next = undefined
  const failed = await run('acl', 'reload')
  assert.deepEqual(
    [failed.exitCode, failed.lines],
    [1, ['reload acl_internal error: rules.txt:3: expected allow or deny']],
  )
})

for (const name of ['acl', 'authz'])
  test(`${name} cache-clean: of all, of a node, of one client`, async (scope) => {
    const { broker, connect, lines, run } = await startOperated(scope)
    let asked = 0
    broker.hook('client.authorize', () => void asked++)
    const client = await connect('one')
    const publish = () => client.publish('a', 'x', { qos: 1 })
    await publish()
    await publish()
    assert.equal(asked, 1)
    for (const words of [['all'], ['node', 'test@127.0.0.1'], ['one']]) {
      const before: number = asked
      assert.deepEqual(await lines(name, 'cache-clean', ...words), [`acl cache-clean ${words.join(' ')} OK`])
      await publish()
      assert.equal(asked, before + 1, words.join(' '))
    }
    assert.deepEqual(await lines(name, 'cache-clean', 'node', 'other'), ['acl cache-clean node other FAILED'])
    assert.deepEqual(await lines(name, 'cache-clean', 'nobody'), ['Not Found.'])
    assert.equal((await run(name, 'cache-clean')).exitCode, 2)
  })
