import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type CreateBrokerOptions, createBroker, type HookmqBroker, ReasonCode } from 'hookmq'
import mqtt from 'mqtt'
import { ScramClient } from './scram-client.ts'

const example = (name: string): string => fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))

async function start(
  scope: TestContext,
  plugin: string,
  options: CreateBrokerOptions & { config?: Record<string, string> } = {},
): Promise<HookmqBroker> {
  const { config, ...rest } = options
  const plugins = [{ plugin: example(plugin), config }]
  const broker = await createBroker({ listeners: [{ type: 'tcp' }], plugins, ...rest })
  await broker.start()
  scope.after(() => broker.stop(500))
  return broker
}

async function connect(
  scope: TestContext,
  broker: HookmqBroker,
  options: mqtt.IClientOptions = {},
): Promise<mqtt.MqttClient> {
  const url = `mqtt://${broker.listeners[0].address}`
  const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 0, ...options })
  scope.after(() => void client.end(true))
  return client
}

test('authenticate-by-map: the table and nobody else, each below its own name', async (scope) => {
  const broker = await start(scope, 'authenticate-by-map')
  for (const options of [
    {},
    { username: 'ann' },
    { username: 'ann', password: 'banana' },
    { username: 'eve', password: 'x' },
  ])
    await assert.rejects(connect(scope, broker, options), { code: ReasonCode.BadUserNameOrPassword })
  const ann = await connect(scope, broker, { username: 'ann', password: 'apple' })
  await ann.publishAsync('ann/state', 'on', { qos: 1 })
  await assert.rejects(ann.publishAsync('bob/state', 'on', { qos: 1 }), { code: ReasonCode.NotAuthorized })
  await assert.rejects(ann.subscribeAsync('bob/#'), /Not authorized/)
  const bob = await connect(scope, broker, { username: 'bob', password: 'banana', protocolVersion: 4 })
  assert.equal((await bob.subscribeAsync('bob/#', { qos: 1 }))[0].qos, 1)
})

test('rewrite-payloads: Fahrenheit becomes JSON in Celsius, what is no number is refused', async (scope) => {
  const broker = await start(scope, 'rewrite-payloads')
  const client = await connect(scope, broker)
  const got: unknown[] = []
  client.on('message', (topic, payload, packet) =>
    got.push([topic, payload.toString(), packet.properties?.contentType]),
  )
  await client.subscribeAsync('#', { qos: 1 })
  await client.publishAsync('thermometers/attic', ' 70.7\n', { qos: 1 })
  await client.publishAsync('other', '70.7', { qos: 1 })
  await assert.rejects(client.publishAsync('thermometers/attic', 'warm', { qos: 1 }), {
    code: ReasonCode.PayloadFormatInvalid,
  })
  await client.publishAsync('last', '', { qos: 1 })
  assert.deepEqual(got, [
    ['thermometers/attic', '{"celsius":21.5}', 'application/json'],
    ['other', '70.7', undefined],
    ['last', '', undefined],
  ])
  assert.equal(broker.metrics()['plugins.rewrite-payloads.rewritten'], 1)
})

test('count-to-sys: counts by first level below $SYS', async (scope) => {
  const broker = await start(scope, 'count-to-sys', { config: { interval: '20' }, node: 'test@127.0.0.1' })
  const client = await connect(scope, broker)
  const counted = Promise.withResolvers<void>()
  const counts = new Map<string, string>()
  client.on('message', (topic, payload) => {
    counts.set(topic, payload.toString())
    if (counts.get('$SYS/brokers/test@127.0.0.1/counts/a') === '2' && counts.size === 2) counted.resolve()
  })
  await client.subscribeAsync('$SYS/brokers/+/counts/#')
  for (const topic of ['a/1', 'b/1', 'a/2']) await client.publishAsync(topic, 'm', { qos: 1 })
  await counted.promise
  assert.equal(counts.get('$SYS/brokers/test@127.0.0.1/counts/b'), '1')
})

test("the test's own SCRAM client computes what RFC 7677 says", () => {
  const client = new ScramClient('user', 'pencil', 'rOprNGfwEbeRWgbNEkqO')
  assert.equal(client.start().toString(), 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const answer = client.answer(Buffer.from(`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`))
  assert.equal(answer?.toString(), `c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`)
  client.answer(Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))
  assert.equal(client.verified, true)
})

test('scram-authentication: password on both sides, never on the wire', async (scope) => {
  const broker = await start(scope, 'scram-authentication', { allowAnonymous: false })
  const scram = new ScramClient('ann', 'apple', 'client-nonce')
  const client = broker.link({ clientId: 'scram', authentication: scram })
  const { properties } = await client.connect()
  assert.equal(properties.authenticationMethod, 'SCRAM-SHA-256')
  assert.equal(scram.verified, true)
  assert.equal(broker.client('scram')?.username, 'ann')
  await client.publish('a', 'm', { qos: 1 })

  // Again, on the open connection.
  scram.verified = false
  await client.reauthenticate()
  assert.equal(scram.verified, true)

  for (const wrong of [new ScramClient('ann', 'banana', 'n'), new ScramClient('eve', 'apple', 'n')])
    await assert.rejects(broker.link({ authentication: wrong }).connect(), { reasonCode: ReasonCode.NotAuthorized })
  const other = { method: 'PLAIN', start: () => Buffer.from('ann apple'), answer: () => undefined }
  await assert.rejects(broker.link({ authentication: other }).connect(), {
    reasonCode: ReasonCode.BadAuthenticationMethod,
  })
  await assert.rejects(broker.link().connect(), { reasonCode: ReasonCode.NotAuthorized })
  for (const data of ['', 'n,,n=ann', 'p=tls-unique,,n=ann,r=x', 'n,,m=ext,n=ann,r=x']) {
    const broken = { method: 'SCRAM-SHA-256', start: () => Buffer.from(data), answer: () => undefined }
    await assert.rejects(broker.link({ authentication: broken }).connect(), { reasonCode: ReasonCode.NotAuthorized })
  }
})

test('scram-authentication over a socket, with a client of somebody else', async (scope) => {
  const broker = await start(scope, 'scram-authentication', { allowAnonymous: false })
  const scram = new ScramClient('ann', 'apple', 'other-nonce')
  const url = `mqtt://${broker.listeners[0].address}`
  const properties = { authenticationMethod: scram.method, authenticationData: scram.start() }
  const client = mqtt.connect(url, { protocolVersion: 5, reconnectPeriod: 0, properties })
  scope.after(() => void client.end(true))
  client.handleAuth = (packet, done) => {
    const authenticationData = scram.answer(packet.properties?.authenticationData)
    done(undefined, {
      cmd: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: scram.method, authenticationData },
    })
  }
  const connack = await new Promise<mqtt.IConnackPacket>((resolve, reject) => {
    client.once('connect', resolve)
    client.once('error', reject)
  })
  scram.answer(connack.properties?.authenticationData)
  assert.equal(scram.verified, true)
})

test('every example is short and says how it is started', () => {
  for (const name of ['authenticate-by-map', 'rewrite-payloads', 'count-to-sys', 'scram-authentication']) {
    const text = readFileSync(example(name), 'utf8')
    assert(text.split('\n').length <= 70, name)
    assert.match(text, new RegExp(`bin/hookmq start --plugin examples/${name}\\.ts`))
  }
})
