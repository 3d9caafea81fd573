import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { payloads, publish, publishThrough, subscribe } from '../support/actions.ts'
import type { RawClient } from '../support/raw-client.ts'
import { temporaryFolder } from './folder.ts'
import { startTwo, type TwoWorkers } from './support.ts'

type Put = (path: string, body: unknown) => Promise<void>

/** Two workers with these plugins; the HTTP API is the first one's. */
async function start(
  t: TestContext,
  plugins: readonly string[],
): Promise<{ readonly broker: TwoWorkers; readonly put: Put }> {
  const broker = await startTwo(t)
  for (const plugin of plugins) assert.match(await broker.ctl('plugins', 'load', plugin), /successfully/)
  const [, url] = await broker.command.shows(/"listener":"dashboard\.listener\.http","address":"([^"]+)"/)
  const call = async (method: string, path: string, body: unknown, headers = {}): Promise<unknown> => {
    const given = { 'content-type': 'application/json', ...headers }
    const response = await fetch(`${url}/api/v5${path}`, { method, headers: given, body: JSON.stringify(body) })
    assert.equal(response.status, 200, path)
    return response.json()
  }
  const { token } = (await call('POST', '/login', { username: 'admin', password: 'public' })) as { token: string }
  return {
    broker,
    put: async (path, body) => void (await call('PUT', path, body, { authorization: `Bearer ${token}` })),
  }
}

/** Tries until it holds: what is changed reaches the other worker a moment later. */
async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; !(await holds()); ) {
    if (Date.now() > end) assert.fail(`waited in vain for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('rules of rewrite that are changed over HTTP hold in every worker', async (t) => {
  const { broker, put } = await start(t, ['rewrite'])
  const rule = { action: 'publish', source_topic: 'old/#', re: '^old/(.+)$', dest_topic: 'new/$1' }
  await put('/mqtt/topic_rewrite', [rule])
  for (const worker of [1, 2] as const) {
    const client = await broker.connect(worker)
    await subscribe(client, 'new/#')
    await eventually(`worker ${worker} to rewrite`, async () => {
      await publishThrough(client, 'old/x', `${worker}`, { qos: 1 })
      return payloads(await client.settle()).length === 1
    })
  }
})

test('limits of delayed messages hold for all workers together, also when they are changed over HTTP', async (t) => {
  const { broker, put } = await start(t, ['delayed'])
  const clients = [await broker.connect(1), await broker.connect(2)]
  let messageId = 0
  const delay = async (client: RawClient): Promise<number> => {
    publish(client, '$delayed/1000/later', 'x', { qos: 1, messageId: ++messageId })
    return Number((await client.expect('puback', { messageId })).reasonCode ?? 0)
  }
  // 0x10: nobody is subscribed.
  for (const client of clients) assert.ok((await delay(client)) < 0x80)
  await put('/mqtt/delayed', { max_delayed_messages: 2 })
  for (const client of clients) await eventually('no more to be taken', async () => (await delay(client)) === 0x97)
  await put('/mqtt/delayed', { max_delayed_messages: 0 })
  for (const client of clients) await eventually('them to be taken again', async () => (await delay(client)) < 0x80)
})

test('a trace has what clients of every worker do, also of one that was started again meanwhile', async (t) => {
  const broker = await startTwo(t)
  const file = join(temporaryFolder(t), 'trace.log')
  assert.match(await broker.ctl('trace', 'start', 'topic', 'traced/#', file), /successfully/)
  const clients = [await broker.connect(1), await broker.connect(2)]
  const seen = async (client: RawClient, topic: string): Promise<void> => {
    await publishThrough(client, topic, 'x', { qos: 1 })
    // It is written when the event loop has nothing better to do.
    await eventually(topic, async () => readFileSync(file, 'utf8').includes(`PUBLISH: ${topic} `))
  }
  for (const client of clients) await seen(client, `traced/${client.clientId}`)
  for (const worker of [1, 2] as const) {
    process.kill(broker.pid(worker), 'SIGKILL')
    await broker.command.shows(new RegExp(`"worker":"worker${worker}","msg":"a worker is back"`))
    const client = await broker.connect(worker)
    await seen(client, `traced/again/${worker}`)
    clients[worker - 1] = client
  }
  assert.match(await broker.ctl('trace', 'list'), /traced\/#/)
  assert.match(await broker.ctl('trace', 'stop', 'topic', 'traced/#'), /successfully/)
  const { size } = statSync(file)
  for (const client of clients) await publishThrough(client, 'traced/after', 'x', { qos: 1 })
  assert.match(await broker.ctl('trace', 'list'), /^$/)
  assert.equal(statSync(file).size, size, 'both have stopped')
})

test('hooks list counts the calls in every worker', async (t) => {
  const broker = await startTwo(t)
  await broker.ctl('plugins', 'load', 'delayed')
  const calls = async (): Promise<number> => {
    const listed = await broker.ctl('--json', 'hooks', 'list', 'message.publish')
    const [{ hooks }] = JSON.parse(listed) as [{ hooks: { owner: string; calls: number }[] }]
    return hooks.find(({ owner }) => owner === 'delayed')?.calls ?? Number.NaN
  }
  const clients = [await broker.connect(1), await broker.connect(2), await broker.connect(2)]
  const before = await calls()
  for (const client of clients) await publishThrough(client, 'counted', 'x', { qos: 1 })
  assert.equal((await calls()) - before, 3)
})
