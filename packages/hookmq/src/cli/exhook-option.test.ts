import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCommand, startCommand } from '../testing/command.ts'
import { collectExHook, exhookSettings } from './exhook-option.ts'

test('servers with a name, and without one', () => {
  const urls = ['http://127.0.0.1:9000', 'default=https://a.example:1', 'http://[::1]:9000/', 'http://b:2']
  const flags = urls.reduce<ReturnType<typeof collectExHook>>((before, text) => collectExHook(text, before), [])
  assert.deepEqual(exhookSettings(flags), [
    'plugin.exhook.exhook.server.default2.url=http://127.0.0.1:9000',
    'plugin.exhook.exhook.server.default.url=https://a.example:1',
    'plugin.exhook.exhook.server.default3.url=http://[::1]:9000',
    'plugin.exhook.exhook.server.default4.url=http://b:2',
  ])
  for (const text of ['127.0.0.1:9000', 'http://a', 'x y=http://a:1', 'http://a:1/path', ''])
    assert.throws(() => collectExHook(text, []), /expected http:\/\/HOST:PORT/, text)
})

test('start --exhook: the server is asked, and a url that is none is refused before anything starts', async (scope) => {
  const { command } = await startCommand(scope, [
    '--exhook',
    'http://127.0.0.1:9',
    '--exhook',
    'second=http://127.0.0.1:10',
  ])
  await command.output(/"server":"default".*ECONNREFUSED 127\.0\.0\.1:9\b/, 'stderr')
  await command.output(/"server":"second".*ECONNREFUSED 127\.0\.0\.1:10\b/, 'stderr')
  const { code, stderr } = await runCommand(scope, ['start', '--exhook', 'localhost'])
  assert.notEqual(code, 0)
  assert.match(stderr, /argument 'localhost' is invalid\. expected http:\/\/HOST:PORT/)
})
