import assert from 'node:assert/strict'
import { test } from 'node:test'
import management from '@hookmq/plugin-management'
import { MemorySessionStore } from '@hookmq/store-memory'
import { startBroker } from '../support/broker.ts'
import { collectLog } from '../support/log.ts'
import { httpAt } from './http.ts'

interface Page {
  readonly data: readonly { readonly node: string; readonly details: { readonly problem: unknown } }[]
  readonly meta: { readonly count: number }
}

test('GET /alarms shows what is and was wrong with each worker, and DELETE forgets the past of all', async (t) => {
  const stores = [new MemorySessionStore(), new MemorySessionStore()]
  const log = collectLog()
  const { brokers } = await startBroker(
    t,
    { log, node: 'mq@127.0.0.1' },
    { workers: 2, sessions: (worker) => stores[worker], record: false },
  )
  for (const { plugins } of brokers)
    await plugins.load(management, { config: { 'dashboard.listener.http': '127.0.0.1:0' } })
  const [, url = ''] = /management API at.*"address":"([^"]+)"/.exec(log.text) ?? []
  const call = await httpAt(url)
  const alarms = async (query = ''): Promise<(readonly string[])[]> => {
    const { data, meta } = (await call('GET', `/alarms${query}`)).body as Page
    assert.equal(meta.count, data.length)
    return data.map(({ node, details }) => [node, String(details.problem)])
  }
  const one = ['mq-worker1@127.0.0.1', 'the first disk is full']
  const two = ['mq-worker2@127.0.0.1', 'the second disk is full']
  stores[1].fail('the second disk is full')
  assert.deepEqual(await alarms(), [two])
  stores[1].fail(undefined)
  assert.deepEqual([await alarms(), await alarms('?activated=false')], [[], [two]])
  for (const [at, name] of ['first', 'second'].entries()) stores[at].fail(`the ${name} disk is full`)
  assert.deepEqual((await alarms()).toSorted(), [one, two])
  for (const store of stores) store.fail(undefined)
  const past = await alarms('?activated=false')
  assert.deepEqual([past.length, new Set(past.map(String))], [3, new Set([one, two].map(String))])
  stores[1].fail('the second disk is full')
  assert.equal((await call('DELETE', '/alarms')).status, 204)
  assert.deepEqual([await alarms(), await alarms('?activated=false')], [[two], []])
  stores[1].fail(undefined)
})
