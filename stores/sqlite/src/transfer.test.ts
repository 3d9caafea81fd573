import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { folder, openStore } from './folder.testing.ts'
import { exportStore, importStore } from './transfer.ts'

test('an export, imported, is the same store; also of one that is open', async (t) => {
  const place = folder(t)
  const file = join(place, 'hookmq.db')
  const store = await openStore(t, { file })
  await store.namespace('plugin').put('ä', { a: [1, null] })
  const { sessions } = store
  const body = new Uint8Array(300).fill(255)
  for (const session of [1, 2]) {
    sessions.putSession(session, `c${session}`, 5, new Uint8Array([0, 255]))
    sessions.putSubscription(session, 'a/#', 1, 0)
    sessions.append(session, {
      sequence: 2 ** 52 + session,
      packetId: session === 1 ? 7 : 0,
      released: false,
      qos: 2,
      retain: true,
      subscriptionIdentifiers: [1],
      share: undefined,
      body,
    })
  }
  sessions.putAwaiting(1, 3, 1_700_000_000_000)
  sessions.putRetained('r', body)
  await sessions.settled()
  const text = join(place, 'all.jsonl')
  assert.equal(exportStore(file, text), 14)
  assert.throws(() => exportStore(file, text), { code: 'STORE_READ_ONLY', message: /written to a new file/ })
  const other = join(place, 'other', 'hookmq.db')
  assert.equal(importStore(other, text), 14)
  const second = join(place, 'again.jsonl')
  exportStore(other, second)
  assert.equal(readFileSync(second, 'utf8'), readFileSync(text, 'utf8'))
  const imported = await openStore(t, { file: other })
  assert.deepEqual(await imported.namespace('plugin').get('ä'), { a: [1, null] })
  assert.ok(imported.sessions.run > sessions.run)
  const session = await imported.sessions.readSession(1)
  assert.deepEqual(session?.inflight[0]?.body, body)
  assert.throws(() => importStore(other, text), { code: 'STORE_READ_ONLY', message: /there is a store already/ })
})

test('what is no export is refused with its line, and leaves nothing', async (t) => {
  const place = folder(t)
  const file = join(place, 'hookmq.db')
  const source = join(place, 'x.jsonl')
  const header = '{"format":"hookmq-store","schema":2}\n'
  for (const [text, message] of [
    ['', /is empty/],
    ['hello\n', /x\.jsonl:1: not a line of an export/],
    ['{"format":"other"}\n', /x\.jsonl:1/],
    ['{"format":"hookmq-store","schema":99}\n', /of a later version \(schema 99/],
    [`${header}["retained",{"topic":"a","body":{"base64":"AA=="}}]\n["sqlite_schema",{}]\n`, /x\.jsonl:3: .*no table/],
    [`${header}["retained",{"topic":"a"}]\n`, /x\.jsonl:2: .*NOT NULL/],
  ] as const) {
    writeFileSync(source, text)
    assert.throws(() => importStore(file, source), { message })
    assert.equal(existsSync(file), false)
  }
  assert.throws(() => importStore(file, join(place, 'none')), { message: /cannot be read/ })
})
