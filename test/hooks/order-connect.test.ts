import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker, throughStore } from '../support/broker.ts'
import type { ConnectSettings, Version } from '../support/raw-client.ts'
import { currentVersions, testVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'

const will = { topic: 'w', payload: Buffer.from('gone'), qos: 0 as const, retain: false }

function durable(version: Version, clientId = 'c'): ConnectSettings {
  const keep = version === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}
  return { version, clientId, clean: false, ...keep }
}

/** Hooks and outgoing packets of everybody, in order, from here on. */
async function during(broker: TestBroker, action: () => Promise<unknown>, last: string): Promise<string[]> {
  broker.recorder.clear()
  await action()
  await until(() => broker.recorder.lines().some((line) => line.startsWith(last)), last)
  return broker.recorder.lines()
}

testVersions(currentVersions, 'CONNECT, no earlier session', async (t, version) => {
  const broker = await startBroker(t)
  const lines = await during(broker, () => broker.connect({ version, clientId: 'c' }), '<CONNACK')
  assert.deepEqual(lines, [
    '>CONNECT',
    'client.connect',
    'client.authenticate',
    'session.created',
    'client.connected',
    'client.connack success',
    '<CONNACK',
  ])
})

test('CONNECT with the internal points', async (t) => {
  const broker = await startBroker(t)
  await broker.connect({ clientId: 'c' })
  assert.deepEqual(broker.recorder.lines({ internal: true, wire: false }), [
    'client.connect',
    'client.authenticate',
    'client.check_authn_complete 0x0',
    'client.post_authn',
    'session.created',
    'client.connected',
    'client.connack success',
  ])
})

test('a QoS 0 message published to the client in client.connected comes behind CONNACK', async (t) => {
  const broker = await startBroker(t)
  broker.hook('session.created', ({ client }) => {
    broker.home(client.clientId).sessions.get(client.clientId)?.subscribe('hello', {
      qos: 0,
      noLocal: false,
      retainAsPublished: false,
      retainHandling: 0,
    })
  })
  broker.hook('client.connected', ({ client }) => {
    void broker.home(client.clientId).link.publish({ topic: 'hello', payload: 'welcome' })
  })
  const client = await broker.connect()
  await client.expect('publish', { topic: 'hello', payload: 'welcome' })
})

testVersions(currentVersions, 'clean start against a live connection', async (t, version) => {
  const broker = await startBroker(t)
  const old = await broker.connect({ ...durable(version), will })
  const lines = await during(broker, () => broker.connect({ ...durable(version), clean: true }), '<CONNACK')
  await old.expectDisconnect(0x8e)
  const bytes = version === 5 ? ['<DISCONNECT'] : []
  assert.deepEqual(lines, [
    '>CONNECT',
    'client.connect',
    'client.authenticate',
    'client.authorize publish w',
    'message.publish w',
    'message.dropped w no_subscribers',
    'client.disconnected discarded',
    ...bytes,
    'session.discarded',
    'session.created',
    'client.connected',
    'client.connack success',
    '<CONNACK',
  ])
})

testVersions(currentVersions, 'clean start against a session that waits', async (t, version) => {
  const broker = await startBroker(t)
  const old = await broker.connect(durable(version))
  await old.disconnect()
  const lines = await during(broker, () => broker.connect({ ...durable(version), clean: true }), '<CONNACK')
  assert.deepEqual(
    lines.filter((line) => line !== 'session.discarded'),
    [
      '>CONNECT',
      'client.connect',
      'client.authenticate',
      'session.created',
      'client.connected',
      'client.connack success',
      '<CONNACK',
    ],
  )
  assert.equal(lines.filter((line) => line === 'session.discarded').length, 1)
})

