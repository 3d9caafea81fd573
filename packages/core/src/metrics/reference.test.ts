import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { metricTable } from './metric-table.ts'
import { metricsReference } from './reference.ts'
import { statTable } from './stat-table.ts'

const file = new URL('../../../../docs/reference/metrics.md', import.meta.url)

test('docs/reference/metrics.md is what the tables say (UPDATE_REFERENCE=1 writes it)', () => {
  if (process.env.UPDATE_REFERENCE === '1') {
    mkdirSync(new URL('.', file), { recursive: true })
    writeFileSync(file, metricsReference())
  }
  assert.equal(readFileSync(file, 'utf8'), metricsReference())
})

test('the page has every metric and stat once', () => {
  const rows = metricsReference()
    .split('\n')
    .flatMap((line) => /^\| `([a-z0-9_.]+)` \|/.exec(line)?.[1] ?? [])
    .filter((name) => !['version', 'sysdescr', 'uptime', 'datetime'].includes(name))
  assert.deepEqual(rows, [...metricTable.map(([name]) => name), ...statTable.map(([name]) => name)])
})
