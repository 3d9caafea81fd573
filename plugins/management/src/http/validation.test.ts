import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoint } from './endpoint.ts'
import { Validation } from './validation.ts'

const endpoint = (schemas: Pick<Endpoint, 'bodySchema' | 'querySchema'>): Endpoint => ({
  method: 'POST',
  path: '/x',
  summary: 'x',
  ...schemas,
  handle: () => ({ status: 200 }),
})

const messageOf = (validation: Validation, schema: object, body: unknown): string => {
  try {
    validation.check(endpoint({ bodySchema: schema }), body, {})
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

test('a fault is told by place and expectation, never by value', () => {
  const validation = new Validation()
  const schema = {
    type: 'object',
    required: ['a'],
    additionalProperties: false,
    properties: {
      a: { type: 'integer', maximum: 5 },
      b: { enum: ['x', 1] },
      c: { type: 'array', items: { type: 'string' } },
    },
  }
  for (const [body, message] of [
    [{ a: 1 }, ''],
    [{}, 'body: a is missing'],
    [{ a: 'hunter2' }, 'body.a: expected integer, got string'],
    [{ a: null }, 'body.a: expected integer, got null'],
    [{ a: 9 }, 'body.a: must be <= 5'],
    [{ a: 1, b: 'hunter2' }, 'body.b: expected one of "x", 1'],
    [{ a: 1, c: ['x', []] }, 'body.c.1: expected string, got array'],
    [{ a: 1, d: 'hunter2' }, 'body: unknown field d'],
    [[], 'body: expected object, got array'],
  ] as const) {
    assert.equal(messageOf(validation, schema, body), message)
  }
})

test('texts of a query become what the schema says, and defaults are filled in', () => {
  const querySchema = {
    type: 'object',
    properties: {
      n: { type: 'integer' },
      flag: { type: 'boolean' },
      list: { type: 'array', items: { type: 'string' } },
      page: { type: 'integer', default: 1 },
    },
  }
  const { query } = new Validation().check(endpoint({ querySchema }), undefined, { n: '5', flag: 'true', list: 'one' })
  assert.deepEqual(query, { n: 5, flag: true, list: ['one'], page: 1 })
})

test('schemas of endpoints that are gone are forgotten: the same $id may come again', () => {
  const validation = new Validation()
  for (let generation = 0; generation < 3; generation++) {
    const bodySchema = { $id: 'thing', type: 'object', required: [`f${generation}`] }
    const current = endpoint({ bodySchema })
    validation.keepOnly(new Set([current]))
    assert.throws(() => validation.check(current, {}, {}), { message: `body: f${generation} is missing` })
  }
})

test('a schema that is none is the fault of its endpoint', () => {
  const broken = endpoint({ bodySchema: { type: 'shape' } })
  assert.throws(() => new Validation().check(broken, {}, {}), {
    status: 500,
    message: /schema of POST \/x is not usable/,
  })
})
