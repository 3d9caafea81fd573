import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { startTls, startWs } from '../support/listeners.ts'
import { requirement } from '../support/requirements.ts'
import { until } from '../support/wait.ts'

type Protocol = 4 | 5
const protocols: readonly Protocol[] = [4, 5]

/** Payloads in the order of arrival. */
function inbox(client: MqttClient): string[] {
  const received: string[] = []
  client.on('message', (_topic, payload) => received.push(payload.toString()))
  return received
}

async function connect(
  t: TestContext,
  url: string,
  protocolVersion: Protocol,
  options: IClientOptions = {},
): Promise<MqttClient> {
  const client = await mqtt.connectAsync(url, { protocolVersion, reconnectPeriod: 0, ...options })
  t.after(() => client.endAsync(true))
  return client
}

const urlOf = (broker: TestBroker) => `mqtt://127.0.0.1:${broker.port}`
const keep = (protocol: Protocol): IClientOptions => ({
  clean: false,
  ...(protocol === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}),
})

for (const protocol of protocols) {
  const name = protocol === 5 ? 'MQTT 5' : 'MQTT 3.1.1'

  test(`${name}: publish and subscribe at each QoS`, async (t) => {
    const broker = await startBroker(t)
    const client = await connect(t, urlOf(broker), protocol)
    const received = inbox(client)
    await client.subscribeAsync('a/#', { qos: 2 })
    for (const qos of [0, 1, 2] as const) await client.publishAsync('a/b', `${qos}`, { qos })
    await until(() => received.length === 3, 'three messages')
    assert.deepEqual(received, ['0', '1', '2'])
    await client.unsubscribeAsync('a/#')
    await client.publishAsync('a/b', 'late', { qos: 1 })
    assert.equal(received.length, 3)
  })

  test(`${name}: retained messages`, async (t) => {
    const broker = await startBroker(t)
    const client = await connect(t, urlOf(broker), protocol)
    await client.publishAsync('kept', 'value', { qos: 1, retain: true })
    const late = await connect(t, urlOf(broker), protocol)
    const received = inbox(late)
    await late.subscribeAsync('kept', { qos: 1 })
    await until(() => received.length === 1, 'the retained message')
    assert.deepEqual(received, ['value'])
  })

  test(`${name}: will of a client that vanishes`, async (t) => {
    const broker = await startBroker(t)
    const watcher = await connect(t, urlOf(broker), protocol)
    const received = inbox(watcher)
    await watcher.subscribeAsync('w', { qos: 1 })
    const will = { topic: 'w', payload: Buffer.from('gone'), qos: 1 as const, retain: false }
    const mortal = await connect(t, urlOf(broker), protocol, { will })
    mortal.stream.destroy()
    await until(() => received.length === 1, 'the will')
  })

  test(`${name}: a session that waits`, async (t) => {
    const broker = await startBroker(t)
    const first = await connect(t, urlOf(broker), protocol, { clientId: 'sleeper', ...keep(protocol) })
    await first.subscribeAsync('a', { qos: 2 })
    await first.endAsync()
    const publisher = await connect(t, urlOf(broker), protocol)
    for (let index = 0; index < 20; index++) await publisher.publishAsync('a', `${index}`, { qos: index < 10 ? 1 : 2 })
    const received: string[] = []
    const second = mqtt.connect(urlOf(broker), {
      protocolVersion: protocol,
      clientId: 'sleeper',
      reconnectPeriod: 0,
      ...keep(protocol),
    })
    t.after(() => second.endAsync(true))
    second.on('message', (_topic, payload) => received.push(payload.toString()))
    await until(() => received.length === 20, '20 messages')
    assert.deepEqual(
      received,
      Array.from({ length: 20 }, (_, index) => `${index}`),
    )
  })

  test(`${name}: TLS`, async (t) => {
    if (requirement('openssl', t) === undefined) return
    const broker = await startBroker(t)
    const { port, ca } = await startTls(t, broker)
    const client = await connect(t, `mqtts://localhost:${port}`, protocol, { ca: readFileSync(ca) })
    const received = inbox(client)
    await client.subscribeAsync('a', { qos: 1 })
    await client.publishAsync('a', 'x', { qos: 2 })
    await until(() => received.length === 1, 'the message')
  })

  test(`${name}: WebSocket`, async (t) => {
    const broker = await startBroker(t)
    const { port } = await startWs(t, broker)
    const client = await connect(t, `ws://127.0.0.1:${port}/mqtt`, protocol)
    const received = inbox(client)
    await client.subscribeAsync('a', { qos: 2 })
    await client.publishAsync('a', 'x'.repeat(300_000), { qos: 2 })
    await until(() => received.length === 1, 'the message')
    assert.equal(received[0].length, 300_000)
  })

  test(`${name}: a shared subscription, and another member when one is gone`, async (t) => {
    const broker = await startBroker(t)
    const members = [await connect(t, urlOf(broker), protocol), await connect(t, urlOf(broker), protocol)]
    const boxes = members.map(inbox)
    for (const member of members) await member.subscribeAsync('$share/g/a', { qos: 1 })
    const publisher = await connect(t, urlOf(broker), protocol)
    for (let index = 0; index < 20; index++) await publisher.publishAsync('a', `${index}`, { qos: 1 })
    await until(() => boxes.flat().length === 20, '20 messages')
    await members[0].endAsync()
    const before = boxes[1].length
    for (let index = 0; index < 10; index++) await publisher.publishAsync('a', 'again', { qos: 1 })
    await until(() => boxes[1].length === before + 10, 'ten messages for the one that is left')
  })

  test(`${name}: 10,000 messages at QoS 2, both ends reconnect on the way`, { timeout: 120_000 }, async (t) => {
    const broker = await startBroker(t, { maxInflight: 500, maxQueueLength: 0 }, { record: false })
    const total = 10_000
    const options = (clientId: string): IClientOptions => ({
      protocolVersion: protocol,
      clientId,
      ...keep(protocol),
      reconnectPeriod: 1,
      resubscribe: false,
    })
    const subscriber = await mqtt.connectAsync(urlOf(broker), options('subscriber'))
    const publisher = await mqtt.connectAsync(urlOf(broker), options('publisher'))
    t.after(() => Promise.all([subscriber.endAsync(true), publisher.endAsync(true)]))
    for (const client of [subscriber, publisher]) client.on('error', () => {})
    const counts = new Map<string, number>()
    subscriber.on('message', (_topic, payload) => {
      const text = payload.toString()
      counts.set(text, (counts.get(text) ?? 0) + 1)
      if (counts.size % 1_500 === 0) subscriber.stream.destroy()
    })
    await subscriber.subscribeAsync('a', { qos: 2 })
    let next = 0
    let acknowledged = 0
    const send = async (): Promise<void> => {
      while (next < total) {
        const number = next++
        if (number % 1_300 === 1_299) publisher.stream.destroy()
        await publisher.publishAsync('a', `${number}`, { qos: 2 })
        acknowledged++
      }
    }
    await Promise.all(Array.from({ length: 50 }, send))
    assert.equal(acknowledged, total)
    await until(() => counts.size === total, 'all messages', 60_000)
    const repeated = [...counts].filter(([, count]) => count !== 1)
    assert.deepEqual(repeated, [])
  })
}

