import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Properties } from '@hookmq/mqtt'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker } from '../support/broker.ts'

// What cannot be written to the wire must not get into a queue: whoever took it out again would fail at it for ever.
const unwritable: readonly [string, Properties][] = [
  ['a string that is too long', { contentType: 'x'.repeat(65_536) }],
  ['a NUL character', { contentType: 'a\0b' }],
  ['half a surrogate pair', { userProperties: [['a', '\ud800']] }],
  ['bytes that are too long', { correlationData: new Uint8Array(65_536) }],
  ['a wildcard in the response topic', { responseTopic: 'a/#' }],
  ['a property of another packet', { serverKeepAlive: 1 }],
  ['a topic alias', { topicAlias: 1 }],
]

for (const [title, properties] of unwritable) {
  test(`a hook that puts ${title} into a message fails; the message goes on without it`, async (t) => {
    const broker = await startBroker(t)
    const sleeper = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
    const first = await broker.connect(sleeper)
    await subscribe(first, 'a', { qos: 1 })
    await first.disconnect()
    broker.hook('message.publish', (_, message) => ({ ok: { ...message, properties } }))
    const publisher = await broker.connect()
    await publishThrough(publisher, 'a', 'one', { qos: 1 })
    const second = await broker.connect(sleeper)
    await second.expect('publish', { payload: 'one' })
    assert.equal(broker.broker.link.metrics()['hooks.invalid'], 1)
  })

  test(`a plugin that publishes ${title} is told, and no subscriber is harmed`, async (t) => {
    const { broker, connect } = await startBroker(t)
    const sleeper = { clientId: 's', clean: false, properties: { sessionExpiryInterval: 100 } }
    const first = await connect(sleeper)
    await subscribe(first, 'a', { qos: 1 })
    await first.disconnect()
    await assert.rejects(broker.link.publish({ topic: 'a', payload: 'x', qos: 1, properties }), TypeError)
    await broker.link.publish({ topic: 'a', payload: 'y', qos: 1 })
    const second = await connect(sleeper)
    assert.deepEqual(payloads(await second.settle()), ['y'])
  })
}

test('an answer to CONNECT that cannot be written keeps nobody out', async (t) => {
  const broker = await startBroker(t)
  const settings = { clientId: 'c', clean: false, properties: { sessionExpiryInterval: 100 } }
  const first = await broker.connect(settings)
  broker.hook('client.connack', (_, properties) => ({ ok: { ...properties, reasonString: 'x'.repeat(65_536) } }))
  const second = await broker.connect(settings)
  await first.expectDisconnect(0x8e)
  publish(second, 'a', 'x')
  await second.settle()
})
