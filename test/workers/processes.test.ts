import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { connect as connectMqtt } from 'mqtt'
import { payloads, publishThrough, subscribe } from '../support/actions.ts'
import { RawClient } from '../support/raw-client.ts'
import { Program } from './program.ts'
import { idAt, startTwo } from './support.ts'

const kept = { clean: false, properties: { sessionExpiryInterval: 300 } }

test('two processes behave as one broker', async (t) => {
  const broker = await startTwo(t)
  const both = [1, 2] as const

  await t.test('messages get from each worker to each, at every QoS and in order', async () => {
    for (const from of both) {
      for (const to of both) {
        const subscriber = await broker.connect(to)
        await subscribe(subscriber, `way/${from}/${to}/+`, { qos: 2 })
        const publisher = await broker.connect(from)
        for (const qos of [0, 1, 2] as const) {
          await publishThrough(publisher, `way/${from}/${to}/x`, `${qos}`, { qos })
          const got = await subscriber.expect('publish', { payload: `${qos}`, qos })
          if (qos === 1) subscriber.send({ cmd: 'puback', messageId: got.messageId as number })
        }
        subscriber.destroy()
        publisher.destroy()
      }
    }
  })

  await t.test(
    'the same client id again takes the session over, whichever worker accepted the connection',
    async () => {
      for (const worker of both) {
        const clientId = idAt(worker)
        let before: RawClient | undefined
        for (let round = 0; round < 6; round++) {
          const client = await RawClient.connect(broker.port, { clientId, ...kept })
          assert.equal(client.connack?.sessionPresent, round > 0)
          await before?.expectDisconnect(0x8e)
          before = client
        }
      }
    },
  )

  await t.test('a session that waits gets its messages from the other worker', async () => {
    const clientId = idAt(2)
    const first = await RawClient.connect(broker.port, { clientId, ...kept })
    await subscribe(first, 'waits', { qos: 1 })
    await first.disconnect()
    const publisher = await broker.connect(1)
    await publishThrough(publisher, 'waits', 'kept', { qos: 1 })
    const again = await RawClient.connect(broker.port, { clientId, ...kept })
    await again.expect('publish', { payload: 'kept' })
  })

  await t.test('retained messages are everywhere, once, and follow SUBACK', async () => {
    for (const from of both) {
      const publisher = await broker.connect(from)
      await publishThrough(publisher, `kept/${from}`, 'old', { qos: 1, retain: true })
      await publishThrough(publisher, `kept/${from}`, 'new', { qos: 1, retain: true })
    }
    for (const at of both) {
      const subscriber = await broker.connect(at)
      await subscribe(subscriber, 'kept/+')
      assert.deepEqual(payloads(await subscriber.settle()), ['new', 'new'])
    }
    const cleaner = await broker.connect(2)
    await publishThrough(cleaner, 'kept/1', '', { qos: 1, retain: true })
    const subscriber = await broker.connect(1)
    await subscribe(subscriber, 'kept/1')
    assert.deepEqual(payloads(await subscriber.settle()), [])
    assert.match(await broker.ctl('broker', 'stats'), /retained\.count +: 4$/m)
  })

  await t.test('a will reaches the other worker', async () => {
    const watcher = await broker.connect(1)
    await subscribe(watcher, 'last/words')
    const will = { topic: 'last/words', payload: Buffer.from('bye'), qos: 0, retain: false } as const
    const leaver = await broker.connect(2, { will })
    leaver.destroy()
    await watcher.expect('publish', { payload: 'bye' })
  })

  await t.test('of a shared group with members at both, one gets each message', async () => {
    const members = [await broker.connect(1), await broker.connect(2), await broker.connect(2)]
    for (const member of members) await subscribe(member, '$share/team/jobs')
    const publishers = [await broker.connect(1), await broker.connect(2)]
    for (let index = 0; index < 30; index++) {
      await publishThrough(publishers[index % 2], 'jobs', `${index}`, { qos: 1 })
    }
    const got: string[][] = []
    for (const member of members) got.push(payloads(await member.settle()))
    assert.deepEqual(
      got
        .flat()
        .map(Number)
        .sort((one, other) => one - other),
      Array.from({ length: 30 }, (_, index) => index),
    )
    for (const member of members) member.destroy()
  })

  await t.test('a WebSocket client whose session is at the other worker is served all the same', async () => {
    const [, port] = await broker.command.shows(/^listening ws:external on 127\.0\.0\.1:(\d+)$/m)
    for (const worker of both) {
      const client = connectMqtt(`ws://127.0.0.1:${port}/mqtt`, { clientId: idAt(worker, 'ws'), reconnectPeriod: 0 })
      await new Promise<void>((resolve) => client.once('connect', () => resolve()))
      await client.subscribeAsync('over/ws', { qos: 1 })
      const publisher = await broker.connect(worker === 1 ? 2 : 1)
      const received = new Promise<Buffer>((resolve) => client.once('message', (_topic, payload) => resolve(payload)))
      const large = 'x'.repeat(200_000)
      await publishThrough(publisher, 'over/ws', large, { qos: 1 })
      assert.equal(String(await received), large)
      await client.endAsync()
    }
  })

  await t.test('ctl sees and changes both', async () => {
    const ids = [idAt(1, 'seen'), idAt(2, 'seen')]
    const clients: RawClient[] = []
    for (const clientId of ids) {
      const client = await RawClient.connect(broker.port, { clientId })
      await subscribe(client, `of/${clientId}`)
      clients.push(client)
    }
    const list = await broker.ctl('clients', 'list')
    const subscriptions = await broker.ctl('subscriptions', 'list')
    for (const id of ids) {
      assert.ok(list.includes(`Client(${id},`), list)
      assert.ok(subscriptions.includes(`of/${id}`), subscriptions)
      assert.match(await broker.ctl('clients', 'show', id), new RegExp(id))
      assert.match(await broker.ctl('clients', 'kick', id), /ok/)
    }
    for (const client of clients) await client.expectDisconnect(0x98)
    const after = await broker.ctl('clients', 'list')
    for (const id of ids) assert.ok(!after.includes(`Client(${id},`), after)
  })

  await t.test('a plugin is loaded and unloaded in both; what only one may do one does', async () => {
    assert.equal(await broker.ctl('plugins', 'load', 'delayed'), 'Plugin delayed loaded successfully.')
    const subscriber = await broker.connect(1)
    await subscribe(subscriber, 'later/+')
    for (const worker of both) {
      const publisher = await broker.connect(worker)
      await publishThrough(publisher, `$delayed/1/later/${worker}`, 'now', { qos: 1 })
    }
    const got = [await subscriber.next(), await subscriber.next()]
    assert.deepEqual(got.map(({ topic }) => topic).sort(), ['later/1', 'later/2'])
    await subscriber.expectNothing()
    assert.equal(await broker.ctl('plugins', 'unload', 'delayed'), 'Plugin delayed unloaded successfully.')
    const publisher = await broker.connect(2)
    await subscribe(subscriber, '$delayed/#')
    await publishThrough(publisher, '$delayed/1/later/2', 'as it is', { qos: 1 })
    await subscriber.expect('publish', { topic: '$delayed/1/later/2' })
  })

  await t.test('SIGTERM tells the clients of both, and ends with 0', async () => {
    const clients = [await broker.connect(1), await broker.connect(2)]
    broker.command.signal('SIGTERM')
    for (const client of clients) await client.expectDisconnect(0x8b)
    assert.equal(await broker.command.ended, 0)
  })
})

