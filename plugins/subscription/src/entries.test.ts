import assert from 'node:assert/strict'
import { test } from 'node:test'
import { topicFilterError } from '@hookmq/api'
import { testClient } from '@hookmq/api/testing'
import fc from 'fast-check'
import { type Entry, subscriptionOf } from './entries.ts'

const options = { qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 1 } as const
const entry = (template: string): Entry => ({ key: 'module.subscription.1', template, options })

test('whole levels are replaced, parts of levels are not', () => {
  const client = testClient({
    clientId: 'dev',
    username: 'ann',
    peerhost: '10.0.0.9',
    peerport: 4711,
    protocolVersion: 5,
  })
  const filter = (template: string): unknown => {
    const subscription = subscriptionOf(entry(template), client)
    return typeof subscription === 'string' ? subscription : subscription.filter
  }
  assert.equal(filter('a/%c/%u/+/#'), 'a/dev/ann/+/#')
  assert.equal(filter('a%c/%u%c'), 'a%c/%u%c')
  assert.equal(filter(['$', '{clientid}/$', '{username}/$', '{host}/$', '{port}'].join('')), 'dev/ann/10.0.0.9/4711')
  assert.equal(filter('$share/%u/%c'), '$share/ann/dev')
})

test('No Local and Retain As Published are for MQTT 5 only', () => {
  const of = (protocolVersion: 3 | 4 | 5): unknown => subscriptionOf(entry('a'), testClient({ protocolVersion }))
  assert.deepEqual(of(5), { filter: 'a', options })
  assert.deepEqual(of(4), { filter: 'a', options: { ...options, noLocal: false, retainAsPublished: false } })
})

test('whatever a client calls itself, it gets a filter with as many wildcards as the template, or none', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '/', '+', '#', '$', '%', 'c', '\0'), maxLength: 8 })
  const template = fc.constantFrom('%c', '%c/x', 'x/%c', 'x/%u/+', '%u/%c/#')
  const wildcards = (text: string): number => text.replaceAll(/[^+#]/g, '').length
  fc.assert(
    fc.property(template, name, name, (text, clientId, username) => {
      const subscription = subscriptionOf(entry(text), testClient({ clientId, username }))
      if (typeof subscription === 'string') return
      assert.equal(topicFilterError(subscription.filter), undefined)
      assert.equal(wildcards(subscription.filter), wildcards(text))
      assert.equal(subscription.filter.startsWith('$'), false)
    }),
  )
})
