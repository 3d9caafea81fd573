import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Findings, findingKinds } from './findings.ts'

test('docs/exhook-tools.md explains every finding, and no others', () => {
  const text = readFileSync(new URL('../../../../../docs/exhook-tools.md', import.meta.url), 'utf8')
  const section = text.slice(text.indexOf('### What it finds'), text.indexOf('## record'))
  const rows = section.split('\n').filter((line) => line.startsWith('| `'))
  const explained = rows.flatMap((line) =>
    [...(line.split(' | ')[0] ?? '').matchAll(/`([a-z0-9-]+)`/g)].map(([, name]) => name),
  )
  assert.deepEqual(explained.toSorted(), Object.keys(findingKinds).toSorted())
})

test('the same finding is said once, and the worst come first', () => {
  const findings = new Findings()
  findings.add('no-hooks', 'a')
  findings.add('unknown-hook', 'b')
  findings.add('unknown-hook', 'b')
  findings.add('unknown-hook', 'c')
  findings.add('nobody-listens', 'd')
  assert.deepEqual(
    findings.all.map(({ level, text }) => [level, text]),
    [
      ['unreachable', 'd'],
      ['mistake', 'b'],
      ['mistake', 'c'],
      ['advice', 'a'],
    ],
  )
})
