import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auth, propertiesOf, publish, publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { hex } from '../support/hex.ts'
import { currentVersions, testVersions } from '../support/versions.ts'

/** A method of two steps: first 'hello', then the answer to 'question'. 'answer' is right. */
function twoSteps(broker: TestBroker, method = 'TWO-STEPS'): void {
  broker.hook(
    'client.authenticate',
    ({ client }) => {
      if (client.authenticationMethod !== method) return undefined
      const data = Buffer.from(client.authenticationData ?? []).toString()
      if (client.step === 'continue') {
        assert.equal(client.state, 'asked')
        if (data === 'answer') return { stop: { result: 'allow', data: Buffer.from('welcome') } }
        return { stop: { result: 'deny', reasonCode: 0x87, reasonString: 'wrong answer' } }
      }
      if (data !== 'hello') return { stop: { result: 'deny', reasonCode: 0x8c } }
      return { stop: { result: 'continue', data: Buffer.from('question'), state: 'asked' } }
    },
    { priority: 1000 },
  )
}

const hello = { authenticationMethod: 'TWO-STEPS', authenticationData: Buffer.from('hello') }

test('AUTH to and fro, then CONNACK, all with the method [MQTT-4.12.0-2] [MQTT-4.12.0-5] [MQTT-3.15.2-1]', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const client = await broker.open()
  client.sendConnect({ clientId: 'a', properties: hello })
  await client.expect('auth', {
    reasonCode: 0x18,
    properties: { authenticationMethod: 'TWO-STEPS', authenticationData: Buffer.from('question') },
  })
  client.send(auth(0x18, 'TWO-STEPS', 'answer'))
  await client.expect('connack', {
    reasonCode: 0,
    properties: { authenticationMethod: 'TWO-STEPS', authenticationData: Buffer.from('welcome') },
  })
  await client.settle()
})

test('a wrong answer is refused [MQTT-4.12.0-4]', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const client = await broker.open()
  client.sendConnect({ properties: hello })
  await client.expect('auth')
  client.send(auth(0x18, 'TWO-STEPS', 'nonsense'))
  await client.expect('connack', { reasonCode: 0x87, properties: { reasonString: 'wrong answer' } })
  await client.expectClose()
  assert.equal(broker.recorder.count('client.connected'), 0)
})

test('a method that nobody speaks [MQTT-4.12.0-1]', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const client = await broker.open()
  client.sendConnect({ properties: { authenticationMethod: 'OTHER' } })
  const { reasonCode } = await client.expect('connack')
  assert.ok(reasonCode === 0x8c || reasonCode === 0x87)
  await client.expectClose()
})

test('no method in CONNECT: no AUTH, no method in CONNACK [MQTT-4.12.0-6]', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const client = await broker.connect()
  assert.equal(propertiesOf(client.connack).authenticationMethod, undefined)
  client.send(auth(0x19, 'TWO-STEPS', 'hello'))
  await client.expectDisconnect(0x82)
})

test('during the exchange only AUTH and DISCONNECT are in order [MQTT-3.1.2-30]', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const eager = await broker.open()
  eager.sendConnect({ properties: hello })
  await eager.expect('auth')
  publish(eager, 'a', 'x', { qos: 1 })
  await eager.expect('connack', { reasonCode: 0x82 })
  await eager.expectClose()
  assert.equal(broker.recorder.count('message.publish'), 0)
  const leaving = await broker.open()
  leaving.sendConnect({ properties: hello })
  await leaving.expect('auth')
  leaving.send(hex('e0 00'))
  await leaving.expectClose()
})

test('AUTH with another method than CONNECT', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const client = await broker.open()
  client.sendConnect({ properties: hello })
  await client.expect('auth')
  client.send(auth(0x18, 'OTHER', 'answer'))
  await client.expect('connack', { reasonCode: 0x82 })
  await client.expectClose()
})

async function authenticated(broker: TestBroker) {
  const client = await broker.open()
  client.sendConnect({ properties: hello })
  await client.expect('auth')
  client.send(auth(0x18, 'TWO-STEPS', 'answer'))
  await client.expect('connack', { reasonCode: 0 })
  return client
}

test('re-authentication goes on beside the traffic and ends with AUTH 0x00', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const client = await authenticated(broker)
  client.send(auth(0x19, 'TWO-STEPS', 'hello'))
  await client.expect('auth', { reasonCode: 0x18 })
  publish(client, 'a', 'x', { qos: 1 })
  await client.expect('puback')
  client.send(auth(0x18, 'TWO-STEPS', 'answer'))
  await client.expect('auth', { reasonCode: 0x00, properties: { authenticationMethod: 'TWO-STEPS' } })
  await client.settle()
})

