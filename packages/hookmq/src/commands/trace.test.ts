import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { startOperated } from '../testing/operator.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-trace-'))
after(() => rmSync(folder, { recursive: true }))

test('a client: what it does is in the file, its payloads and password are not', async (scope) => {
  const { broker, connect, lines } = await startOperated(scope)
  const file = join(folder, 'deep', 'one.log')
  assert.deepEqual(await lines('trace', 'list'), [])
  assert.deepEqual(await lines('trace', 'start', 'client', 'one', file), ['trace client one successfully'])
  assert.deepEqual(await lines('trace', 'list'), [`Trace(client=one, level=debug, destination=${file})`])
  assert.deepEqual(await lines('trace', 'start', 'client', 'one', file), ['[error] trace client one: already_existed'])
  const one = await connect('one', { username: 'ann', password: Buffer.from('secret-word') })
  const two = await connect('two')
  await two.publish('other', 'two-speaks', { qos: 1 })
  await one.subscribe('a/#')
  await one.publish('a/b', 'secret-payload', { qos: 1 })
  await one.close()
  assert.deepEqual(await lines('trace', 'stop', 'client', 'one'), ['stop tracing client one successfully'])
  assert.deepEqual(await lines('trace', 'stop', 'client', 'one'), ['[error] stop tracing client one: not_found'])
  const text = readFileSync(file, 'utf8')
  for (const event of [
    'CONNECTED',
    'SUBSCRIBE: a/# qos 0',
    'PUBLISH: a/b qos 1, 14 bytes',
    'ROUTE: a/b',
    'DELIVER: a/b',
  ])
    assert.ok(text.includes(`] ${event}`), `${event} in\n${text}`)
  for (const line of text.trim().split('\n')) assert.match(line, /^\d{4}-\d\d-\d\dT[\d:.]+Z \[one@\S+:\d+\] [A-Z ]+: /)
  assert.doesNotMatch(text, /secret|other/)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  // Nothing of it is left in the chains.
  assert.ok(broker.admin.hooks().every(({ hooks }) => hooks.every(({ owner }) => owner !== 'trace')))
})

test('a topic filter, in the words of 2.x', async (scope) => {
  const { broker, lines } = await startOperated(scope, '2.x')
  const file = join(folder, 'topic.log')
  assert.deepEqual(await lines('trace', 'topic', 'a/+', file), ['trace topic a/+ successfully.'])
  assert.deepEqual(await lines('trace', 'list'), [`trace topic a/+ -> ${file}`])
  assert.match(
    (await lines('trace', 'client', 'x', file))[0],
    /^trace client x error: .* is the file of another trace$/,
  )
  await broker.publish({ topic: 'a/b', payload: 'x' })
  await broker.publish({ topic: 'b', payload: 'x' })
  assert.deepEqual(await lines('trace', 'topic', 'a/+', 'off'), ['stop tracing topic a/+ successfully.'])
  assert.deepEqual(await lines('trace', 'topic', 'a/+', 'off'), ['stop tracing topic a/+ error: not_found.'])
  const text = readFileSync(file, 'utf8')
  assert.match(text, /DROPPED: no_subscribers: a\/b/)
  assert.doesNotMatch(text, / b qos/)
})

test('a file that cannot be written is an error of the command; wrong words print the usage', async (scope) => {
  const { lines, run } = await startOperated(scope)
  assert.match((await lines('trace', 'start', 'topic', '#', folder))[0], /^\[error\] trace topic #: .*EISDIR/)
  assert.deepEqual(await lines('trace', 'list'), [])
  for (const words of [[], ['start', 'dog', 'x', 'y'], ['start', 'client', 'x'], ['start', 'client', 'x', 'y', 'loud']])
    assert.equal((await run('trace', ...words)).exitCode, 2)
})

test('a file never grows beyond its limit, and a client id cannot forge a line', async (scope) => {
  const { broker, connect, lines } = await startOperated(scope, '4.x', { traceBytes: 2000 })
  const file = join(folder, 'small.log')
  await lines('trace', 'start', 'topic', '#', file)
  await connect('x')
  broker.hook('client.connect', () => undefined)
  for (let index = 0; index < 100; index++) await broker.publish({ topic: 'a', payload: 'x' })
  await lines('trace', 'stop', 'topic', '#')
  assert.ok(statSync(file).size < 2200)
  assert.match(readFileSync(file, 'utf8'), /\n… the trace ends here: the file may have 2000 bytes\n$/)
})
