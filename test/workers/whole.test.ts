import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { ok, serve, stop } from '@hookmq/provider'
import { publish, publishThrough, subscribe } from '../support/actions.ts'
import { requirement } from '../support/requirements.ts'
import { temporaryFolder } from './folder.ts'
import { httpOf } from './http.ts'
import { startTwo } from './support.ts'

interface Metrics {
  readonly succeed: number
}

interface ServerBody {
  readonly metrics: Metrics
  readonly node_metrics: readonly { readonly node: string; readonly metrics: Metrics }[]
  readonly node_status: readonly { readonly node: string; readonly status: string }[]
  readonly counters: Readonly<Record<string, number>>
}

test('what ExHook servers do for every worker is shown together, and for each of them', async (t) => {
  let release = (): void => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const server = await serve(
    {
      async 'message.publish'(message) {
        if (message.topic === 'slow') await released
        return stop({ topic: message.topic })
      },
      'client.authenticate': () => ok(true),
    },
    { listen: 0, signals: false },
  )
  t.after(() => server.close())
  const broker = await startTwo(t)
  const json = async <T>(...words: string[]): Promise<T> => JSON.parse(await broker.ctl('--json', ...words)) as T
  const keys = ['cache.ttl=5m', 'request_timeout=60s']
  assert.equal(await broker.ctl('exhook', 'server', 'add', 'first', `http://${server.address}`, ...keys), 'ok')
  const clients = [await broker.connect(1), await broker.connect(2), await broker.connect(2)]
  // Which worker has the server when is a moment's matter: all of it counts from when both ask.
  const asked = async (): Promise<number> =>
    (await json<Record<string, number>>('exhook', 'server', 'stats'))['exhook.first.message.publish'] ?? 0
  for (let before = 0, now = 0; now - before < clients.length; ) {
    before = await asked()
    for (const client of clients) await publishThrough(client, 'counted', 'x', { qos: 1 })
    now = await asked()
  }
  const call = await httpOf(broker)
  const detail = async () => (await call('GET', '/exhooks/first')).body as ServerBody
  const [before, statsBefore] = [await detail(), await asked()]
  for (const client of clients) await publishThrough(client, 'counted', 'x', { qos: 1 })
  const after = await detail()
  assert.equal((await asked()) - statsBefore, 3)
  const sum = (body: ServerBody): number => body.node_metrics.reduce((total, { metrics }) => total + metrics.succeed, 0)
  assert.equal(sum(after), after.metrics.succeed)
  const more = after.node_metrics.map(
    ({ metrics }, index) => metrics.succeed - before.node_metrics[index].metrics.succeed,
  )
  assert.ok(more[0] >= 1 && more[1] >= 2, `${more}`)
  assert.deepEqual(
    after.node_status.map(({ status }) => status),
    ['connected', 'connected'],
  )
  const nodes = after.node_status.map(({ node }) => node)
  assert.deepEqual(
    nodes.map((node) => node.replace(/@.*/, '')),
    ['hookmq-worker1', 'hookmq-worker2'],
  )
  assert.deepEqual(((await call('GET', '/exhooks')).body as ServerBody[])[0].node_status, after.node_status)
  const hooks = (await call('GET', '/exhooks/first/hooks')).body as ({ name: string } & ServerBody)[]
  const hook = hooks.find(({ name }) => name === 'message.publish')
  assert.deepEqual(
    hook?.node_metrics.map(({ node }) => node),
    nodes,
  )
  assert.equal(hook?.metrics.succeed, await asked())
  const shown = await json<Record<string, unknown>>('exhook', 'server', 'show', 'first')
  assert.deepEqual(
    ['status', ...nodes.map((node) => `status of ${node}`)].map((name) => shown[name]),
    ['connected', 'connected', 'connected'],
  )
  assert.match(
    await broker.ctl('exhook', 'server', 'list'),
    /Server\(name=first, hooks=\[.*message\.publish.*\], active=true\)/,
  )

  for (const client of clients) publish(client, 'slow', 'x', { qos: 1 })
  const waiting = async (): Promise<{ clientId: string }[]> => json('hooks', 'waiting')
  while ((await waiting()).length < 3);
  assert.deepEqual(
    (await waiting()).map(({ clientId }) => clientId).sort(),
    clients.map(({ clientId }) => clientId).sort(),
  )
  release()
  for (const client of clients) await client.expect('puback')
  assert.deepEqual(await waiting(), [])

  const cached = async (): Promise<number> => (await detail()).counters.cached
  const meet = async (): Promise<void> => {
    for (const worker of [1, 2, 2] as const) await broker.connect(worker)
  }
  await meet()
  const remembered = await cached()
  assert.ok(remembered >= 3, `${remembered} verdicts are remembered`)
  assert.equal(await broker.ctl('exhook', 'cache', 'clean'), `Cleaned ${remembered} verdicts`)
  assert.equal(await cached(), 0)
  await meet()
  const again = await cached()
  assert.equal(again, 3)
  assert.deepEqual((await call('DELETE', '/exhooks/first/cache')).body, { cleaned: again })
})

