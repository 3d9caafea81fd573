import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Plugin } from '@hookmq/api'
import { startBroker } from '../support/broker.ts'
import { readText } from './load.ts'

const folder = new URL('../../plugins/', import.meta.url)

// What `plugins list` and the hints for unknown commands say of a plugin is read from its package.json, before it is imported.
for (const name of readdirSync(folder)) {
  test(`${name}: package.json says of it what it says of itself`, async (t) => {
    const manifest = JSON.parse(readFileSync(new URL(`${name}/package.json`, folder), 'utf8'))
    const { default: plugin } = (await import(new URL(`${name}/src/index.ts`, folder).href)) as { default: Plugin }
    assert.deepEqual([manifest.name, manifest.version], [`@hookmq/plugin-${plugin.name}`, plugin.version])
    assert.equal(manifest.description, plugin.description)

    const { broker } = await startBroker(t)
    const before = new Set(broker.admin.commands().map((command) => command.name))
    const quiet = name === 'management' ? 'dashboard.listener.http = 127.0.0.1:0\n' : ''
    await broker.plugins.load(plugin, readText(plugin, quiet))
    const own = broker.admin.commands().filter((command) => !before.has(command.name))
    assert.deepEqual(
      own.map((command) => command.name),
      manifest.hookmq?.commands ?? [],
    )
  })
}
