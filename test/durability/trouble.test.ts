import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acknowledge, payloads, publish, publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { currentVersions } from '../support/versions.ts'
import { until } from '../support/wait.ts'
import { workerCount } from '../support/workers.ts'
import { Crashing, kept } from './crash.ts'

const skip = workerCount > 1 ? 'the store of one process' : false

test('while the store fails, QoS 1 and 2 to durable sessions are refused and all else goes on', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const { broker, store } = crashing
  const durable = await broker.connect({ clientId: 'd', ...kept })
  await subscribe(durable, 'd', { qos: 2 })
  const plain = await broker.connect()
  await subscribe(plain, ['d', 'p'], { qos: 1 })
  const publisher = await broker.connect()
  const older = await broker.connect({ clientId: 'older', version: 4, clean: false })
  store.pause()
  publish(publisher, 'd', 'before', { qos: 1, messageId: 99 })
  await publisher.expectNothing()
  store.fail('the disk is full')
  assert.equal((await publishThrough(publisher, 'd', 'refused', { qos: 1 }))[0]?.reasonCode, 0x97)
  assert.equal((await publishThrough(publisher, 'd', 'refused', { qos: 2 }))[0]?.reasonCode, 0x97)
  assert.equal((await publishThrough(publisher, 'r', 'refused', { qos: 1, retain: true }))[0]?.reasonCode, 0x97)
  const old = await broker.connect({ version: 4 })
  publish(old, 'd', 'refused', { qos: 1 })
  await old.expectClose()
  await publishThrough(publisher, 'd', 'qos 0')
  // Acknowledgements that were held up are not overtaken: another one has none.
  await publishThrough(await broker.connect(), 'p', 'to nobody durable', { qos: 1 })
  assert.deepEqual(payloads(await plain.settle()), ['before', 'qos 0', 'to nobody durable'])
  assert.deepEqual(payloads(await durable.settle()), ['qos 0'])
  assert.deepEqual(await subscribe(durable, 'more', { qos: 1 }), [0x97])
  // What they have stays theirs: after a crash it would be there again.
  assert.deepEqual((await unsubscribe(durable, 'd', 'none')).granted, [0x83, 0x11])
  older.send({ cmd: 'unsubscribe', messageId: 3, unsubscriptions: ['none'] })
  await older.expectClose()
  const stranger = await broker.open()
  stranger.sendConnect({ clientId: 'new', ...kept })
  await stranger.expect('connack', { reasonCode: 0x88 })
  await broker.connect({ clientId: 'clean' })
  // A client that is known is let in.
  const again = await broker.connect({ clientId: 'd', ...kept })
  assert.equal(again.connack?.sessionPresent, true)
  assert.equal(broker.broker.link.stats()['store.down.count'], 1)
  assert.equal(broker.broker.link.metrics()['store.refused'], 4)
  store.fail(undefined)
  await publisher.expect('puback', { messageId: 99 })
  await acknowledge(again, await again.expect('publish', { payload: 'before' }))
  await publishThrough(publisher, 'd', 'after', { qos: 2 })
  assert.deepEqual(payloads(await again.settle()), ['after'])
})

test('who publishes faster than the disk writes is not read until it has caught up', { skip }, async (t) => {
  const crashing = await Crashing.start(t, { maxStoreWaiting: 100_000, receiveMaximum: 0, maxAwaitingRel: 0 })
  const { broker, store } = crashing
  const away = await broker.connect({ clientId: 'd', ...kept })
  await subscribe(away, 'd', { qos: 1 })
  await away.disconnect()
  const publisher = await broker.connect()
  store.pause()
  const count = 200
  const payload = Buffer.alloc(10_000)
  for (let index = 0; index < count; index++) publish(publisher, 'd', payload, { qos: 1 })
  await until(() => store.waitingBytes > 100_000, 'the bound')
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
  // What had been read when the bound was met, and no more.
  assert.ok(store.waitingBytes < 500_000, `${store.waitingBytes}`)
  assert.equal(publisher.pending, 0)
  store.resume()
  for (let index = 1; index <= count; index++) await publisher.expect('puback', { messageId: index })
})

