import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { createBroker, type HookmqBroker } from 'hookmq'
import mqtt from 'mqtt'

// What the README and the guides show is run as it stands there: each TypeScript block that is a plugin is loaded into a broker and used.
const folder = mkdtempSync(join(tmpdir(), 'hookmq-docs-'))
after(() => rmSync(folder, { recursive: true, force: true }))

function blocks(page: string): string[] {
  const text = readFileSync(fileURLToPath(new URL(`../../${page}`, import.meta.url)), 'utf8')
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1])
}

const plugins = new Map<string, string>()
for (const page of ['README.md', 'docs/hooks.md', 'docs/plugin-placement.md']) {
  for (const block of blocks(page)) {
    const name = /export default definePlugin\(\{\s*name: '([^']+)'/.exec(block)?.[1]
    if (name !== undefined) plugins.set(name, block)
  }
}

async function brokerWith(scope: TestContext, name: string): Promise<HookmqBroker> {
  const file = join(folder, `${name}.ts`)
  const text = plugins.get(name)
  assert.ok(text !== undefined, `no page shows a plugin named ${name}`)
  writeFileSync(file, text)
  const broker = await createBroker({ listeners: [{ type: 'tcp' }], plugins: [file] })
  await broker.start()
  scope.after(() => broker.stop(500))
  return broker
}

async function connect(scope: TestContext, broker: HookmqBroker, options: mqtt.IClientOptions = {}) {
  const client = await mqtt.connectAsync(`mqtt://${broker.listeners[0].address}`, {
    protocolVersion: 5,
    reconnectPeriod: 0,
    ...options,
  })
  scope.after(() => void client.end(true))
  return client
}

function nextMessage(client: mqtt.MqttClient): Promise<{ topic: string; text: string; packet: mqtt.IPublishPacket }> {
  return new Promise((resolve) =>
    client.once('message', (topic, payload, packet) => resolve({ topic, text: payload.toString(), packet })),
  )
}

const uses: Record<string, (scope: TestContext, broker: HookmqBroker) => Promise<void>> = {
  async compress(scope, broker) {
    const [{ placement }] = broker.admin.plugins().filter(({ name }) => name === 'compress')
    assert.equal(placement, 'worker')
    const client = await connect(scope, broker)
    await client.subscribeAsync('reports/#')
    let payload: Buffer | undefined
    client.on('message', (_topic, bytes) => {
      payload = bytes
    })
    const message = nextMessage(client)
    await client.publishAsync('reports/daily', 'a'.repeat(5000))
    assert.equal((await message).packet.properties?.contentType, 'application/gzip')
    assert.equal(gunzipSync(payload ?? Buffer.alloc(0)).toString(), 'a'.repeat(5000))
    assert.ok(broker.metrics()['plugins.compress.saved_bytes'] > 4000)
  },
  async shout(scope, broker) {
    const client = await connect(scope, broker)
    await client.subscribeAsync('#')
    const message = nextMessage(client)
    await client.publishAsync('greetings/world', 'hello')
    assert.equal((await message).text, 'HELLO')
  },
  async greeter(scope, broker) {
    const client = await connect(scope, broker, { clientId: 'me' })
    const message = nextMessage(client)
    await client.subscribeAsync('greetings/me')
    assert.match((await message).text, /^hello from 127\.0\.0\.1$/)
  },
  async stamp(scope, broker) {
    const client = await connect(scope, broker, { clientId: 'press-4' })
    await client.subscribeAsync('factory/#')
    const message = nextMessage(client)
    await client.publishAsync('factory/a', '1')
    assert.deepEqual({ ...(await message).packet.properties?.userProperties }, { 'sent-by': 'press-4' })
  },
  async 'small-only'(scope, broker) {
    const client = await connect(scope, broker)
    await assert.rejects(client.publishAsync('a', Buffer.alloc(1025), { qos: 1 }), /Quota exceeded|at most 1024/)
    await client.publishAsync('a', Buffer.alloc(1024), { qos: 1 })
  },
  async doorman(scope, broker) {
    const alice = await connect(scope, broker, { username: 'alice', password: 'wonderland' })
    await assert.rejects(connect(scope, broker, { username: 'alice', password: 'no' }), /Bad User Name or Password/)
    await alice.publishAsync('private/alice', 'x', { qos: 1 })
    await assert.rejects(alice.publishAsync('private/bob', 'x', { qos: 1 }), /Not authorized/)
  },
  async 'slow-shop'(scope, broker) {
    const client = await connect(scope, broker)
    await client.subscribeAsync('orders/#')
    const texts: string[] = []
    client.on('message', (_, payload) => texts.push(payload.toString()))
    await Promise.all(['1', '2', '3'].map((text) => client.publishAsync('orders/x', text, { qos: 1 })))
    while (texts.length < 3) await setTimeout(5)
    assert.deepEqual(texts, ['1 (checked)', '2 (checked)', '3 (checked)'])
  },
  async 'deep-topics'(scope, broker) {
    const client = await connect(scope, broker)
    for (const topic of ['a/b/c/d/e/f/g', 'a/b/c/d/e/f/g/h']) await client.publishAsync(topic, 'x', { qos: 1 })
    assert.equal(broker.metrics()['plugins.deep-topics.deep'], 1)
  },
  async archive(scope, broker) {
    const client = await connect(scope, broker)
    await client.publishAsync('archive/a', 'x', { qos: 1 })
    await client.publishAsync('other', 'x', { qos: 1 })
    assert.equal(broker.metrics()['plugins.archive.archived'], 1)
  },
}

for (const name of plugins.keys()) {
  test(`the plugin '${name}' does what the page says`, async (scope) => {
    const use = uses[name]
    assert.ok(use !== undefined, `nothing here uses the plugin ${name}`)
    await use(scope, await brokerWith(scope, name))
  })
}

test('the program of the README runs', async () => {
  const program = blocks('README.md').find((block) => block.includes('createBroker'))
  assert.ok(program !== undefined)
  const lines: unknown[] = []
  const { log } = console
  console.log = (line: unknown) => lines.push(line)
  try {
    // Beside the project, so that 'hookmq' is found as in a program of one's own.
    const file = fileURLToPath(new URL('./readme-program.generated.ts', import.meta.url))
    writeFileSync(file, program)
    try {
      await import(file)
    } finally {
      rmSync(file)
    }
  } finally {
    console.log = log
  }
  assert.deepEqual(lines, ['a/b'])
})
