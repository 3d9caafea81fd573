import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { Logger } from '@hookmq/api'
import { folder, openStore, type Scope } from './folder.testing.ts'
import type { SqliteStore } from './sqlite-store.ts'

const thread = new URL('./dying-thread.testing.ts', import.meta.url)

interface Dying {
  readonly store: SqliteStore
  readonly logged: string[]
  /** The thread dies in each of the next batches, before or after it wrote them. */
  die(when: 'before' | 'after', times: number): void
}

async function dying(scope: Scope): Promise<Dying> {
  const path = folder(scope)
  const logged: string[] = []
  const log: Logger = { debug() {}, info() {}, warn() {}, error: (text) => void logged.push(text), child: () => log }
  const store = await openStore(scope, { file: join(path, 'hookmq.db'), thread, log })
  return { store, logged, die: (when, times) => writeFileSync(join(path, 'die'), `${when} ${times}`) }
}

describe('the thread of the store ends', () => {
  for (const when of ['before', 'after'] as const) {
    test(`${when} a batch is written: another one takes its place, and all is answered once`, async (t) => {
      const { store, logged, die } = await dying(t)
      const values = store.namespace('plugin')
      await values.put('old', 'before')
      die(when, 1)
      const answers = await Promise.all([values.put('a', 1), values.put('a', 2), values.get('a'), values.get('old')])
      assert.deepEqual(answers, [undefined, undefined, 2, 'before'])
      assert.deepEqual(logged, ['the thread of the store ended; another one takes its place'])
      assert.equal(await values.get('a'), 2)
      await values.put('b', 1)
    })
  }

  test('a delete is told whether it was there only when that is known', async (t) => {
    const { store, die } = await dying(t)
    const values = store.namespace('plugin')
    await values.put('a', 1)
    die('before', 1)
    assert.equal(await values.delete('a'), true)
    await values.put('a', 1)
    die('after', 1)
    await assert.rejects(values.delete('a'), {
      code: 'STORE_INTERRUPTED',
      message: /the key is gone, whether it was there is not known/,
    })
    assert.equal(await values.get('a'), undefined)
  })

  test('again and again: what was asked is rejected, and what comes later is tried', async (t) => {
    const { store, die } = await dying(t)
    const values = store.namespace('plugin')
    die('before', 3)
    const outcomes = await Promise.allSettled([values.put('a', 1), values.get('a')])
    for (const outcome of outcomes) {
      assert.equal(outcome.status, 'rejected')
      assert.match(String(outcome.status === 'rejected' && outcome.reason), /ended 3 times before it answered/)
    }
    await values.put('a', 2)
    assert.equal(await values.get('a'), 2)
  })
})
