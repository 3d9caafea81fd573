import assert from 'node:assert/strict'
import { test } from 'node:test'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'
import { currentVersions, testVersions } from '../support/versions.ts'

const matching: [filter: string, topic: string, matches: boolean][] = [
  ['sport/#', 'sport', true],
  ['sport/#', 'sport/', true],
  ['sport/#', 'sport/tennis/player', true],
  ['sport/#', 'sports', false],
  ['#', 'a', true],
  ['#', '/a/b', true],
  ['+', 'a', true],
  ['+', '/a', false],
  ['+/+', '/a', true],
  ['/+', '/a', true],
  ['+/a/#', 'x/a', true],
  ['+/a/#', 'x/a/b/c', true],
  ['a/+/c', 'a//c', true],
  ['a/+/c', 'a/b/b/c', false],
  ['a/+', 'a', false],
  ['a/+', 'a/', true],
  ['a//b', 'a/b', false],
  ['a/b', 'A/b', false],
  ['a b/c', 'a b/c', true],
  ['/', '/', true],
  ['é', 'e\u0301', false],
  ['\ufeffa', '\ufeffa', true],
  ['\ufeffa', 'a', false],
  ['𝄞/+', '𝄞/☃', true],
]

testVersions(
  currentVersions,
  'filters and topics, compared as they are [MQTT-4.7.3-4] [MQTT-1.5.4-3] [MQTT-4.7.3-4 v3.1.1] [MQTT-1.5.3-3 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    for (const [filter, topic, matches] of matching) {
      const client = await broker.connect({ version })
      await subscribe(client, filter)
      publish(client, topic, 'x')
      const received = await client.settle()
      assert.equal(received.length, matches ? 1 : 0, `${filter} and ${topic}`)
      if (matches) assert.equal(received[0].topic, topic)
      client.destroy()
    }
  },
)

testVersions(
  currentVersions,
  'a leading wildcard does not match topics that begin with $ [MQTT-4.7.2-1] [MQTT-4.7.2-1 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    await subscribe(client, ['#', '+/monitor/+', '+/#'])
    const exact = await broker.connect({ version })
    await subscribe(exact, ['$SYS/#', '$own/+/x'])
    await broker.broker.link.publish({ topic: '$SYS/monitor/x', payload: 'system' })
    await broker.broker.link.publish({ topic: '$own/monitor/x', payload: 'own' })
    await client.expectNothing()
    assert.deepEqual(payloads(await exact.settle()), ['system', 'own'])
  },
)

testVersions(
  currentVersions,
  'the longest topic, and limits on length and levels [MQTT-4.7.3-3] [MQTT-4.7.3-3 v3.1.1]',
  async (t, version) => {
    const broker = await startBroker(t)
    const client = await broker.connect({ version })
    await subscribe(client, '#')
    const longest = 'x'.repeat(65_535)
    await publishThrough(client, longest, 'kept').then((received) => assert.equal(received[0].topic, longest))
    const limited = await startBroker(t, { maxTopicLength: 10, maxTopicLevels: 3 })
    for (const topic of ['x'.repeat(11), 'a/b/c/d']) {
      const sender = await limited.connect({ version })
      publish(sender, topic, 'x')
      await sender.expectDisconnect(0x90)
      const subscriber = await limited.connect({ version })
      subscriber.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic, qos: 0 }] })
      await subscriber.expectDisconnect(0x8f)
    }
    const fits = await limited.connect({ version })
    await publishThrough(fits, 'abcd/f/hij', 'x', { qos: 1 })
  },
)

test('a topic may hold anything else that UTF-8 can say', async (t) => {
  const broker = await startBroker(t)
  const client = await broker.connect()
  await subscribe(client, '#')
  for (const topic of ['\u0001', '\u007f', '\uffff', ' ', 'a\nb', '💚', 'ﷺ/\u200b']) {
    publish(client, topic, 'x')
    await client.expect('publish', { topic })
  }
})
