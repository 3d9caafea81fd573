import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Plugin } from '@hookmq/api'
import delayed from '@hookmq/plugin-delayed'
import presence from '@hookmq/plugin-presence'
import retainer from '@hookmq/plugin-retainer'
import rewrite from '@hookmq/plugin-rewrite'
import subscription from '@hookmq/plugin-subscription'
import { startBroker } from '../support/broker.ts'
import { loadPlugin } from './load.ts'

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

const plugins: readonly Plugin[] = [delayed, presence, retainer, rewrite, subscription]

for (const plugin of plugins) {
  const { name } = plugin
  const shipped = read(`etc/plugins/${name}.conf`)

  test(`${name}: the file as shipped loads without a warning, also with all examples in it turned on`, async (t) => {
    const broker = await startBroker(t)
    assert.deepEqual((await loadPlugin(broker, plugin, shipped)).warnings, [])
    await broker.broker.plugins.unload(name)
    const examples = shipped.replaceAll(/^##(?=\S)/gm, '')
    assert.deepEqual((await loadPlugin(broker, plugin, examples)).warnings, [])
  })

  test(`${name}: the package has the same file`, () => {
    assert.deepEqual(readdirSync(new URL(`plugins/${name}/etc/`, root)), [`${name}.conf`])
    assert.equal(read(`plugins/${name}/etc/${name}.conf`), shipped)
  })

  test(`${name}: its page names every key`, () => {
    const page = read(`docs/plugins/${name}.md`)
    const keys = Object.keys(plugin.config ?? {}).filter((key) => key !== 'rules')
    for (const key of keys) assert.ok(page.includes(`\`${key.replace('$N', 'N')}\``), key)
  })

  test(`${name}: unloaded, nothing of it is left`, async (t) => {
    const broker = await startBroker(t)
    const { admin } = broker.broker
    const left = (): unknown => [
      admin.hooks().flatMap(({ hooks }) => hooks.filter(({ owner }) => owner === name)),
      admin.routes().length,
      admin.commands().length,
      admin.stats()['delayed.count'],
    ]
    const before = left()
    for (let round = 0; round < 3; round++) {
      await loadPlugin(broker, plugin, shipped)
      await broker.broker.plugins.unload(name)
    }
    assert.deepEqual(left(), before)
  })
}