test('drivers are listed, counted, stopped and started in every worker', async (t) => {
  if (requirement('python3', t) === undefined) return
  const home = temporaryFolder(t)
  mkdirSync(join(home, 'handlers'))
  writeFileSync(
    join(home, 'handlers', 'main.py'),
    `def init(): return (0, ([("message_publish", "main", "publish", [])], ()))
def deinit(): pass
def publish(message, state): return (0, [(b"payload", b"changed")])
`,
  )
  const settings = [
    'exhook.drivers=python3',
    `exhook.working_directory=${home}`,
    'exhook.drivers.python3.path=handlers',
    'exhook.drivers.python3.init_module=main',
  ].flatMap((text) => ['--set', `plugin.extension-hook.${text}`])
  const broker = await startTwo(t, settings)
  assert.match(await broker.ctl('plugins', 'load', 'extension-hook'), /successfully/)
  const watchers = [await broker.connect(1), await broker.connect(2)]
  for (const watcher of watchers) await subscribe(watcher, 'driven/#', { qos: 1 })
  const heard = async (): Promise<string[]> => {
    const got: string[] = []
    for (const worker of [1, 2] as const) {
      await publishThrough(watchers[worker - 1], `driven/${worker}`, 'as it is', { qos: 1 })
      got.push(String((await watchers[2 - worker].expect('publish', { topic: `driven/${worker}` })).payload))
      await watchers[worker - 1].expect('publish', { topic: `driven/${worker}` })
    }
    return got
  }
  const list = async () =>
    JSON.parse(await broker.ctl('--json', 'exhook', 'drivers', 'list')) as { processIds: number[] }[]
  const calls = async (): Promise<number> =>
    Number(/message_publish *:(\d+)/.exec(await broker.ctl('exhook', 'drivers', 'stats'))?.[1] ?? 0)
  assert.deepEqual(await heard(), ['changed', 'changed'])
  const [{ processIds }] = await list()
  assert.equal(new Set(processIds).size, 2)
  const before = await calls()
  assert.ok(before >= 2)
  await heard()
  assert.equal((await calls()) - before, 2)
  assert.equal(await broker.ctl('exhook', 'drivers', 'disable', 'python3'), 'ok')
  assert.deepEqual(await heard(), ['as it is', 'as it is'])
  assert.deepEqual(await list(), [])
  assert.equal(await broker.ctl('exhook', 'drivers', 'enable', 'python3'), 'ok')
  assert.deepEqual(await heard(), ['changed', 'changed'])
  assert.equal(await broker.ctl('exhook', 'drivers', 'reload', 'python3'), 'ok')
  const reloaded = (await list())[0].processIds
  assert.equal(reloaded.filter((id) => processIds.includes(id)).length, 0)
  assert.deepEqual(await heard(), ['changed', 'changed'])
})
