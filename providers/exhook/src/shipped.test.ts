import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { exhookCallOf } from '@hookmq/exhook-proto'
import { startTestBroker } from 'hookmq/testing'
import { configKeys } from './keys.ts'
import exhook from './plugin.ts'

const root = new URL('../../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')
const shipped = read('etc/plugins/exhook.conf')

test('the file as shipped loads without a warning, also with all examples in it turned on', async (t) => {
  for (const conf of [shipped, shipped.replaceAll(/^##(?=\S)/gm, '').replaceAll(/:900[01]$/gm, ':9')]) {
    const broker = await startTestBroker(t)
    await broker.load(exhook, conf)
    assert.deepEqual(
      broker.log.filter(({ level, message }) => level === 'warn' && /not a key/.test(message)),
      [],
    )
    await broker.stop()
  }
})

test('the package has the same file', () => {
  assert.equal(read('providers/exhook/etc/exhook.conf'), shipped)
})

test('the file and the page of the plugin name every key', () => {
  const page = read('docs/plugins/exhook.md')
  const keysOfFile = new Set(
    [...shipped.matchAll(/^(?:##)?(exhook\.\S+) =/gm)].map(([, key]) =>
      key
        .replace(/^exhook\.server\.[a-z]+/, 'exhook.server.$name')
        .replace(/hook\.([a-z]+\.[a-z_]+)\./, (all, point) =>
          exhookCallOf(point) === undefined ? all : 'hook.$family.$event.',
        ),
    ),
  )
  for (const [key, { description }] of Object.entries(configKeys)) {
    const name = key.replace('$name', 'NAME').replace('$family.$event', 'HOOKPOINT')
    assert.ok(page.includes(`| \`${name}\` |`), name)
    assert.ok(page.includes(description), `${name}: ${description}`)
    assert.ok(keysOfFile.has(key), `${key} is not in etc/plugins/exhook.conf`)
  }
})
