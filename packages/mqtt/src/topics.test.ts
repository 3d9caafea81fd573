import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { MqttError } from './error.ts'
import { filterCovers, parseShared, topicFilterError, topicMatches, topicNameError } from './topics.ts'

test('topic names [MQTT-3.3.2-2] [MQTT-4.7.3-1] [MQTT-4.7.3-2] [MQTT-4.7.3-3]', () => {
  for (const topic of ['a', '/', '/a', 'a//b', 'a b', '$SYS/x', 'ü/€/🚀', '$share/g/t', 'x'.repeat(65535)]) {
    assert.equal(topicNameError(topic), undefined, topic)
  }
  for (const topic of ['', 'a/+', '#', 'a+b', 'a\0b', 'x'.repeat(65536), 'ü'.repeat(32768), '\ud800']) {
    assert.equal(topicNameError(topic)?.reasonCode, 0x90, topic)
  }
})

test('limits of length count bytes, limits of levels count slashes', () => {
  assert.equal(topicNameError('üü', { maxLength: 4 }), undefined)
  assert.equal(topicNameError('üüa', { maxLength: 4 })?.message, 'topic name is longer than 4 bytes')
  assert.equal(topicNameError('a/b/c', { maxLevels: 3 }), undefined)
  assert.equal(topicNameError('a/b/c/', { maxLevels: 3 })?.message, 'topic name has more than 3 levels')
  assert.equal(topicNameError('a/b/c/', { maxLevels: 0, maxLength: 0 }), undefined)
  assert.equal(topicFilterError('$share/g/a/b', { maxLevels: 2, maxLength: 3 }), undefined)
  assert.equal(topicFilterError('$share/g/a/b/c', { maxLevels: 2 })?.reasonCode, 0x8f)
})

test('topic filters [MQTT-4.7.1-1] [MQTT-4.7.1-2]', () => {
  for (const filter of [
    'a',
    '#',
    '+',
    '+/#',
    'a/+/b',
    '/+',
    '+/',
    '$SYS/#',
    '$share/g/#',
    '$queue/+/a',
    '$shared/x',
    '$queue',
  ]) {
    assert.equal(topicFilterError(filter), undefined, filter)
  }
  for (const filter of ['', 'a#', 'a/#/b', '#/', 'a+', '+a', 'a/b+/c', '##', '++', 'a/#b', 'a\0', '\udc00']) {
    assert.equal(topicFilterError(filter)?.reasonCode, 0x8f, filter)
  }
})

test('shared filters [MQTT-4.8.2-1] [MQTT-4.8.2-2]', () => {
  assert.deepEqual(parseShared('$share/g/a/b'), { group: 'g', filter: 'a/b', queue: false })
  assert.deepEqual(parseShared('$share/g//b'), { group: 'g', filter: '/b', queue: false })
  assert.deepEqual(parseShared('$queue/a/#'), { group: '$queue', filter: 'a/#', queue: true })
  for (const filter of ['a/b', '$SYS/x', '$shares/g/t', '$queue', '$queues/a'])
    assert.equal(parseShared(filter), undefined)
  for (const filter of [
    '$share',
    '$share/',
    '$share/g',
    '$share/g/',
    '$share//t',
    '$share/g+/t',
    '$share/#/t',
    '$queue/',
  ]) {
    assert.throws(() => parseShared(filter), MqttError, filter)
    assert.equal(topicFilterError(filter)?.reasonCode, 0x8f, filter)
  }
  assert.equal(topicFilterError('$share/g/a#')?.reasonCode, 0x8f)
})

test('matching, by the examples of the specification [MQTT-4.7.2-1] [MQTT-4.7.3-4]', () => {
  const yes = [
    ['sport/tennis/player1/#', 'sport/tennis/player1'],
    ['sport/tennis/player1/#', 'sport/tennis/player1/ranking'],
    ['sport/#', 'sport'],
    ['#', 'a/b'],
    ['#', '/'],
    ['sport/tennis/+', 'sport/tennis/player1'],
    ['sport/+', 'sport/'],
    ['+/+', '/finance'],
    ['/+', '/finance'],
    ['$SYS/#', '$SYS/x'],
    ['$SYS/monitor/+', '$SYS/monitor/Clients'],
    ['+/#', 'a'],
    ['+', 'a'],
    ['a/+/c', 'a//c'],
  ]
  const no = [
    ['sport/tennis/+', 'sport/tennis/player1/ranking'],
    ['sport/+', 'sport'],
    ['+', '/finance'],
    ['#', '$SYS/x'],
    ['+/monitor/Clients', '$SYS/monitor/Clients'],
    ['a', 'A'],
    ['/a', 'a'],
    ['a', 'a/'],
    ['a/', 'a'],
    ['ab', 'a'],
    ['a', 'ab'],
  ]
  for (const [filter, topic] of yes) assert.equal(topicMatches(filter, topic), true, `${filter} ${topic}`)
  for (const [filter, topic] of no) assert.equal(topicMatches(filter, topic), false, `${filter} ${topic}`)
})

/** The definition, level by level, for comparison. */
function matchesByLevels(filter: string, topic: string): boolean {
  const levels = topic.split('/')
  const parts = filter.split('/')
  if (topic.startsWith('$') && (parts[0] === '+' || parts[0] === '#')) return false
  const tail = parts.at(-1) === '#'
  const fixed = tail ? parts.slice(0, -1) : parts
  if (tail ? levels.length < fixed.length : levels.length !== fixed.length) return false
  return fixed.every((part, index) => part === '+' || part === levels[index])
}

const level = fc.constantFrom('', 'a', 'b', '$s')
const topicName = fc
  .array(level, { minLength: 1, maxLength: 4 })
  .map((levels) => levels.join('/'))
  .filter((topic) => topic !== '')
const topicFilter = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 4 }), fc.boolean())
  .map(([levels, tail]) => (tail ? [...levels, '#'] : levels).join('/'))
  .filter((filter) => filter !== '')

test('matching agrees with the definition', () => {
  fc.assert(
    fc.property(topicFilter, topicName, (filter, topic) => {
      assert.equal(topicFilterError(filter), undefined)
      assert.equal(topicMatches(filter, topic), matchesByLevels(filter, topic))
    }),
    { numRuns: 2000 },
  )
})

// Every topic of up to five levels; `z` stands for the words that no filter names.
const universe = (() => {
  const words = ['', 'a', 'b', '$s', 'z']
  let layer = words.slice()
  const all = layer.slice()
  for (let depth = 1; depth < 5; depth++) {
    layer = layer.flatMap((topic) => words.map((word) => `${topic}/${word}`))
    all.push(...layer)
  }
  return all.filter((topic) => topic !== '')
})()

test('a filter covers another exactly when it matches all of its topics', () => {
  fc.assert(
    fc.property(topicFilter, topicFilter, (rule, filter) => {
      const all = universe.every((topic) => !topicMatches(filter, topic) || topicMatches(rule, topic))
      assert.equal(filterCovers(rule, filter), all, `${rule} over ${filter}`)
    }),
    { numRuns: 1500 },
  )
})
