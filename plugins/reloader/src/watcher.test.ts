import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Watcher } from './watcher.ts'

/** Plugins that change and load as a test wants, and a clock of its own. */
function bench(maxReloads = 1000) {
  const changed = new Set<string>()
  const broken = new Set<string>()
  const reloads: string[] = []
  const state = { now: 0, exhausted: 0 }
  const watcher = new Watcher({
    changed: async () => [...changed],
    async reload(name) {
      reloads.push(`${state.now} ${name}`)
      if (broken.has(name)) return false
      changed.delete(name)
      return true
    },
    now: () => state.now,
    settle: 500,
    longestPause: 4000,
    maxReloads,
    exhausted: (count) => {
      state.exhausted += count
    },
  })
  const run = async (until: number): Promise<void> => {
    for (; state.now < until; state.now += 500) await watcher.look()
  }
  return { changed, broken, reloads, state, watcher, run }
}

describe('watching', () => {
  it('loads what has changed once it was left alone for a moment, and once for each change', async () => {
    const { changed, reloads, run } = bench()
    await run(1000)
    changed.add('a')
    await run(5000)
    assert.deepEqual(reloads, ['1500 a'])
    changed.add('a')
    changed.add('b')
    await run(10_000)
    assert.deepEqual(reloads, ['1500 a', '5500 a', '5500 b'])
  })

  it('what is changed back in the meantime is not loaded', async () => {
    const { changed, reloads, run, state, watcher } = bench()
    changed.add('a')
    await watcher.look()
    changed.delete('a')
    state.now = 500
    await run(3000)
    assert.deepEqual(reloads, [])
  })

  it('what does not load is tried again, each time after a longer pause', async () => {
    const { changed, broken, reloads, run } = bench()
    changed.add('a')
    broken.add('a')
    await run(20_000)
    assert.deepEqual(reloads, ['500 a', '1500 a', '3500 a', '7500 a', '11500 a', '15500 a', '19500 a'])
    broken.clear()
    await run(30_000)
    assert.equal(reloads.at(-1), '23500 a')
    changed.add('a')
    await run(40_000)
    assert.equal(reloads.at(-1), '30500 a', 'what has loaded begins anew')
  })

  it('a sweep loads at once', async () => {
    const { changed, reloads, watcher } = bench()
    changed.add('a').add('b')
    await watcher.sweep()
    assert.deepEqual(reloads, ['0 a', '0 b'])
  })

  it('stops at its bound and says so once', async () => {
    const { changed, reloads, state, watcher } = bench(2)
    for (const name of ['a', 'b', 'c']) changed.add(name)
    await watcher.sweep()
    await watcher.sweep()
    assert.deepEqual(reloads, ['0 a', '0 b'])
    assert.equal(state.exhausted, 2)
  })

  it('one look at a time', async () => {
    let looks = 0
    const { promise, resolve } = Promise.withResolvers<readonly string[]>()
    const watcher = new Watcher({
      changed: () => {
        looks++
        return promise
      },
      reload: async () => true,
      now: () => 0,
      settle: 1,
      longestPause: 1,
      maxReloads: 1,
      exhausted() {},
    })
    const first = watcher.look()
    await watcher.sweep()
    assert.equal(looks, 1)
    resolve([])
    await first
    await watcher.look()
    assert.equal(looks, 2)
  })
})
