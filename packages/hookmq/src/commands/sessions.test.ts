import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

test('list by kind, and show', async (scope) => {
  const { connect, lines, run } = await startOperated(scope, '2.x')
  await connect('transient')
  const kept = await connect('kept', { properties: { sessionExpiryInterval: 3600 } })
  await kept.subscribe('a/#', undefined, { qos: 1 })
  await kept.close()
  const idsOf = async (...words: string[]): Promise<(string | undefined)[]> =>
    (await lines('sessions', 'list', ...words)).map((line) => /^Session\((\w+),/.exec(line)?.[1])
  assert.deepEqual(await idsOf(), ['transient', 'kept'])
  assert.deepEqual(await idsOf('persistent'), ['kept'])
  assert.deepEqual(await idsOf('transient'), ['transient'])
  const [line] = await lines('sessions', 'show', 'kept')
  assert.match(
    line,
    /^Session\(kept, clean_sess=false, subscriptions=1, max_inflight=\d+, inflight=0, mqueue_len=0, mqueue_dropped=0, awaiting_rel=0, deliver_msg=0, enqueue_msg=0, created_at=\d{10}\)$/,
  )
  assert.equal(((await run('sessions', 'show', 'kept')).json as { clientid: string }).clientid, 'kept')
  assert.deepEqual(await lines('sessions', 'show', 'nobody'), ['Not Found.'])
  assert.equal((await run('sessions', 'list', 'other')).exitCode, 2)
})