for (const version of currentVersions) {
  test(`a queue that is longer than memory holds is read as it drains (MQTT ${version})`, { skip }, async (t) => {
    const crashing = await Crashing.start(t, { maxInflight: 10, maxQueueLength: 0 })
    const { broker } = crashing
    const session = { clientId: 'd', version, clean: false, properties: version === 5 ? kept.properties : undefined }
    const away = await broker.connect(session)
    await subscribe(away, 'd', { qos: 1 })
    await away.disconnect()
    const publisher = await broker.connect()
    const count = 2000
    for (let index = 0; index < count; index++) publish(publisher, 'd', `${index}`, { qos: 1 })
    for (let index = 0; index < count; index++) await publisher.expect('puback')
    const view = broker.broker.sessions.get('d')
    assert.equal(view?.queueLength, count)
    const back = await broker.connect(session)
    const received: string[] = []
    let most = 0
    while (received.length < count + 100) {
      const packet = await back.expect('publish')
      most = Math.max(most, back.pending)
      received.push(String(packet.payload))
      if (received.length === 1000)
        for (let index = 0; index < 100; index++) publish(publisher, 'd', `${count + index}`, { qos: 1 })
      back.send({ cmd: 'puback', messageId: packet.messageId as number })
    }
    assert.ok(most < 10, 'receive maximum holds')
    assert.deepEqual(
      received,
      Array.from({ length: count + 100 }, (_, index) => `${index}`),
    )
    await back.settle()
    assert.equal(view?.queueLength, 0)
    assert.equal(view?.inflightCount, 0)
  })
}

for (const queueDrop of ['oldest', 'newest'] as const) {
  test(`a queue has its bound also in the store: the ${queueDrop} are dropped, and hooks are told`, {
    skip,
  }, async (t) => {
    const crashing = await Crashing.start(t, { maxQueueLength: 50, queueDrop })
    const { broker } = crashing
    const away = await broker.connect({ clientId: 'd', ...kept })
    await subscribe(away, 'd', { qos: 1 })
    await away.disconnect()
    const dropped: string[] = []
    broker.hook('delivery.dropped', ({ message, reason }) => void dropped.push(`${reason} ${String(message.payload)}`))
    const publisher = await broker.connect()
    for (let index = 0; index < 200; index++) await publishThrough(publisher, 'd', `${index}`, { qos: 1 })
    await until(() => dropped.length >= 149, 'what is too much')
    const gone = Array.from(
      { length: dropped.length },
      (_, index) => `queue_full ${index + (queueDrop === 'newest' ? 50 : 0)}`,
    )
    assert.deepEqual(dropped, gone)
    await crashing.crash()
    const back = await crashing.broker.connect({ clientId: 'd', ...kept })
    const kept_ = payloads(await back.settle())
    assert.equal(kept_.length, 200 - gone.length)
    assert.equal(kept_[0], queueDrop === 'newest' ? '0' : `${gone.length}`)
  })
}

