import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import aclFile from '@hookmq/plugin-acl-file'
import { serve, silentLogger, stop } from '@hookmq/provider'
import exhook from '@hookmq/provider-exhook'
import { createBroker } from 'hookmq'
import mqtt from 'mqtt'
import { until } from '../support/wait.ts'
import { projectRoot } from '../templates/copy.ts'

const shipped = readFileSync(join(projectRoot, 'etc/acl.conf'), 'utf8')
const without = shipped.replace(/^\{allow, all\}\.$|^.*127\.0\.0\.1.*$/gm, '')

for (const [name, rules, expected] of [
  ['as shipped, decides everything', shipped, []],
  ['without two of its rules, leaves the rest to the server', without, ['a/b']],
] as const)
  test(`docs/exhook-differences.md: etc/acl.conf ${name}`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'hookmq-acl-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const file = join(folder, 'acl.conf')
    writeFileSync(file, rules)
    const asked: string[] = []
    const server = await serve(
      {
        'client.authorize': (_, { topic }) => {
          asked.push(topic)
          return stop(false)
        },
      },
      { listen: 0, logger: silentLogger, signals: false },
    )
    t.after(() => server.close())
    const broker = await createBroker({
      listeners: [{ type: 'tcp' }],
      plugins: [
        { plugin: aclFile, config: { file } },
        { plugin: exhook, config: { 'exhook.server.one.url': `http://${server.address}` } },
      ],
    })
    t.after(() => broker.stop(500))
    await broker.start()
    await until(() => broker.admin.providers()[0]?.status === 'loaded', 'the load')
    const client = await mqtt.connectAsync(`mqtt://${broker.listeners[0].address}`, { protocolVersion: 5 })
    t.after(() => void client.end(true))
    const published = client.publishAsync('a/b', 'x', { qos: 1 })
    if (expected.length > 0) await assert.rejects(published, /Not authorized/)
    else await published
    assert.deepEqual(asked, expected)
  })