test('$SYS is published once, with the numbers of both', async (t) => {
  const broker = await startTwo(t, ['--set', 'broker.sys_interval=1s', '--set', 'broker.sys_heartbeat=1s'])
  const clients = [await broker.connect(1), await broker.connect(2), await broker.connect(2)]
  const watcher = await broker.connect(2)
  await subscribe(watcher, '$SYS/brokers/+/stats/#')
  const counts: Record<string, string[]> = {}
  while (
    counts['connections.count']?.at(-1) !== '4' ||
    (counts['retained.max'] ?? []).length < counts['connections.count'].length
  ) {
    const { topic, payload } = await watcher.expect('publish')
    const name = String(topic).split('/').at(-1) ?? ''
    counts[name] ??= []
    counts[name].push(String(payload))
  }
  assert.equal(counts['sessions.count'].at(-1), '4')
  assert.equal(clients.length, 3)
  assert.equal(counts['sessions.count'].length, counts['connections.count'].length, 'one of each in a round')
})

test('a worker that is killed is started again; the other one goes on', async (t) => {
  const broker = await startTwo(t)
  const survivor = await broker.connect(1)
  await subscribe(survivor, 'alive/#', { qos: 1 })
  const publisher = await broker.connect(1)
  await publishThrough(publisher, 'kept/here', 'still', { qos: 1, retain: true })
  const clientId = idAt(2)
  const victim = await RawClient.connect(broker.port, { clientId })
  await subscribe(victim, 'alive/#')
  const pid = broker.pid(2)
  process.kill(pid, 'SIGKILL')
  await victim.expectClose()
  for (let index = 0; index < 20; index++) await publishThrough(publisher, `alive/${index}`, `${index}`)
  const got: string[] = []
  while (got.length < 20) got.push(String((await survivor.expect('publish')).payload))
  assert.deepEqual(
    got,
    Array.from({ length: 20 }, (_, index) => String(index)),
  )
  await broker.command.shows(/"worker":"worker2","msg":"a worker is back"/)
  const again = await RawClient.connect(broker.port, { clientId })
  await subscribe(again, ['alive/#', 'kept/#'])
  assert.deepEqual(payloads(await again.settle()), ['still'], 'what is retained comes from the other worker')
  await publishThrough(publisher, 'alive/again', 'both', { qos: 1 })
  await again.expect('publish', { payload: 'both' })
  await survivor.expect('publish', { payload: 'both' })
  assert.notEqual(broker.pid(2), pid)
})

