import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HookProvider, HookProviderPolicy, HookSpec, PluginContext, ProviderHandle } from '@hookmq/api'
import { startBroker } from '../support/broker.ts'
import { until } from '../support/wait.ts'
import { plugin, traces } from './support.ts'

/** A provider that writes down what happens to it. */
class Noting implements HookProvider {
  readonly name: string
  readonly #note: (line: string) => void
  readonly #specs: readonly HookSpec[]
  loading: () => Promise<void> = async () => {}
  verdict: () => unknown = () => undefined

  constructor(note: (line: string) => void, specs: readonly string[], name = 'far') {
    this.name = name
    this.#note = note
    this.#specs = specs.map((spec) => ({ name: spec }))
  }

  async load(): Promise<readonly HookSpec[]> {
    await this.loading()
    this.#note('loaded')
    return this.#specs
  }

  async call(point: string, _args: unknown, accumulator: unknown): Promise<unknown> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#note(`${point} ${(accumulator as { topic?: string }).topic ?? ''}`.trim())
    return this.verdict()
  }

  async tell(point: string): Promise<void> {
    this.#note(point)
  }

  async unload(): Promise<void> {
    this.#note('unloaded')
  }
}

const empty = Buffer.alloc(0)

function providing(provider: HookProvider, policy: HookProviderPolicy = {}, also?: (ctx: PluginContext) => void) {
  const handles: ProviderHandle[] = []
  return {
    handles,
    plugin: plugin('providing', (ctx) => {
      handles.push(ctx.provider(provider, policy))
      also?.(ctx)
    }),
  }
}

test('a provider takes effect with its plugin, and is unloaded before the plugin is torn down', async (t) => {
  const { broker } = await startBroker(t, {}, { record: false })
  const before = traces(broker)
  const lines: string[] = []
  const provider = new Noting((line) => lines.push(line), ['message.publish'])
  const { plugin, handles } = providing(provider, {}, (ctx) => ctx.onTeardown(() => void lines.push('torn down')))
  await broker.plugins.load(plugin)
  assert.equal(await handles[0].ready, true)
  await broker.publish({ topic: 'a', payload: empty })
  await broker.plugins.unload('providing')
  await broker.publish({ topic: 'b', payload: empty })
  assert.deepEqual(lines, ['loaded', 'message.publish a', 'unloaded', 'torn down'])
  assert.deepEqual(traces(broker), before)
  assert.deepEqual(broker.admin.providers(), [])
})

test('setup does not wait for a provider, and a written deny is in force while it loads', async (t) => {
  const { broker, open } = await startBroker(t, {}, { record: false })
  const provider = new Noting(() => {}, ['client.authenticate'])
  const held = Promise.withResolvers<void>()
  provider.loading = () => held.promise
  provider.verdict = () => ({ stop: { result: 'allow' } })
  const { plugin, handles } = providing(provider, { failedAction: 'deny' })
  await broker.plugins.load(plugin)
  assert.equal(handles[0].status, 'loading')
  const refused = await open(4)
  refused.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'a', clean: true })
  await refused.expect('connack', { returnCode: 5 })
  held.resolve()
  await handles[0].ready
  const accepted = await open(4)
  accepted.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clientId: 'a', clean: true })
  await accepted.expect('connack', { returnCode: 0 })
})

test('a plugin whose setup fails leaves no provider behind, and none is loaded', async (t) => {
  const { broker } = await startBroker(t, {}, { record: false })
  const lines: string[] = []
  const provider = new Noting((line) => lines.push(line), ['message.publish'])
  const { plugin } = providing(provider, { failedAction: 'deny' }, () => {
    throw new Error('no')
  })
  await assert.rejects(broker.plugins.load(plugin), /no/)
  await broker.publish({ topic: 'a', payload: empty })
  assert.deepEqual(lines, [])
  assert.deepEqual(broker.admin.providers(), [])
})

test('20 reloads under traffic: each message is asked about once, each provider is loaded and unloaded once', async (t) => {
  const { broker } = await startBroker(t, {}, { record: false })
  const asked = new Map<string, number>()
  const ends: string[] = []
  const generation = (number: number) => {
    const provider = new Noting(
      (line) => {
        if (line === 'loaded' || line === 'unloaded') ends.push(`${number} ${line}`)
        else asked.set(line, (asked.get(line) ?? 0) + 1)
      },
      ['message.publish'],
    )
    provider.loading = () => new Promise((resolve) => setTimeout(resolve, 2))
    return providing(provider)
  }
  const first = generation(0)
  await broker.plugins.load(first.plugin)
  await first.handles[0].ready
  let running = true
  let sent = 0
  const traffic = (async () => {
    while (running) await broker.publish({ topic: `${sent++}`, payload: empty })
  })()
  for (let number = 1; number <= 20; number++) {
    const next = generation(number)
    await broker.plugins.reload(next.plugin)
    assert.equal(await next.handles[0].ready, true)
    assert.deepEqual(
      ends.splice(0),
      [`${number - 1} loaded`, `${number} loaded`, `${number - 1} unloaded`].slice(number === 1 ? 0 : 1),
    )
  }
  running = false
  await traffic
  for (let topic = 0; topic < sent; topic++) assert.equal(asked.get(`message.publish ${topic}`), 1, `message ${topic}`)
  assert.ok(sent > 100, `${sent} messages are too few to prove anything`)
})

test('the plugin can detach and replace its providers; two of one name are an error', async (t) => {
  const { broker } = await startBroker(t, {}, { record: false })
  const lines: string[] = []
  let context: PluginContext | undefined
  await broker.plugins.load(
    plugin('providing', (ctx) => {
      context = ctx
      ctx.hook('message.publish', () => undefined)
    }),
  )
  assert.ok(context !== undefined)
  const attach = (name: string) => {
    const provider = new Noting((line) => lines.push(`${name} ${line}`), ['message.publish'], 'one')
    return { provider, handle: context?.provider(provider) }
  }
  const { handle } = attach('a')
  assert.ok(handle !== undefined)
  assert.throws(() => attach('b'), /already are hooks of 'one'/)
  assert.throws(() => context?.provider(new Noting(() => {}, [], 'providing')), /already are hooks of 'providing'/)
  const successor = handle.replace(new Noting((line) => lines.push(`c ${line}`), ['message.publish'], 'one'))
  await successor.ready
  await broker.publish({ topic: 't', payload: empty })
  await until(() => lines.length === 4, 'four lines')
  // The first was replaced before it was loaded for the first time.
  assert.deepEqual(
    lines.filter((line) => line.startsWith('c')),
    ['c loaded', 'c message.publish t'],
  )
  await successor.detach()
  await broker.publish({ topic: 't', payload: empty })
  assert.deepEqual(lines.filter((line) => line.startsWith('c')).at(-1), 'c unloaded')
  await broker.plugins.unload('providing')
  assert.throws(() => attach('d'), /unloaded: nothing can be registered/)
})
