import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import type { AuthorizeRequest, ClientInfo } from '@hookmq/api'
import { TermError } from '@hookmq/kit'
import fc from 'fast-check'
import { type Decision, parseAcl } from './rules.ts'

const someone: ClientInfo = {
  clientId: 'c1',
  username: 'ann',
  protocol: 'mqtt',
  protocolVersion: 4,
  listener: 'tcp:external',
  peerhost: '10.1.2.3',
  peerport: 40_000,
  sockport: 1883,
  mountpoint: '',
  superuser: false,
  anonymous: false,
  bridge: false,
  attributes: {},
}

type Case = [rules: string, client: Partial<ClientInfo>, action: 'publish' | 'subscribe', topic: string, Decision]

function request(client: Partial<ClientInfo>, action: 'publish' | 'subscribe', topic: string): AuthorizeRequest {
  return { client: { ...someone, ...client }, action, topic, qos: 0, retain: false }
}

function table(title: string, cases: Case[]): void {
  describe(title, () => {
    for (const [rules, client, action, topic, expected] of cases) {
      it(`${rules} ${JSON.stringify(client)} ${action} ${topic}: ${expected}`, () => {
        assert.equal(parseAcl(rules, 'acl.conf').decide(request(client, action, topic)), expected)
      })
    }
  })
}

table('rules of two parts', [
  ['{allow, all}.', {}, 'publish', 'a', 'allow'],
  ['{allow, all}.', {}, 'subscribe', '#', 'allow'],
  ['{deny, all}.', {}, 'publish', '$SYS/x', 'deny'],
  ['{deny, all}.', {}, 'subscribe', 'a', 'deny'],
])