test('MQTT 5: request and response', async (t) => {
  const broker = await startBroker(t)
  const server = await connect(t, urlOf(broker), 5)
  await server.subscribeAsync('question', { qos: 1 })
  server.on('message', (_topic, payload, packet) => {
    const { responseTopic, correlationData } = packet.properties ?? {}
    server.publish(responseTopic ?? '', `answer to ${payload}`, { properties: { correlationData } })
  })
  const client = await connect(t, urlOf(broker), 5)
  const answer = new Promise<string>((resolve) => {
    client.on('message', (_topic, payload, packet) => resolve(`${packet.properties?.correlationData}: ${payload}`))
  })
  await client.subscribeAsync('answers')
  const properties = { responseTopic: 'answers', correlationData: Buffer.from('7') }
  await client.publishAsync('question', 'why', { properties })
  assert.equal(await answer, '7: answer to why')
})

test('MQTT 5: topic aliases that the client assigns by itself', async (t) => {
  const broker = await startBroker(t)
  const client = await connect(t, urlOf(broker), 5, {
    autoAssignTopicAlias: true,
    autoUseTopicAlias: true,
    properties: { topicAliasMaximum: 10 },
  })
  const received: string[] = []
  client.on('message', (topic) => received.push(topic))
  await client.subscribeAsync('#')
  const sent = Array.from({ length: 60 }, (_, index) => `some/long/topic/${index % 20}`)
  for (const topic of sent) await client.publishAsync(topic, 'x')
  await until(() => received.length === sent.length, 'all messages')
  assert.deepEqual(received, sent)
})