test('re-authentication that fails ends the connection [MQTT-4.12.1-2]', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const client = await authenticated(broker)
  client.send(auth(0x19, 'TWO-STEPS', 'hello'))
  await client.expect('auth', { reasonCode: 0x18 })
  client.send(auth(0x18, 'TWO-STEPS', 'nonsense'))
  await client.expectDisconnect(0x87)
})

test('re-authentication with another method', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const client = await authenticated(broker)
  client.send(auth(0x19, 'OTHER', 'hello'))
  await client.expectDisconnect(0x82)
})

test('AUTH 0x18 that nobody asked for', async (t) => {
  const broker = await startBroker(t)
  twoSteps(broker)
  const client = await authenticated(broker)
  client.send(auth(0x18, 'TWO-STEPS', 'answer'))
  await client.expectDisconnect(0x82)
})

testVersions(currentVersions, 'user name and password reach the hook, and nowhere else', async (t, version) => {
  const broker = await startBroker(t)
  broker.hook(
    'client.authenticate',
    ({ client }) => {
      const right = client.username === 'ann' && Buffer.from(client.password ?? []).toString() === 'secret'
      return { stop: right ? { result: 'allow' } : { result: 'deny', reasonCode: 0x86 } }
    },
    { priority: 1000 },
  )
  const client = await broker.connect({ version, username: 'ann', password: Buffer.from('secret') })
  await client.settle()
  const wrong = await broker.open(version)
  wrong.sendConnect({ username: 'ann', password: Buffer.from('guess') })
  await wrong.expect('connack', version === 5 ? { reasonCode: 0x86 } : { returnCode: 4 })
  await wrong.expectClose()
  for (const { point, args } of broker.recorder.calls) {
    if (point === 'client.authenticate' || point === 'client.check_authn_complete') continue
    assert.ok(!JSON.stringify(args).includes('"password"'), point)
  }
})

test('server redirect from a hook', async (t) => {
  const broker = await startBroker(t)
  broker.hook('client.connect', ({ connInfo }) => {
    if (connInfo.clientId === 'moved') return { reject: 0x9d, serverReference: 'other.example:1883', reason: 'moved' }
    if (connInfo.clientId === 'busy') return { reject: 0x9c, serverReference: 'spare.example' }
    return undefined
  })
  for (const [clientId, reasonCode, serverReference] of [
    ['moved', 0x9d, 'other.example:1883'],
    ['busy', 0x9c, 'spare.example'],
  ] as const) {
    const client = await broker.open()
    client.sendConnect({ clientId })
    await client.expect('connack', { reasonCode, properties: { serverReference } })
    await client.expectClose()
    const older = await broker.open(4)
    older.sendConnect({ clientId })
    await older.expect('connack', { returnCode: 3 })
    await older.expectClose()
  }
})

testVersions(
  [5],
  'who becomes another user by authenticating again loses the rights of the first, also for topic aliases',
  async (t) => {
    const broker = await startBroker(t)
    broker.hook(
      'client.authenticate',
      ({ client }) => ({
        stop: { result: 'allow', username: Buffer.from(client.authenticationData ?? []).toString() },
      }),
      { priority: 1000 },
    )
    broker.hook('client.authorize', ({ client }) => ({
      stop: { result: client.username === 'first' ? 'allow' : 'deny', from: 'test' },
    }))
    const client = await broker.connect({
      properties: { authenticationMethod: 'NAME', authenticationData: Buffer.from('first') },
    })
    await publishThrough(client, 'a', 'x', { qos: 1, properties: { topicAlias: 1 } })
    client.send(auth(0x19, 'NAME', 'second'))
    await client.expect('auth', { reasonCode: 0 })
    const messageId = publish(client, '', 'x', { qos: 1, properties: { topicAlias: 1 } })
    await client.expect('puback', { messageId, reasonCode: 0x87 })
  },
)

testVersions(currentVersions, 'permissions that a hook gave are asked again when hooks change', async (t, version) => {
  const broker = await startBroker(t, {}, { record: false })
  const client = await broker.connect({ version })
  const subscriber = await broker.connect({ version })
  await subscribe(subscriber, 'a')
  for (const payload of ['1', '2', '3']) publish(client, 'a', payload)
  await client.settle()
  assert.equal((await subscriber.settle()).length, 3)
  const hook = broker.hook('client.authorize', ({ action }) =>
    action === 'publish' ? { stop: { result: 'deny', from: 'test' } } : undefined,
  )
  publish(client, 'a', '4')
  await client.settle()
  await subscriber.expectNothing()
  hook.remove()
  publish(client, 'a', '5')
  await subscriber.expect('publish', { payload: '5' })
})