testVersions(currentVersions, 'resume, the old connection is live', async (t, version) => {
  const broker = await startBroker(t)
  const old = await broker.connect({ ...durable(version), will })
  await subscribe(old, 'a', { qos: 1 })
  const publisher = await broker.connect({ version, clientId: 'p' })
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  await old.expect('publish')
  const lines = await during(broker, () => broker.connect(durable(version)), '<PUBLISH')
  await old.expectDisconnect(0x8e)
  assert.deepEqual(lines, [
    '>CONNECT',
    'client.connect',
    'client.authenticate',
    'session.resumed',
    'client.connected',
    'client.connack success',
    ...(version === 5
      ? [
          'client.authorize publish w',
          'message.publish w',
          'message.dropped w no_subscribers',
          'client.disconnected takenover',
          '<DISCONNECT',
          'session.takenover',
          'message.delivered a',
          '<CONNACK',
          '<PUBLISH',
        ]
      : [
          'client.authorize publish w',
          'message.publish w',
          'message.dropped w no_subscribers',
          'client.disconnected takenover',
          'session.takenover',
          'message.delivered a',
          '<CONNACK',
          '<PUBLISH',
        ]),
  ])
})

test('a takeover cancels a will that would have waited', async (t) => {
  const broker = await startBroker(t)
  await broker.connect({ ...durable(5), will: { ...will, properties: { willDelayInterval: 5 } } })
  const lines = await during(broker, () => broker.connect(durable(5)), 'session.takenover')
  assert.ok(!lines.some((line) => line.startsWith('message.publish')))
})

testVersions(currentVersions, 'resume, the old connection is gone', async (t, version) => {
  const broker = await startBroker(t)
  const old = await broker.connect(durable(version))
  await subscribe(old, 'a', { qos: 1 })
  await old.disconnect()
  const publisher = await broker.connect({ version })
  await publishThrough(publisher, 'a', 'x', { qos: 1 })
  const lines = await during(broker, () => broker.connect(durable(version)), '<PUBLISH')
  assert.deepEqual(
    lines.filter((line) => line !== 'session.takenover'),
    [
      '>CONNECT',
      'client.connect',
      'client.authenticate',
      'session.resumed',
      'client.connected',
      'client.connack success',
      // With a store the message leaves once its packet identifier is stored, the CONNACK without waiting for that.
      ...(throughStore ? ['<CONNACK', 'message.delivered a'] : ['message.delivered a', '<CONNACK']),
      '<PUBLISH',
    ],
  )
  assert.equal(lines.filter((line) => line === 'session.takenover').length, 1)
  assert.ok(!lines.some((line) => line.startsWith('client.disconnected')))
})

testVersions(currentVersions, 'refused by authentication', async (t, version) => {
  const broker = await startBroker(t, { allowAnonymous: false })
  const client = await broker.open(version)
  client.sendConnect({ will })
  await client.expect('connack')
  await client.expectClose()
  assert.deepEqual(broker.recorder.lines({ internal: true }), [
    '>CONNECT',
    'client.connect',
    'client.authenticate',
    'client.check_authn_complete 0x87',
    'client.connack not_authorized',
    '<CONNACK',
  ])
})

testVersions(currentVersions, 'refused by client.connect', async (t, version) => {
  const broker = await startBroker(t)
  broker.hook('client.connect', () => ({ reject: 0x8a }))
  const client = await broker.open(version)
  client.sendConnect()
  await client.expect('connack', version === 5 ? { reasonCode: 0x8a } : { returnCode: 5 })
  await client.expectClose()
  assert.deepEqual(broker.recorder.lines(), ['>CONNECT', 'client.connect', 'client.connack banned', '<CONNACK'])
})

testVersions(currentVersions, 'refused by a check', async (t, version) => {
  const broker = await startBroker(t, { maxClientIdLength: 3 })
  const client = await broker.open(version)
  client.sendConnect({ clientId: 'long' })
  await client.expect('connack')
  await client.expectClose()
  assert.deepEqual(broker.recorder.lines(), [
    '>CONNECT',
    'client.connect',
    'client.connack client_identifier_not_valid',
    '<CONNACK',
  ])
})