test('a plugin that publishes while the store fails is told so, and does not wait', { skip }, async (t) => {
  const crashing = await Crashing.start(t, { sysInterval: 60_000 })
  const { broker, store } = crashing
  const { link, admin } = broker.broker
  const durable = await broker.connect({ clientId: 'd', ...kept })
  await subscribe(durable, 'd', { qos: 2 })
  const watcher = await broker.connect()
  await subscribe(watcher, ['p', '$SYS/brokers/+/alarms/#'], { qos: 1 })
  store.pause()
  const waits = link.publish({ topic: 'd', payload: 'on its way', qos: 1 })
  // Looked at before it comes: nobody else does.
  const told = assert.rejects(waits, { code: 'STORE_PENDING', message: /not stored yet.*\(the disk is full\)/ })
  assert.equal(broker.broker.sessions.get('d')?.inflightCount, 1)
  store.fail('the disk is full')
  await told
  const refused = { code: 'STORE_DOWN', message: /refused.*\(the disk is full\)/ }
  await assert.rejects(link.publish({ topic: 'd', payload: 'x', qos: 2 }), refused)
  await assert.rejects(link.publish({ topic: 'r', payload: 'x', qos: 1, retain: true }), refused)
  assert.deepEqual((await admin.publish({ topic: 'd', payload: 'x', qos: 1 })).refused, {
    by: 'store',
    reasonCode: 0x97,
  })
  // Nobody durable gets these, or they promise nothing.
  assert.equal(await link.publish({ topic: 'p', payload: 'plain', qos: 1 }), 1)
  assert.equal(await link.publish({ topic: 'd', payload: 'zero', qos: 0 }), 1)
  assert.equal(await link.publish({ topic: 'r', payload: 'kept', qos: 0, retain: true }), 0)
  assert.equal(broker.broker.link.metrics()['store.refused'], 3)
  const [alarm] = admin.alarms(true)
  assert.equal(alarm?.name, 'store_down')
  assert.deepEqual(alarm?.details, { problem: 'the disk is full' })
  store.fail(undefined)
  assert.deepEqual(payloads(await durable.settle()), ['zero', 'on its way'])
  assert.deepEqual(admin.alarms(true), [])
  assert.equal(typeof admin.alarms(false)[0]?.deactivatedAt, 'number')
  const packets = (await watcher.settle()).filter(({ topic }) => topic !== 'p')
  assert.deepEqual(
    packets.map(({ topic }) => String(topic).replace(/^.*alarms/, 'alarms')),
    ['alarms/activate', 'alarms/deactivate'],
  )
  const { name, details, activate_at, deactivate_at } = JSON.parse(String(packets[1]?.payload))
  assert.equal(name, 'store_down')
  assert.deepEqual(details, { problem: 'the disk is full' })
  assert.ok(deactivate_at >= activate_at && activate_at > 1e15)
})

test('a client whose session sleeps is let in while the store fails, with what waits for it', { skip }, async (t) => {
  const crashing = await Crashing.start(t)
  const { broker, store } = crashing
  const first = await broker.connect({ clientId: 'd', ...kept })
  await subscribe(first, 'd', { qos: 1 })
  await first.disconnect()
  const publisher = await broker.connect()
  await publishThrough(publisher, 'd', 'waits', { qos: 1 })
  store.pause()
  publish(publisher, 'd', 'not stored yet', { qos: 1, messageId: 77 })
  await publisher.expectNothing()
  store.fail('the disk is full')
  const back = await broker.connect({ clientId: 'd', ...kept })
  assert.equal(back.connack?.sessionPresent, true)
  await publishThrough(publisher, 'd', 'qos 0')
  assert.deepEqual(payloads(await back.settle()), ['qos 0'])
  store.fail(undefined)
  await publisher.expect('puback', { messageId: 77 })
  for (const payload of ['waits', 'not stored yet']) await acknowledge(back, await back.expect('publish', { payload }))
})

for (const version of currentVersions)
  test(`a client that sends a QoS 2 message again is not told that it was taken when the store failed before its turn (${version})`, {
    skip,
  }, async (t) => {
    const { broker, store } = await Crashing.start(t)
    let answer: (() => void) | undefined
    const hook = broker.hook('message.publish', () => new Promise<void>((resolve) => (answer = resolve)))
    const watcher = await broker.connect()
    await subscribe(watcher, 'a')
    const settings = { version, clientId: 'p', ...kept }
    publish(await broker.connect(settings), 'a', 'precious', { qos: 2, messageId: 7 })
    await until(() => answer !== undefined, 'the hook')
    const second = await broker.connect(settings)
    publish(second, 'a', 'precious', { qos: 2, messageId: 7, dup: true })
    await second.expectNothing()
    store.fail('the disk is full')
    hook.remove()
    answer?.()
    if (version === 5) await second.expect('pubrec', { messageId: 7, reasonCode: 0x97 })
    else await second.expectClose()
    store.fail(undefined)
    const third = await broker.connect(settings)
    await publishThrough(third, 'a', 'precious', { qos: 2, messageId: 7, dup: true })
    assert.deepEqual(payloads(await watcher.settle()), ['precious'])
  })
