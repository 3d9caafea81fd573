import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RecordedEvent, RecordedVerdict, RecordHeader } from '../record/format.ts'
import { compare, comparisonLines, type Run } from './compare.ts'

const header: RecordHeader = {
  format: 'hookmq.exhook.record',
  version: 1,
  source: 'replay',
  started: '',
  node: 'n',
  hookmq: '0.1.0',
  hooks: ['client.authorize', 'message.publish'],
  payloads: 'kept',
  passwords: 'kept',
}

async function* each<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list
}

function run(list: readonly RecordedEvent[], given: Partial<RecordHeader> = {}): Run {
  return { header: { ...header, ...given }, events: each(list) }
}

function event(seq: number, verdict?: RecordedVerdict, hook = 'client.authorize'): RecordedEvent {
  return { seq, at: 0, hook, request: { clientinfo: { clientid: 'c' }, topic: 't' }, verdict }
}

test('differences are those events that are missing or decided otherwise, whatever was taken out of either side', async () => {
  const kinds = fc.constantFrom('same', 'other', 'left only', 'right only', 'nowhere')
  await fc.assert(
    fc.asyncProperty(fc.array(kinds, { maxLength: 60 }), async (plan) => {
      const left: RecordedEvent[] = []
      const right: RecordedEvent[] = []
      for (const [index, kind] of plan.entries()) {
        if (kind === 'same' || kind === 'other' || kind === 'left only') left.push(event(index, { result: 'allow' }))
        if (kind === 'same' || kind === 'right only') right.push(event(index, { result: 'allow' }))
        if (kind === 'other') right.push(event(index, { result: 'deny' }))
      }
      const { events, compared, different, differences } = await compare(run(left), run(right))
      const expected = [...plan.entries()]
        .filter(([, kind]) => kind !== 'same' && kind !== 'nowhere')
        .map(([index]) => index)
      assert.deepEqual(
        differences.map(({ seq }) => seq),
        expected,
      )
      assert.equal(different, expected.length)
      assert.equal(events, plan.filter((kind) => kind === 'same' || kind === 'other').length)
      assert.equal(compared, events)
    }),
  )
})

const change = (fields: Partial<RecordedVerdict> = {}): RecordedVerdict => ({
  result: 'change',
  topic: 'a',
  qos: 1,
  payload: 'eA==',
  ...fields,
})

test('what counts as a difference', async () => {
  const alike = async (
    one: RecordedVerdict | undefined,
    other: RecordedVerdict | undefined,
    left: Partial<RecordHeader> = {},
    right = left,
  ) => (await compare(run([event(1, one)], left), run([event(1, other)], right))).different === 0
  assert.ok(await alike(undefined, { result: 'told' }))
  assert.ok(await alike({ result: 'deny', code: 0x87 }, { result: 'deny', answer: 'STOP_AND_RETURN' }))
  assert.ok(!(await alike({ result: 'reject', code: 0x87 }, { result: 'reject', code: 0x97 })))
  assert.ok(await alike({ result: 'unanswered' }, { result: 'allow' }))
  assert.ok(!(await alike({ result: 'error', reason: 'x' }, { result: 'allow' })))
  assert.ok(await alike(change(), change()))
  for (const other of [{ topic: 'b' }, { qos: 2 }, { payload: 'eQ==' }])
    assert.ok(!(await alike(change(), change(other))))
  // Payloads that were replaced by letters say nothing about the real ones.
  assert.ok(
    await alike(
      change({ payload: undefined, payload_bytes: 3 }),
      change(),
      { payloads: 'masked', source: 'broker' },
      { payloads: 'masked' },
    ),
  )
  assert.ok(!(await alike(change(), change({ payload: 'eQ==' }), { payloads: 'masked' })))
})

test('hooks that only one of them has are left out; the report is short and cannot move the cursor', async () => {
  const many = Array.from({ length: 50 }, (_, index) => event(index, { result: 'allow' }))
  const other = many.map(({ seq }) => event(seq, { result: 'deny', code: 0x87 }))
  assert.equal((await compare(run(many, { hooks: [] }), run(other))).different, 0)
  const comparison = await compare(run(many), run(other))
  const lines = comparisonLines(comparison, 'one', 'two')
  assert.equal(lines[0], '50 events compared, 50 differ: one → two')
  assert.equal(lines[1], '  #0  client.authorize  c t: allow → deny 0x87')
  assert.equal(lines.at(-1), '  … and 30 more')
  const evil = { ...event(1, { result: 'allow' }), request: { clientinfo: { clientid: '\x1b[2J' } } }
  const [, line] = comparisonLines(await compare(run([evil]), run([])), 'one', 'two')
  assert.equal(line, '  #1  client.authorize  ?[2J: allow → not there')
})