table('access', [
  ['{allow, all, subscribe, ["a"]}.', {}, 'subscribe', 'a', 'allow'],
  ['{allow, all, subscribe, ["a"]}.', {}, 'publish', 'a', 'ignore'],
  ['{allow, all, publish, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['{allow, all, publish, ["a"]}.', {}, 'subscribe', 'a', 'ignore'],
  ['{deny, all, pubsub, ["a"]}.', {}, 'publish', 'a', 'deny'],
  ['{deny, all, pubsub, ["a"]}.', {}, 'subscribe', 'a', 'deny'],
])

table('who', [
  ['{allow, all, pubsub, ["a"]}.', { username: undefined }, 'publish', 'a', 'allow'],
  ['{allow, {user, "ann"}, pubsub, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['{allow, {user, <<"ann">>}, pubsub, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['{allow, {user, "ann"}, pubsub, ["a"]}.', { username: 'bob' }, 'publish', 'a', 'ignore'],
  ['{allow, {user, "ann"}, pubsub, ["a"]}.', { username: undefined }, 'publish', 'a', 'ignore'],
  ['{allow, {user, "undefined"}, pubsub, ["a"]}.', { username: undefined }, 'publish', 'a', 'ignore'],
  ['{allow, {user, all}, pubsub, ["a"]}.', { username: undefined }, 'publish', 'a', 'allow'],
  ['{allow, {client, "c1"}, pubsub, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['{allow, {client, "c1"}, pubsub, ["a"]}.', { clientId: 'c2' }, 'publish', 'a', 'ignore'],
  ['{allow, {client, all}, pubsub, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['{allow, {ipaddr, "10.1.2.3"}, pubsub, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['{allow, {ipaddr, "10.0.0.0/8"}, pubsub, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['{allow, {ipaddr, "10.0.0.0/8"}, pubsub, ["a"]}.', { peerhost: '::ffff:10.9.9.9' }, 'publish', 'a', 'allow'],
  ['{allow, {ipaddr, "10.0.0.0/8"}, pubsub, ["a"]}.', { peerhost: '11.0.0.1' }, 'publish', 'a', 'ignore'],
  ['{allow, {ipaddr, "fd00::/8"}, pubsub, ["a"]}.', { peerhost: 'fd12::1' }, 'publish', 'a', 'allow'],
  ['{allow, {ipaddr, "::1"}, pubsub, ["a"]}.', { peerhost: '127.0.0.1' }, 'publish', 'a', 'ignore'],
  ['{allow, {ipaddrs, ["1.1.1.1", "10.1.0.0/16"]}, pubsub, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['{allow, {ipaddrs, ["1.1.1.1", "2.0.0.0/8"]}, pubsub, ["a"]}.', {}, 'publish', 'a', 'ignore'],
  [`{allow, {'and', [{user, "ann"}, {client, "c1"}]}, pubsub, ["a"]}.`, {}, 'publish', 'a', 'allow'],
  [`{allow, {'and', [{user, "ann"}, {client, "c2"}]}, pubsub, ["a"]}.`, {}, 'publish', 'a', 'ignore'],
  [`{allow, {'and', []}, pubsub, ["a"]}.`, {}, 'publish', 'a', 'allow'],
  [`{allow, {'or', [{user, "bob"}, {client, "c1"}]}, pubsub, ["a"]}.`, {}, 'publish', 'a', 'allow'],
  [`{allow, {'or', [{user, "bob"}, {client, "c2"}]}, pubsub, ["a"]}.`, {}, 'publish', 'a', 'ignore'],
  [`{allow, {'or', []}, pubsub, ["a"]}.`, {}, 'publish', 'a', 'ignore'],
  [
    `{allow, {'and', [{'or', [{user, "x"}, all]}, {ipaddr, "10.0.0.0/8"}]}, pubsub, ["a"]}.`,
    {},
    'publish',
    'a',
    'allow',
  ],
])

const topics = (list: string): string => `{allow, all, pubsub, ${list}}.`

table('topics of a publish', [
  [topics('["a/b"]'), {}, 'publish', 'a/b', 'allow'],
  [topics('["a/b"]'), {}, 'publish', 'a/b/c', 'ignore'],
  [topics('["a/b"]'), {}, 'publish', 'a', 'ignore'],
  [topics('["x", "a/b"]'), {}, 'publish', 'a/b', 'allow'],
  [topics('[]'), {}, 'publish', 'a', 'ignore'],
  [topics('<<"a/b">>'), {}, 'publish', 'a/b', 'allow'],
  [topics('[<<"a/+">>]'), {}, 'publish', 'a/b', 'allow'],
  [topics('["a/+"]'), {}, 'publish', 'a/', 'allow'],
  [topics('["a/+"]'), {}, 'publish', 'a', 'ignore'],
  [topics('["a/+"]'), {}, 'publish', 'a/b/c', 'ignore'],
  [topics('["a/+/c"]'), {}, 'publish', 'a/b/c', 'allow'],
  [topics('["a/#"]'), {}, 'publish', 'a', 'allow'],
  [topics('["a/#"]'), {}, 'publish', 'a/b/c', 'allow'],
  [topics('["a/#"]'), {}, 'publish', 'ab', 'ignore'],
  [topics('["+/#"]'), {}, 'publish', 'a', 'allow'],
  [topics('["/a"]'), {}, 'publish', '/a', 'allow'],
  [topics('["/a"]'), {}, 'publish', 'a', 'ignore'],
  [topics('["#"]'), {}, 'publish', '$SYS/brokers', 'allow'],
  [topics('["+/brokers"]'), {}, 'publish', '$SYS/brokers', 'allow'],
  [topics('[{eq, "a/b"}]'), {}, 'publish', 'a/b', 'allow'],
  [topics('[{eq, <<"a/b">>}]'), {}, 'publish', 'a/b', 'allow'],
  [topics('[{eq, "a/+"}]'), {}, 'publish', 'a/b', 'ignore'],
  [topics('[{eq, "a/%c"}]'), {}, 'publish', 'a/c1', 'ignore'],
])

table('filters of a subscription are covered as a whole', [
  [topics('["a/+"]'), {}, 'subscribe', 'a/+', 'allow'],
  [topics('["a/+"]'), {}, 'subscribe', 'a/b', 'allow'],
  [topics('["a/+"]'), {}, 'subscribe', 'a/#', 'ignore'],
  [topics('["a/b"]'), {}, 'subscribe', 'a/+', 'ignore'],
  [topics('["a/#"]'), {}, 'subscribe', 'a/#', 'allow'],
  [topics('["a/#"]'), {}, 'subscribe', 'a/+/#', 'allow'],
  [topics('["a/#"]'), {}, 'subscribe', 'a', 'allow'],
  [topics('["a/#"]'), {}, 'subscribe', '#', 'ignore'],
  [topics('["a/#"]'), {}, 'subscribe', '+/b', 'ignore'],
  [topics('["a/+/#"]'), {}, 'subscribe', 'a/#', 'ignore'],
  [topics('["+"]'), {}, 'subscribe', '#', 'ignore'],
  [topics('["#"]'), {}, 'subscribe', '#', 'allow'],
  [topics('["#"]'), {}, 'subscribe', '$SYS/#', 'allow'],
  [topics('[{eq, "#"}]'), {}, 'subscribe', '#', 'allow'],
  [topics('[{eq, "#"}]'), {}, 'subscribe', 'a', 'ignore'],
  [topics('[{eq, "a/#"}]'), {}, 'subscribe', 'a/b', 'ignore'],
])

const aliases = { attributes: { clientid_alias: 'k7', common_name_alias: 'n7' } }

table('placeholders stand for one level of literal text', [
  [topics('["home/%u/#"]'), {}, 'publish', 'home/ann/door', 'allow'],
  [topics('["home/%u/#"]'), {}, 'publish', 'home/bob/door', 'ignore'],
  [topics('["home/%u/#"]'), { username: undefined }, 'publish', 'home/%u/door', 'ignore'],
  [topics('["home/%u/#"]'), { username: undefined }, 'publish', 'home/undefined/door', 'ignore'],
  [topics('["dev/%c"]'), {}, 'subscribe', 'dev/c1', 'allow'],
  [topics('["dev/%c"]'), {}, 'subscribe', 'dev/+', 'ignore'],
  [topics('["dev/%c"]'), { clientId: '+' }, 'subscribe', 'dev/+', 'ignore'],
  [topics('["dev/%c"]'), { clientId: '+' }, 'publish', 'dev/other', 'ignore'],
  [topics('["dev/%c/#"]'), { clientId: '#' }, 'publish', 'dev/other/x', 'ignore'],
  [topics('["dev/%c"]'), { clientId: '#' }, 'subscribe', 'dev/#', 'ignore'],
  [topics('["dev/%c"]'), { clientId: 'a/b' }, 'publish', 'dev/a/b', 'ignore'],
  [topics('["dev/%c"]'), { clientId: 'x+' }, 'publish', 'dev/x+', 'ignore'],
  [topics('["dev-%c"]'), {}, 'publish', 'dev-c1', 'ignore'],
  [topics('["dev-%c"]'), {}, 'publish', 'dev-%c', 'allow'],
  [topics('["%a"]'), {}, 'publish', '10.1.2.3', 'ignore'],
  [topics('["k/%cida"]'), aliases, 'publish', 'k/k7', 'allow'],
  [topics('["k/%cna"]'), aliases, 'publish', 'k/n7', 'allow'],
  [topics('["k/%cida"]'), {}, 'publish', 'k/%cida', 'ignore'],
  [topics('["x/%u", "y/%c"]'), { username: undefined }, 'publish', 'y/c1', 'allow'],
])

table('order: the first rule that fits decides', [
  ['{deny, all, publish, ["a"]}. {allow, all}.', {}, 'publish', 'a', 'deny'],
  ['{allow, all}. {deny, all, publish, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['{deny, all, subscribe, ["a"]}. {allow, all, publish, ["a"]}.', {}, 'publish', 'a', 'allow'],
  ['', {}, 'publish', 'a', 'ignore'],
])

describe('the file as shipped', () => {
  const rules = parseAcl(readFileSync(new URL('../../../etc/acl.conf', import.meta.url), 'utf8'), 'etc/acl.conf')
  const cases: [Partial<ClientInfo>, 'publish' | 'subscribe', string, Decision][] = [
    [{}, 'subscribe', 'a/b', 'allow'],
    [{}, 'subscribe', '+/b', 'allow'],
    [{}, 'subscribe', '#', 'deny'],
    [{}, 'subscribe', '$SYS/#', 'deny'],
    [{}, 'subscribe', '$SYS/brokers', 'deny'],
    [{}, 'publish', 'a/b', 'allow'],
    [{}, 'publish', '$SYS/brokers', 'deny'],
    [{ peerhost: '127.0.0.1' }, 'subscribe', '#', 'allow'],
    [{ peerhost: '127.0.0.1' }, 'subscribe', '$SYS/#', 'allow'],
    [{ peerhost: '::1' }, 'subscribe', '#', 'allow'],
    [{ peerhost: '127.0.0.1' }, 'publish', 'a', 'allow'],
    [{ peerhost: '127.0.0.1' }, 'publish', '$SYS/brokers', 'deny'],
    [{ username: 'dashboard' }, 'subscribe', '$SYS/brokers', 'allow'],
    [{ username: 'dashboard' }, 'subscribe', '#', 'deny'],
  ]
  for (const [client, action, topic, expected] of cases) {
    it(`${JSON.stringify(client)} ${action} ${topic}: ${expected}`, () => {
      assert.equal(rules.decide(request(client, action, topic)), expected)
    })
  }
})

describe('errors', () => {
  const who = `all, {user, "name"}, {client, "id"}, {ipaddr, "address or prefix"}, {ipaddrs, [...]}, {'and', [...]} or {'or', [...]}`
  const shape = '{allow, all}, {deny, all} or {allow | deny, Who, Access, [Topics]}'
  const address = 'an address or prefix in quotes, such as "10.0.0.0/8"'
  const cases: [string, string][] = [
    ['{allow, all}', 'f:1:13: expected "." after the term, got the end of the file'],
    ['allow.', `f:1:1: expected ${shape}, got allow`],
    ['{allow, all, publish}.', `f:1:1: expected ${shape}, got a tuple of 3 that begins with allow`],
    ['{allow, all}.\n{permit, all}.', 'f:2:2: expected allow or deny, got permit'],
    ['{allow, nobody}.', 'f:1:9: expected all, in a rule of two parts, got nobody'],
    ['{allow, nobody, publish, ["a"]}.', `f:1:9: expected ${who}, got nobody`],
    ['{allow, {usr, "x"}, publish, ["a"]}.', `f:1:9: expected ${who}, got a tuple of 2 that begins with usr`],
    ['{allow, {user, x}, publish, ["a"]}.', 'f:1:16: expected a user name in quotes, or all, got x'],
    ['{allow, {client, 7}, publish, ["a"]}.', 'f:1:18: expected a client id in quotes, or all, got 7'],
    ['{allow, {ipaddr, "10.0.0"}, publish, ["a"]}.', `f:1:18: expected ${address}, got "10.0.0"`],
    ['{allow, {ipaddrs, ["::/129"]}, publish, ["a"]}.', `f:1:20: expected ${address}, got "::/129"`],
    ['{allow, all, write, ["a"]}.', 'f:1:14: expected publish, subscribe or pubsub, got write'],
    ['{allow, all, publish, a}.', 'f:1:23: expected a list of topic filters in quotes and {eq, "topic"}, got a'],
    ['{allow, all, publish, [1]}.', 'f:1:24: expected a list of topic filters in quotes and {eq, "topic"}, got 1'],
    ['{allow, all, publish, ["a/#/b"]}.', 'f:1:24: expected a topic filter with # at its end only, got "a/#/b"'],
  ]
  for (const [text, message] of cases) {
    it(message, () => assert.throws(() => parseAcl(text, 'f'), { name: 'TermError', message }))
  }

  it('is never anything but a TermError', () => {
    const piece = fc.constantFrom(
      ...'{ } [ ] , . allow deny all user client ipaddr and or eq publish pubsub "a" "1.1.1.1" "#" "%c" {allow, {deny, all}.'.split(
        ' ',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (parts) => {
        try {
          parseAcl(parts.join(' '), 'f')
        } catch (error) {
          assert.ok(error instanceof TermError, String(error))
        }
      }),
      { numRuns: 3000 },
    )
  })
})

describe('covering, against a model', () => {
  const level = fc.constantFrom('a', 'b', '')
  const filter = fc
    .tuple(fc.array(fc.oneof(level, fc.constant('+')), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([levels, rest]) => [...levels, ...(rest ? ['#'] : [])])

  /** The rule that MQTT has for topic names, written down as plainly as can be. */
  const matches = (rule: string[], topic: string[]): boolean => {
    if (rule[0] === '#') return true
    if (topic.length === 0) return rule.length === 0
    if (rule.length === 0) return false
    return (rule[0] === '+' || rule[0] === topic[0]) && matches(rule.slice(1), topic.slice(1))
  }
  const allTopics = (function grow(depth: number): string[][] {
    if (depth === 0) return [[]]
    const shorter = grow(depth - 1)
    // Two letters that no rule has, so that a wildcard is never covered by all the letters there are.
    return [
      ...shorter,
      ...shorter.filter((t) => t.length === depth - 1).flatMap((t) => ['a', 'b', '', 'z'].map((l) => [...t, l])),
    ]
  })(5).filter((topic) => topic.length > 0)

  it('covers a subscription exactly when it covers each of its topics', () => {
    fc.assert(
      fc.property(filter, filter, (rule, subscription) => {
        const decided = parseAcl(topics(`["${rule.join('/')}"]`), 'f').decide(
          request({}, 'subscribe', subscription.join('/')),
        )
        const expected = allTopics.every((topic) => !matches(subscription, topic) || matches(rule, topic))
        assert.equal(decided === 'allow', expected, `${rule.join('/')} and ${subscription.join('/')}`)
      }),
      { numRuns: 500 },
    )
  })
})
