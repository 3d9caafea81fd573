import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createBroker } from 'hookmq'

for (const name of ['emq_modules', 'emqx_modules'])
  test(`${name}: three modules come and go under one name`, async (scope) => {
    const broker = await createBroker({ sysInterval: 0, sysHeartbeat: 0 })
    await broker.start()
    scope.after(() => broker.stop(0))
    const { admin } = broker
    const active = (): string[] => admin.plugins().flatMap((plugin) => (plugin.active ? [plugin.name] : []))
    const started = ['presence', 'subscription', 'rewrite', name]
    assert.deepEqual(await admin.loadPlugin(name), { ok: true, started })
    assert.deepEqual(active(), ['presence', 'subscription', 'rewrite', 'modules'])
    const announced: string[] = []
    broker.subscribe('$SYS/brokers/+/clients/#', ({ topic }) => void announced.push(topic.split('/').at(-1) ?? ''))
    const client = broker.link({ clientId: 'one' })
    await client.connect()
    await client.publish('a', 'm', { qos: 1 })
    assert.deepEqual(announced, ['connected'])
    assert.deepEqual(await admin.unloadPlugin(name), { ok: true, started: [] })
    assert.deepEqual(active(), [])
  })
