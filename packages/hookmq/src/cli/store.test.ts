import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { createBroker } from '../broker/create.ts'
import { Client } from '../client/client.ts'
import { openStream } from '../client/stream.ts'
import { type RunningCommand, runCommand, startCommand } from '../testing/command.ts'

/** Keeps each payload under its topic before it is acknowledged, and names at the start what is kept. */
const keeper = `export default {
  name: 'keeper',
  async setup(ctx) {
    for await (const [key, value] of ctx.store.list()) ctx.log.info('kept ' + key + '=' + value)
    ctx.log.info('all kept')
    ctx.hook('message.publish', async (args, message) => {
      if (args.client !== undefined) await ctx.store.put(message.topic, message.payload.toString())
    })
  },
}`

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'hookmq-kept-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  writeFileSync(join(path, 'keeper.ts'), keeper)
  return path
}

async function start(
  t: TestContext,
  path: string,
  args: string[] = [],
): Promise<{ command: RunningCommand; port: number }> {
  return startCommand(t, ['--data-dir', join(path, 'data'), '--plugin', join(path, 'keeper.ts'), ...args])
}

async function publish(port: number, messages: Record<string, string>): Promise<void> {
  const client = new Client(await openStream({ protocol: 'mqtt', host: '127.0.0.1', port, path: '' }))
  await client.connect()
  await Promise.all(Object.entries(messages).map(([topic, payload]) => client.publish(topic, payload, { qos: 1 })))
  client.destroy()
}

async function kept(command: RunningCommand): Promise<string[]> {
  await command.output(/"msg":"all kept"/, 'stderr')
  return [...command.stderr.matchAll(/"msg":"kept ([^"]+)"/g)].map(([, line]) => line)
}

test('what a plugin stored before the PUBACK is there after kill -9 and a new start', async (t) => {
  const path = folder(t)
  const first = await start(t, path)
  assert.deepEqual(await kept(first.command), [])
  await publish(first.port, { 'a/1': 'one', 'a/2': 'two' })
  first.command.signal('SIGKILL')
  await first.command.ended
  const second = await start(t, path)
  assert.deepEqual(await kept(second.command), ['a/1=one', 'a/2=two'])
  await publish(second.port, { 'a/1': 'new' })
  second.command.signal('SIGTERM')
  assert.equal(await second.command.ended, 0)
  const third = await start(t, path, ['--set', 'store.durability=none'])
  assert.deepEqual(await kept(third.command), ['a/1=new', 'a/2=two'])
})

test('store.type = memory writes no file and forgets', async (t) => {
  const path = folder(t)
  for (let round = 0; round < 2; round++) {
    const { command, port } = await start(t, path, ['--set', 'store.type=memory'])
    assert.deepEqual(await kept(command), [])
    await publish(port, { a: 'x' })
    command.signal('SIGTERM')
    assert.equal(await command.ended, 0)
  }
  assert.equal(existsSync(join(path, 'data', 'hookmq.db')), false)
})

test('a store that cannot be used is one clear line and exit code 1; nothing listens', async (t) => {
  const path = folder(t)
  const database = new DatabaseSync(join(path, 'hookmq.db'))
  database.exec('CREATE TABLE photos (id INTEGER)')
  database.close()
  const args = [
    'start',
    '--data-dir',
    path,
    '--set',
    'listener.tcp.external=127.0.0.1:0',
    '--set',
    'listener.ws.external=',
  ]
  const { code, stdout, stderr } = await runCommand(t, args)
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /^hookmq: .*hookmq\.db: this is a database of another program; move it away.*\n$/)
})

test('check and backup work beside a running broker, compact does not', async (t) => {
  const path = folder(t)
  const data = ['--data-dir', join(path, 'data')]
  const { command, port } = await start(t, path)
  await publish(port, { a: 'x' })
  const checked = await runCommand(t, ['store', 'check', ...data])
  assert.deepEqual([checked.code, checked.stderr], [0, ''])
  assert.match(checked.stdout, /^ok .*hookmq\.db\n$/)
  const copy = join(path, 'copy')
  assert.equal((await runCommand(t, ['store', 'backup', join(copy, 'hookmq.db'), ...data])).code, 1)
  const compacted = await runCommand(t, ['store', 'compact', ...data])
  assert.equal(compacted.code, 1)
  assert.match(compacted.stderr, /^hookmq: .*another broker is using this data folder \(process \d+\)/)
  const backup = await runCommand(t, ['store', 'backup', join(path, 'copy.db'), ...data])
  assert.deepEqual([backup.code, backup.stdout], [0, `${join(path, 'copy.db')}\n`], backup.stderr)
  const text = join(path, 'all.jsonl')
  const exported = await runCommand(t, ['store', 'export', text, ...data])
  assert.match(exported.stdout, /^\d+ rows .*all\.jsonl\n$/, exported.stderr)
  const imported = await runCommand(t, ['store', 'import', text, '--data-dir', join(path, 'new')])
  assert.match(imported.stdout, /^\d+ rows .*hookmq\.db\n$/, imported.stderr)
  assert.match(
    (await runCommand(t, ['store', 'import', text, ...data])).stderr,
    /another broker is using this data folder/,
  )
  const again = await runCommand(t, ['store', 'backup', join(path, 'copy.db'), ...data])
  assert.match(again.stderr, /^hookmq: .*copy\.db: exists already/)
  command.signal('SIGTERM')
  assert.equal(await command.ended, 0)
  assert.equal((await runCommand(t, ['store', 'compact', ...data])).code, 0)
  const none = await runCommand(t, ['store', 'check', '--data-dir', join(path, 'nothing')])
  assert.equal(none.code, 1)
  assert.match(none.stderr, /^hookmq: .*hookmq\.db: there is no store; name the data folder/)
})

test('embedded: memory unless a folder is named; one broker at a time has it', async (t) => {
  const path = folder(t)
  const before = readdirSync(path)
  const plugin = {
    name: 'count',
    async setup(ctx: import('@hookmq/api').PluginContext) {
      const count = Number((await ctx.store.get('starts')) ?? 0) + 1
      await ctx.store.put('starts', count)
      starts.push(count)
    },
  }
  const starts: number[] = []
  for (const dataDir of [undefined, undefined, join(path, 'data'), join(path, 'data')]) {
    const broker = await createBroker({ plugins: [plugin], dataDir })
    t.after(() => broker.stop(0))
    await broker.start()
    if (dataDir !== undefined) {
      const other = await createBroker({ dataDir })
      await assert.rejects(other.start(), { code: 'DATA_DIR_LOCKED' })
    }
    await broker.stop()
    if (dataDir === undefined) assert.deepEqual(readdirSync(path), before)
  }
  assert.deepEqual(starts, [1, 1, 1, 2])
})