test('a stored session outlives its worker, with what came while that was away', async (t) => {
  const broker = await startTwo(t)
  const clientId = idAt(2)
  const sleeper = await RawClient.connect(broker.port, { clientId, ...kept })
  await subscribe(sleeper, 'stored/#', { qos: 1 })
  await sleeper.disconnect()
  const publisher = await broker.connect(1)
  await publishThrough(publisher, 'stored/before', 'before', { qos: 1 })
  process.kill(broker.pid(2), 'SIGKILL')
  await broker.command.shows(/a worker has ended/)
  // Acknowledged when the worker is back and has stored it.
  await publishThrough(publisher, 'stored/while', 'while', { qos: 1 })
  await broker.command.shows(/"worker":"worker2","msg":"a worker is back"/)
  const again = await RawClient.connect(broker.port, { clientId, ...kept })
  assert.equal(again.connack?.sessionPresent, true)
  await again.expect('publish', { payload: 'before' })
  await again.expect('publish', { payload: 'while' })
  await publishThrough(publisher, 'stored/after', 'after', { qos: 1 })
  await again.expect('publish', { payload: 'after' })
})

test('the leader may be killed as well', async (t) => {
  const broker = await startTwo(t)
  const survivor = await broker.connect(2)
  process.kill(broker.pid(1), 'SIGKILL')
  await broker.command.shows(/"worker":"worker1","msg":"a worker is back"/)
  const back = await broker.connect(1)
  await subscribe(survivor, 'a')
  await publishThrough(back, 'a', 'x', { qos: 1 })
  await survivor.expect('publish', { payload: 'x' })
  assert.match(await broker.ctl('clients', 'list'), new RegExp(survivor.clientId))
})

test('a port that is in use is named once, and nothing is left running', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const program = new Program(t, [
    'start',
    '--workers',
    '2',
    '--set',
    `listener.tcp.external=127.0.0.1:${address.port}`,
  ])
  assert.equal(await program.ended, 1)
  assert.equal(program.output.match(/is in use/g)?.length, 1, program.output)
})
