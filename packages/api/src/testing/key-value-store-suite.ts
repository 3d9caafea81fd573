import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { KeyValueStore } from '../store.ts'

interface Scope {
  after(run: () => void | Promise<void>): void
}

/** Makes an empty store with namespaces; what has to be cleared away afterwards is given to `scope`. */
export type CreateKeyValueStore = (scope: Scope) => Promise<{ namespace(name: string): KeyValueStore }>

/** What every store of plugins' values has to do. Call it from a test file of the store. */
export function keyValueStoreSuite(name: string, create: CreateKeyValueStore): void {
  const corner = async (scope: Scope): Promise<KeyValueStore> => (await create(scope)).namespace('plugin')

  describe(`key-value store: ${name}`, () => {
    test('what was put is got; what was not is undefined', async (t) => {
      const store = await corner(t)
      assert.equal(await store.get('a'), undefined)
      assert.equal(await store.put('a', 1), undefined)
      assert.equal(await store.get('a'), 1)
      await store.put('a', 2)
      assert.equal(await store.get('a'), 2)
      assert.equal(await store.get('A'), undefined)
      assert.deepEqual(await listed(store), [['a', 2]])
    })

    test('everything that JSON can hold comes back as it was', async (t) => {
      const store = await corner(t)
      const values = [
        null,
        true,
        false,
        0,
        -1.5,
        1e300,
        '',
        'text',
        'a\u0000b',
        '\u{1f600}',
        [],
        {},
        [[1], { a: null }],
      ]
      for (const [index, value] of values.entries()) await store.put(String(index), value)
      for (const [index, value] of values.entries()) assert.deepEqual(await store.get(String(index)), value)
    })

    test('a value is copied on the way in, before the call returns, and on the way out', async (t) => {
      const store = await corner(t)
      const value = { list: [1] }
      const done = store.put('a', value)
      value.list.push(2)
      await done
      const got = (await store.get('a')) as typeof value
      assert.deepEqual(got, { list: [1] })
      got.list.push(3)
      assert.deepEqual(await store.get('a'), { list: [1] })
    })

    test('delete says whether it was there', async (t) => {
      const store = await corner(t)
      await store.put('a', 1)
      assert.equal(await store.delete('b'), false)
      assert.equal(await store.delete('a'), true)
      assert.equal(await store.delete('a'), false)
      assert.equal(await store.get('a'), undefined)
    })

    test('any text is a key, also one that looks like a part of a query, a path or an object', async (t) => {
      const store = await corner(t)
      const keys = [
        '',
        ' ',
        "'",
        '"; --',
        '%',
        '_',
        '*',
        '[a]',
        '../x',
        '__proto__',
        'constructor',
        'a\u0000',
        'a',
        'é',
        'e\u0301',
      ]
      for (const key of keys) await store.put(key, `value of ${key}`)
      for (const key of keys) assert.equal(await store.get(key), `value of ${key}`, JSON.stringify(key))
      assert.equal((await listed(store)).length, keys.length)
      for (const key of keys) assert.equal(await store.delete(key), true, JSON.stringify(key))
      assert.deepEqual(await listed(store), [])
    })

    test('half of a surrogate pair is no key', async (t) => {
      const store = await corner(t)
      for (const run of [store.get('\ud83d'), store.put('\ud83d', 1), store.delete('x\ude00')])
        await assert.rejects(run, TypeError)
      assert.deepEqual(await listed(store), [])
    })

    test('what is no JSON is refused with the key, and changes nothing', async (t) => {
      const store = await corner(t)
      await store.put('count', 'before')
      const circle: { self?: unknown } = {}
      circle.self = circle
      for (const value of [undefined, () => 1, Symbol('s'), 1n, { deep: [1n] }, circle]) {
        await assert.rejects(store.put('count', value), (error) => {
          assert.ok(error instanceof TypeError)
          assert.match(error.message, /'count'.*not JSON/)
          return true
        })
      }
      assert.deepEqual(await listed(store), [['count', 'before']])
    })

    test('a value of some megabytes is a value', async (t) => {
      const store = await corner(t)
      const value = { text: '\u00e9x'.repeat(1_500_000) }
      await store.put('large', value)
      await store.put('small', 1)
      assert.deepEqual(await store.get('large'), value)
      assert.deepEqual(
        (await listed(store)).map(([key]) => key),
        ['large', 'small'],
      )
    })

    test('namespaces do not know of each other', async (t) => {
      const { namespace } = bound(await create(t))
      const [one, other] = [namespace('one'), namespace('one/')]
      await one.put('/a', 1)
      await other.put('a', 2)
      assert.deepEqual(await listed(one), [['/a', 1]])
      assert.deepEqual(await listed(other), [['a', 2]])
      assert.equal(await other.delete('/a'), false)
      assert.equal(await namespace('one').get('/a'), 1)
      assert.deepEqual(await listed(namespace('')), [])
    })

    describe('order of calls', () => {
      test('what is not awaited takes effect in the order of the calls', async (t) => {
        const store = await corner(t)
        const answers = await Promise.all([
          store.get('a'),
          store.put('a', 1),
          store.get('a'),
          store.put('a', 2),
          store.delete('a'),
          store.get('a'),
          store.delete('a'),
          store.put('a', 3),
        ])
        assert.deepEqual(answers, [undefined, undefined, 1, undefined, true, undefined, false, undefined])
        assert.equal(await store.get('a'), 3)
      })

      test('the last of many puts at once stays, of each key', async (t) => {
        const store = await corner(t)
        const puts = Array.from({ length: 5000 }, (_, index) => store.put(`key/${index % 100}`, index))
        await Promise.all(puts)
        const all = await listed(store)
        assert.equal(all.length, 100)
        for (const [key, value] of all) assert.equal(value, 4900 + Number(key.slice(4)))
      })

      test('a refused put in between does not disturb the others', async (t) => {
        const store = await corner(t)
        const results = await Promise.allSettled([store.put('a', 1), store.put('b', undefined), store.put('c', 3)])
        assert.deepEqual(
          results.map(({ status }) => status),
          ['fulfilled', 'rejected', 'fulfilled'],
        )
        assert.deepEqual(await listed(store), [
          ['a', 1],
          ['c', 3],
        ])
      })
    })

    describe('list', () => {
      test('gives keys in the order of their code points', async (t) => {
        const store = await corner(t)
        const keys = [
          '',
          '\u0000',
          ' ',
          '/',
          '0',
          '10',
          '9',
          'A',
          'a',
          'a\u0000',
          'a/',
          'ab',
          'z',
          'é',
          '\ud7ff',
          '\ue000',
          '\uffee',
        ]
        const ordered = [...keys, '\u{10000}', '\u{1f600}', '\u{10ffff}']
        for (const key of ordered.toReversed()) await store.put(key, 1)
        assert.deepEqual(
          (await listed(store)).map(([key]) => key),
          ordered,
        )
      })

      test('gives what begins with the prefix and nothing else', async (t) => {
        const store = await corner(t)
        const last = '\u{10ffff}'
        const keys = [
          'a',
          'a%',
          'a/',
          'a/b',
          'a0',
          'a_',
          'ab',
          'b',
          'A/b',
          '\ud7ff',
          '\ud7ffx',
          '\ue000',
          last,
          `${last}x`,
          `a${last}`,
        ]
        for (const key of keys) await store.put(key, 1)
        for (const prefix of ['', 'a', 'a/', 'a/b', 'a/bc', 'a%', '_', 'b', '\ud7ff', '\ue000', last, `a${last}`]) {
          const found = (await listed(store, prefix)).map(([key]) => key)
          assert.deepEqual(found.sort(), keys.filter((key) => key.startsWith(prefix)).sort(), JSON.stringify(prefix))
        }
      })

      test('a walk over a store that changes gives each key that stays once and in order', async (t) => {
        const store = await corner(t)
        const size = 1500
        const key = (index: number): string => `k/${String(index).padStart(5, '0')}`
        await Promise.all(Array.from({ length: size }, (_, index) => store.put(key(index), index)))
        const seen: string[] = []
        for await (const [found] of store.list('k/')) {
          seen.push(found)
          const turn = seen.length
          if (turn % 3 !== 0) continue
          // Multiples of 7 go, others get another value, and new ones come before, between and after.
          const index = (turn * 31) % size
          if (index % 7 === 0) await store.delete(key(index))
          else await store.put(key(index), 'again')
          await store.put(`${key(index)}/new`, 'new')
          if (turn < 300) await store.put(`k/99999/${turn}`, 'late')
        }
        assert.equal(new Set(seen).size, seen.length, 'a key came twice')
        assert.deepEqual(seen, seen.toSorted())
        const old = seen.filter((found) => found.length === key(0).length)
        const stayed = Array.from({ length: size }, (_, index) => index).filter((index) => index % 7 !== 0)
        assert.deepEqual(
          stayed.filter((index) => !old.includes(key(index))),
          [],
        )
      })

      test('a walk that is left half-way leaves nothing behind', async (t) => {
        const store = await corner(t)
        await Promise.all(Array.from({ length: 1000 }, (_, index) => store.put(`k${index}`, index)))
        for await (const [key] of store.list()) {
          assert.equal(key, 'k0')
          break
        }
        await store.put('k0', 'again')
        assert.equal((await listed(store)).length, 1000)
      })
    })
  })
}

function bound(store: { namespace(name: string): KeyValueStore }): { namespace(name: string): KeyValueStore } {
  return { namespace: (name) => store.namespace(name) }
}

async function listed(store: KeyValueStore, prefix?: string): Promise<(readonly [string, unknown])[]> {
  const found: (readonly [string, unknown])[] = []
  for await (const pair of store.list(prefix)) found.push(pair)
  return found
}
