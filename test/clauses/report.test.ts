import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mqtt311 } from './mqtt-3.1.1.ts'
import { mqtt5 } from './mqtt-5.0.ts'
import { report } from './report.ts'

const result = report()

test('each statement is listed once', () => {
  const ids = [...mqtt5, ...mqtt311].map(({ id }) => id)
  assert.deepEqual(
    ids.filter((id, index) => ids.indexOf(id) !== index),
    [],
  )
})

test('no number is left out between the first and the last of a section', () => {
  // 2.2.1-1 does not exist: that section of the standard begins with 2.2.1-2.
  const gaps: string[] = []
  for (const [list, suffix] of [[mqtt5, ''] as const, [mqtt311, ' v3.1.1'] as const]) {
    const ids = new Set(list.map(({ id }) => id))
    for (const id of ids) {
      const [, section, number] = /^(.*)-(\d+)/.exec(id) ?? []
      const previous = `${section}-${Number(number) - 1}${suffix}`
      if (Number(number) > 1 && !ids.has(previous)) gaps.push(previous)
    }
  }
  assert.deepEqual(gaps, ['MQTT-2.2.1-1'])
})

test('every tag names a statement that exists', () => {
  assert.deepEqual(result.unknown, [])
})

test('no statement is called untaggable and tagged all the same', () => {
  assert.deepEqual(
    result.contradicted.map(({ id }) => id),
    [],
  )
})

test('every statement that binds a server is tagged in a test or in the code, or has a named reason', () => {
  assert.deepEqual(
    result.missing.map(({ id, summary }) => `${id}: ${summary}`),
    [],
  )
})
