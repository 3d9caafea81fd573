import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Order, Rewriter } from './rewriter.ts'
import { type Action, Rule } from './rule.ts'

const owner = { clientId: 'dev1', username: 'ann' }

function rules(...lines: readonly string[]): Rule[] {
  return lines.map((line) => {
    const [source, expression, destination, action = 'all'] = line.split(' ')
    return new Rule({ action: action as Action, source, expression, destination, from: line })
  })
}

function rewriter(order: Order, ...lines: readonly string[]): Rewriter {
  return new Rewriter(rules(...lines), order, (_rule, error) => {
    throw error
  })
}

const worked = ['y/+/z/# ^y/(.+)/z/(.+)$ y/z/$2', 'x/# ^x/y/(.+)$ z/y/$1', 'x/y/+ ^x/y/(\\d+)$ z/y/$1']

describe('the worked example', () => {
  for (const [topic, expected] of [
    ['y/a/z/b', 'y/z/b'],
    ['y/def', 'y/def'],
    ['x/1/2', 'x/1/2'],
    ['x/y/2', 'z/y/2'],
    ['x/y/z', 'x/y/z'],
  ]) {
    test(`4.x: ${topic} becomes ${expected}`, () => {
      assert.equal(rewriter('4.x', ...worked).topicName(topic, owner), expected)
      assert.equal(rewriter('4.x', ...worked).topicFilter(topic, owner), expected)
    })
  }

  test('2.x: the first rule that matches decides, so x/y/z is rewritten', () => {
    assert.equal(rewriter('2.x', ...worked).topicName('x/y/z', owner), 'z/y/z')
    assert.equal(rewriter('2.x', ...worked).topicName('x/1/2', owner), 'x/1/2')
  })
})

describe('rules', () => {
  test('one pass: what came out is not rewritten again', () => {
    const chain = rewriter('2.x', 'a/# ^a/(.+)$ b/$1', 'b/# ^b/(.+)$ c/$1')
    assert.equal(chain.topicName('a/1', owner), 'b/1')
    assert.equal(chain.topicName('b/1', owner), 'c/1')
  })

  test('an expression is not anchored by itself', () => {
    assert.equal(rewriter('4.x', '# y/(\\d+) seen/$1').topicName('x/y/12/z', owner), 'seen/12')
  })

  test('publish and subscribe rules act in their direction only', () => {
    const both = rewriter('4.x', 'a ^a$ p publish', 'a ^a$ s subscribe')
    assert.equal(both.topicName('a', owner), 'p')
    assert.equal(both.topicFilter('a', owner), 's')
  })

  test("the client's filter is matched as if it were a topic", () => {
    const wild = rewriter('4.x', 'x/# ^x/(.+)$ z/$1')
    assert.equal(wild.topicFilter('x/+', owner), 'z/+')
    assert.equal(wild.topicFilter('x/#', owner), 'z/#')
    assert.equal(wild.topicFilter('+/y', owner), '+/y')
  })

  test('a share prefix stays', () => {
    const plain = rewriter('4.x', 'x/# ^x/(.+)$ z/$1')
    assert.equal(plain.topicFilter('$share/g/x/1', owner), '$share/g/z/1')
    assert.equal(plain.topicFilter('$queue/x/1', owner), '$queue/z/1')
  })

  test('a leading wildcard of a rule does not match $ topics', () => {
    assert.equal(rewriter('4.x', '# ^(.+)$ all/$1').topicName('$SYS/x', owner), '$SYS/x')
  })

  test('$10 is the tenth of ten groups, and the first followed by 0 of nine', () => {
    const ten = `^${'(\\w)/'.repeat(9)}(\\w)$`
    assert.equal(rewriter('4.x', `# ${ten} $10/$1/$2`).topicName('a/b/c/d/e/f/g/h/i/j', owner), 'j/a/b')
    assert.equal(rewriter('4.x', '# ^(\\w)/(\\w)$ $10/$2').topicName('a/b', owner), 'a0/b')
  })

  test('a group that took no part is empty; a number of no group stays as it is; & and \\ are nothing special', () => {
    assert.equal(rewriter('4.x', '# ^(a)|(b)$ x$2y$7').topicName('a', owner), 'xy$7')
    assert.equal(rewriter('4.x', '# ^(.+)$ x/$1').topicName('a&b\\1$2', owner), 'x/a&b\\1$2')
  })

  test('%c and %u are of the client, also under the names of EMQX 5', () => {
    const named = rewriter('4.x', 'a/# ^a/(.+)$ %u/%c/$1', 'b/# ^b/(.+)$ $' + '{username}/$' + '{clientid}/$1')
    assert.equal(named.topicName('a/1', owner), 'ann/dev1/1')
    assert.equal(named.topicName('b/1', owner), 'ann/dev1/1')
    assert.equal(
      named.topicName('a/1', { clientId: 'dev2', username: 'bob' }),
      'bob/dev2/1',
      'remembered for no other client',
    )
    assert.equal(named.topicName('a/1', { clientId: 'dev2' }), 'a/1', 'without a user name nothing is rewritten')
  })

  test('a name with wildcards cannot widen a subscription', () => {
    const named = rewriter('4.x', 'mine ^mine$ home/%c')
    assert.equal(named.topicFilter('mine', { clientId: '#' }), 'mine')
    assert.equal(named.topicFilter('mine', { clientId: '+' }), 'mine')
  })

  test('what would be no topic leaves the topic as it was', () => {
    assert.equal(rewriter('4.x', '# ^x(.*)$ $1').topicName('x', owner), 'x')
    assert.equal(rewriter('4.x', 'x/# ^x/(.+)$ $1/x').topicFilter('x/#', owner), 'x/#')
    assert.equal(rewriter('4.x', 'x/# ^x/(.+)$ z/#').topicName('x/1', owner), 'x/1')
    assert.equal(rewriter('4.x', 'x/# ^x/(.+)$ $1').topicFilter('x/$share/g/t', owner), 'x/$share/g/t')
  })

  test('an expression that would take for ever leaves the topic as it was, soon', () => {
    const failures: string[] = []
    const slow = new Rewriter(rules('# ^(a|b|ab)*(a|b|ab)*(a|b|ab)*c$ x'), '4.x', (rule, error) => {
      failures.push(`${rule.text.from}: ${error.message}`)
    })
    const topic = 'ab'.repeat(30_000)
    const started = performance.now()
    assert.equal(slow.topicName(topic, owner), topic)
    assert.equal(failures.length, 1)
    // A backtracking engine would need longer than the age of the universe; the bound is there to fail instead of hanging.
    assert.ok(performance.now() - started < 10_000)
  })

  test('ten thousands of topics are not all remembered, and all are answered', () => {
    const many = rewriter('4.x', 'a/# ^a/(.+)$ b/$1')
    for (let index = 0; index < 30_000; index++) assert.equal(many.topicName(`a/${index}`, owner), `b/${index}`)
    assert.equal(many.topicName('a/0', owner), 'b/0')
  })
})

describe('a rule that cannot be one says why', () => {
  for (const [line, problem] of [
    ['a/#/b ^a$ b', /filter a\/#\/b/],
    ['a (a b', /never closed/],
    ['a (?=a) b', /no look-around/],
    ['a ^a$ b/# publish', /no topic name/],
    ['a ^a$ b#', /no topic filter/],
  ] as const) {
    test(line, () => assert.throws(() => rules(line), problem))
  }
})
