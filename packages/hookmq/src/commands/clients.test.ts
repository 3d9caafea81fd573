import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

const line4 =
  /^Client\(one, username=undefined, peername=\S+:\d+, clean_start=true, keepalive=0, session_expiry_interval=0, subscriptions=1, inflight=0, awaiting_rel=0, delivered_msgs=\d+, enqueued_msgs=0, dropped_msgs=0, connected=true, created_at=\d{13}, connected_at=\d{13}\)$/

test('4.x: list and show, sessions without a connection included', async (scope) => {
  const { connect, lines, run } = await startOperated(scope)
  assert.deepEqual(await lines('clients', 'list'), [])
  const one = await connect('one')
  await one.subscribe('a/b')
  const kept = await connect('kept', { properties: { sessionExpiryInterval: 60 }, username: 'eve' })
  const [shown] = await lines('clients', 'show', 'one')
  assert.match(shown, line4)
  assert.equal((await lines('clients', 'list')).length, 2)
  await kept.close()
  const [offline] = await lines('clients', 'show', 'kept')
  assert.match(
    offline,
    /^Client\(kept, username=eve, .* session_expiry_interval=60, .* connected=false, .*disconnected_at=\d{13}\)$/,
  )
  const { json } = await run('clients', 'list')
  assert.deepEqual(
    (json as { clientid: string }[]).map(({ clientid }) => clientid),
    ['one', 'kept'],
  )
  assert.deepEqual(await lines('clients', 'show', 'two'), ['Not Found.'])
})

test('2.x: only who is connected, times in seconds', async (scope) => {
  const { connect, lines } = await startOperated(scope, '2.x')
  await connect('one', { username: 'eve' })
  const kept = await connect('kept', { properties: { sessionExpiryInterval: 60 } })
  await kept.close()
  const [line, ...others] = await lines('clients', 'list')
  assert.match(line, /^Client\(one, clean_sess=true, username=eve, peername=\S+:\d+, connected_at=\d{10}\)$/)
  assert.deepEqual(others, [])
  assert.deepEqual(await lines('clients', 'show', 'kept'), ['Not Found.'])
})

for (const [profile, known, unknown] of [
  ['4.x', ['ok'], ['ok']],
  ['2.x', [], ['Not Found.']],
] as const) {
  test(`${profile}: kick`, async (scope) => {
    const { connect, lines, broker } = await startOperated(scope, profile)
    const client = await connect('one')
    assert.deepEqual(await lines('clients', 'kick', 'one'), known)
    await client.ended
    assert.equal(broker.client('one'), undefined)
    assert.deepEqual(await lines('clients', 'kick', 'one'), unknown)
  })
}

test('any client id that MQTT allows is found', async (scope) => {
  const { connect, lines } = await startOperated(scope, '2.x')
  for (const id of ['boiler room 1', '$(reboot) `x` "y" \'z\' *', '--json', 'ä/+/#', '-d']) {
    await connect(id)
    const [line] = await lines('clients', 'show', id)
    assert.ok(line.startsWith(`Client(${id}, clean_sess=`), line)
  }
})

test('wrong words print the usage', async (scope) => {
  const { run } = await startOperated(scope)
  for (const words of [[], ['show'], ['list', 'x'], ['kick'], ['show', 'a', 'b'], ['what', 'x']]) {
    const { lines, exitCode } = await run('clients', ...words)
    assert.equal(exitCode, 2)
    assert.equal(lines.length, 3)
  }
})
