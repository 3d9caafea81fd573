import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { topicMatches } from '@hookmq/mqtt'
import type { Message } from '../message.ts'
import type { RetainedStore } from '../retained.ts'

/** Makes an empty store that holds `maximum` messages at most; 0 = no limit. */
export type CreateRetainedStore = (options: { maximum: number }) => RetainedStore

/** What every store of retained messages has to do. Call it from a test file of the store. */
export function retainedStoreSuite(name: string, create: CreateRetainedStore): void {
  describe(`retained store: ${name}`, () => {
    describe('one message per topic', () => {
      test('what was put is what is got, field by field', () => {
        const store = create({ maximum: 0 })
        const put = message('a/b', 'hot', {
          qos: 2,
          from: 'sensor',
          properties: { contentType: 'text/plain', messageExpiryInterval: 60, userProperties: [['k', 'v']] },
        })
        assert.equal(store.put(put), true)
        const got = store.get('a/b')
        assert.ok(got)
        for (const field of ['id', 'topic', 'qos', 'from', 'timestamp', 'properties'] as const) {
          assert.deepEqual(got[field], put[field], field)
        }
        assert.deepEqual(Buffer.from(got.payload), Buffer.from('hot'))
        assert.equal(store.count, 1)
      })

      test('what happens to the payload afterwards does not reach the store', () => {
        const store = create({ maximum: 0 })
        const put = message('a', 'hot')
        store.put(put)
        put.payload.fill(0)
        assert.deepEqual(texts(store, 'a'), ['a=hot'])
      })

      test('a second message of a topic replaces the first', () => {
        const store = create({ maximum: 0 })
        store.put(message('a', '1'))
        store.put(message('a', '2'))
        assert.equal(store.count, 1)
        assert.deepEqual(texts(store, '#'), ['a=2'])
        assert.deepEqual(texts(store, 'a'), ['a=2'])
      })

      test('topics are told apart by every level, empty ones and parents too', () => {
        const store = create({ maximum: 0 })
        for (const topic of ['a', 'a/', '/a', '/', 'a/b', 'a//b', 'A']) store.put(message(topic, 'x'))
        assert.equal(store.count, 7)
        assert.equal(store.delete('a/'), true)
        assert.equal(store.get('a')?.topic, 'a')
        assert.equal(store.get('a/'), undefined)
        assert.equal(store.get('a/b')?.topic, 'a/b')
      })

      test('delete says whether there was one', () => {
        const store = create({ maximum: 0 })
        store.put(message('a/b', 'x'))
        assert.equal(store.delete('a'), false)
        assert.equal(store.delete('a/b/c'), false)
        assert.equal(store.delete('a/b'), true)
        assert.equal(store.delete('a/b'), false)
        assert.equal(store.count, 0)
        assert.deepEqual(texts(store, '#'), [])
      })

      test('clear leaves an empty store that works', () => {
        const store = create({ maximum: 2 })
        store.put(message('a', 'x'))
        store.put(message('b', 'x'))
        store.clear()
        assert.equal(store.count, 0)
        assert.deepEqual(texts(store, '#'), [])
        assert.equal(store.put(message('c', 'y')), true)
        assert.deepEqual(texts(store, '+'), ['c=y'])
      })

      test('names of object properties are topics as any other', () => {
        const store = create({ maximum: 0 })
        for (const topic of ['__proto__', 'constructor/toString', 'hasOwnProperty']) store.put(message(topic, 'x'))
        assert.equal(store.count, 3)
        assert.deepEqual(texts(store, '__proto__'), ['__proto__=x'])
        assert.deepEqual(texts(store, '+/toString'), ['constructor/toString=x'])
        assert.equal(store.get('toString'), undefined)
      })

      test('a topic of very many levels is one', () => {
        const store = create({ maximum: 0 })
        const deep = 'a/'.repeat(30_000)
        assert.equal(store.put(message(deep, 'x')), true)
        assert.equal([...walk(store.match('a/#'))].length, 1)
        assert.equal(store.delete(deep), true)
        assert.equal(store.count, 0)
      })
    })

    describe('limit', () => {
      test('exactly the limit fits, one more is refused and changes nothing', () => {
        const store = create({ maximum: 3 })
        assert.deepEqual(
          ['a', 'b', 'c', 'd'].map((topic) => store.put(message(topic, 'x'))),
          [true, true, true, false],
        )
        assert.equal(store.count, 3)
        assert.equal(store.get('d'), undefined)
        assert.deepEqual(texts(store, '#'), ['a=x', 'b=x', 'c=x'])
      })

      test('a full store still takes a new message for a topic that it holds', () => {
        const store = create({ maximum: 2 })
        store.put(message('a', '1'))
        store.put(message('b', '1'))
        assert.equal(store.put(message('a', '2')), true)
        assert.deepEqual(texts(store, '#'), ['b=1', 'a=2'])
      })

      test('a deleted message makes room', () => {
        const store = create({ maximum: 1 })
        store.put(message('a', 'x'))
        assert.equal(store.put(message('b', 'x')), false)
        store.delete('a')
        assert.equal(store.put(message('b', 'x')), true)
      })
    })

    describe('match', () => {
      const topics = ['a', 'a/b', 'a/b/c', 'a/', '/a', '/', 'b', 'b/b', '$SYS', '$SYS/x', '$SYS/x/y', 'a/$SYS', 'a/+x']
      const filters = [
        ...['a', 'a/b', '/', 'c', '#', '+', '+/#', '+/+', '/+', '+/', 'a/#', 'a/+', 'a/+/#', 'a/+/c', '+/b', '+/b/#'],
        ...['a/b/c/#', 'a/b/c/d/#', '$SYS/#', '$SYS/+', '$SYS', '+/x', '$SYS/+/y', 'a/$SYS', '+/$SYS', '/#'],
      ]
      for (const filter of filters) {
        test(`${filter} gives what it matches, oldest first`, () => {
          const store = create({ maximum: 0 })
          for (const topic of topics) store.put(message(topic, 'x'))
          const expected = topics.filter((topic) => topicMatches(filter, topic)).map((topic) => `${topic}=x`)
          assert.deepEqual(texts(store, filter), expected)
        })
      }

      test('the age is that of the present message of a topic', () => {
        const store = create({ maximum: 0 })
        for (const topic of ['s/1', 's/2', 's/3']) store.put(message(topic, 'old'))
        store.put(message('s/1', 'new'))
        store.delete('s/2')
        store.put(message('s/2', 'again'))
        assert.deepEqual(texts(store, 's/+'), ['s/3=old', 's/1=new', 's/2=again'])
        assert.deepEqual(texts(store, '#'), ['s/3=old', 's/1=new', 's/2=again'])
      })

      test('stores of every size agree with a plain list', () => {
        const random = seeded(7)
        for (const size of [1, 10, 1000, 40_000]) {
          const store = create({ maximum: 0 })
          const list = new Map<string, string>()
          for (let index = 0; index < size; index++) {
            const topic = `${pick(random, ['a', 'b', '$x'])}/${Math.floor(random() * size)}/${pick(random, ['t', 'h'])}`
            list.delete(topic)
            if (random() < 0.2) store.delete(topic)
            else {
              store.put(message(topic, String(index)))
              list.set(topic, String(index))
            }
          }
          assert.equal(store.count, list.size)
          for (const filter of ['#', 'a/#', '+/+/t', '+/0/#', 'b/1/t', '$x/+/h', 'a/+/+']) {
            const expected = [...list].filter(([topic]) => topicMatches(filter, topic))
            assert.deepEqual(
              texts(store, filter),
              expected.map(([topic, text]) => `${topic}=${text}`),
              `${filter} of ${size}`,
            )
          }
        }
      })
    })

    describe('all', () => {
      test('gives every message, those of $ topics too, oldest first', () => {
        const store = create({ maximum: 0 })
        for (const topic of ['b', '$SYS/x', 'a/b', '$other', '/', 'b']) store.put(message(topic, 'x'))
        const topics = [...walk(store.all())].map(({ topic }) => topic)
        assert.deepEqual(topics, ['$SYS/x', 'a/b', '$other', '/', 'b'])
      })

      test('leaves out what was deleted, replaced or put after the call', () => {
        const store = create({ maximum: 0 })
        for (const topic of ['a', 'b', 'c', 'd']) store.put(message(topic, 'x'))
        const messages = walk(store.all())
        assert.equal(messages.next().value?.topic, 'a')
        store.delete('b')
        store.put(message('c', 'again'))
        store.put(message('e', 'x'))
        assert.deepEqual(
          [...messages].map(({ topic }) => topic),
          ['d'],
        )
      })
    })

    describe('an iterator over a store that changes', () => {
      for (const filter of ['#', 'd/#', '+/+', 'd/+']) {
        for (const size of [50, 20_000]) {
          test(`${filter} of ${size}: what stayed comes once, what went before its turn does not come`, () => {
            const store = create({ maximum: 0 })
            for (let index = 0; index < size; index++) store.put(message(`d/${index}`, 'first'))
            const expected = new Set(Array.from({ length: size }, (_, index) => `d/${index}`))
            const random = seeded(size)
            const iterator = store.match(filter)
            const seen: string[] = []
            let added = 0
            for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
              if (next.value !== undefined) {
                assert.equal(Buffer.from(next.value.payload).toString(), 'first')
                seen.push(next.value.topic)
              }
              const topic = `d/${Math.floor(random() * size)}`
              const action = random()
              if (action < 0.2) {
                store.delete(topic)
                if (!seen.includes(topic)) expected.delete(topic)
              } else if (action < 0.4) {
                store.put(message(topic, 'second'))
                if (!seen.includes(topic)) expected.delete(topic)
              } else if (action < 0.7) {
                store.put(message(`d/new/${added}`, 'late'))
                store.put(message(`d/late${added++}`, 'late'))
              }
              if (seen.length > 300) break
            }
            if (seen.length > 300) {
              for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
                if (next.value !== undefined) seen.push(next.value.topic)
              }
            }
            assert.equal(new Set(seen).size, seen.length, 'a message came twice')
            assert.deepEqual(
              seen,
              [...expected].sort((one, other) => Number(one.slice(2)) - Number(other.slice(2))),
            )
          })
        }
      }

      test('it ends although messages keep coming as fast as they are taken', () => {
        const store = create({ maximum: 0 })
        for (let index = 0; index < 10; index++) store.put(message(`t/${index}`, 'x'))
        let taken = 0
        for (const one of walk(store.match('#'))) {
          taken++
          store.put(message(one.topic, 'again'))
          assert.ok(taken <= 10)
        }
        assert.equal(taken, 10)
      })

      test('what comes after the call of match does not come, not even before the first step', () => {
        for (const filter of ['#', 't/+', 't/1', 't/2']) {
          const store = create({ maximum: 0 })
          store.put(message('t/1', 'old'))
          store.put(message('t/3', 'old'))
          const iterator = walk(store.match(filter))
          store.put(message('t/1', 'new'))
          store.put(message('t/2', 'new'))
          const expected = filter.startsWith('t/1') || filter === 't/2' ? [] : ['t/3']
          assert.deepEqual(
            [...iterator].map((one) => one.topic),
            expected,
            filter,
          )
        }
      })

      test('it ends when the store is cleared', () => {
        const store = create({ maximum: 0 })
        for (let index = 0; index < 10; index++) store.put(message(`t/${index}`, 'x'))
        for (const filter of ['#', 't/+']) {
          const iterator = walk(store.match(filter))
          iterator.next()
          store.clear()
          assert.equal(iterator.next().done, true)
        }
      })

      test('a search that finds nothing among many gives way again and again', () => {
        const store = create({ maximum: 0 })
        for (let index = 0; index < 50_000; index++) store.put(message(`d/${index}/state`, 'x'))
        let pauses = 0
        const iterator = store.match('+/+/absent')
        for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
          assert.equal(next.value, undefined)
          pauses++
        }
        assert.ok(pauses >= 50, `${pauses} pauses`)
      })
    })
  })
}

let serial = 0

function message(topic: string, payload: string, more: Partial<Message> = {}): Message {
  return {
    id: (serial++).toString(16).toUpperCase().padStart(32, '0'),
    topic,
    payload: Buffer.from(payload),
    qos: 0,
    retain: true,
    dup: false,
    from: 'tester',
    timestamp: serial,
    properties: {},
    headers: {},
    ...more,
  }
}

function* walk(iterator: Iterator<Message | undefined>): Generator<Message, void, undefined> {
  for (let next = iterator.next(); next.done !== true; next = iterator.next()) {
    if (next.value !== undefined) yield next.value
  }
}

function texts(store: RetainedStore, filter: string): string[] {
  return [...walk(store.match(filter))].map((one) => `${one.topic}=${Buffer.from(one.payload).toString()}`)
}

/** The same numbers in each run, in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

function pick<Value>(random: () => number, from: readonly Value[]): Value {
  return from[Math.floor(random() * from.length)]
}
