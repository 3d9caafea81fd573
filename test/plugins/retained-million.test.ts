import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

interface Reading {
  readonly what: string
  readonly milliseconds: number
  readonly stall: number
  readonly result: unknown
}

/** Reading a million messages in one go takes seconds. The garbage collector alone may take tenths of one on a busy machine. */
const tooLong = 1500

test('reading and cleaning a million retained messages does not hold up the event loop', {
  timeout: 300_000,
}, async (t) => {
  const script = fileURLToPath(new URL('./retained-million.ts', import.meta.url))
  const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill())
  const readings: Reading[] = []
  for await (const line of createInterface({ input: child.stdout })) readings.push(JSON.parse(line))
  if (child.exitCode === null) await once(child, 'exit')
  assert.equal(child.exitCode, 0)
  assert.equal(readings.length, 6)
  for (const { what, milliseconds, stall, result } of readings) {
    t.diagnostic(`${what}: ${milliseconds} ms, longest stall ${stall} ms (${result})`)
    assert.ok(stall < tooLong, `${what} held up the event loop for ${stall} ms`)
  }
  assert.match(String(readings.at(-2)?.result), /^Cleaned 1000 /)
  assert.match(String(readings.at(-1)?.result), /^Cleaned 999000 /)
})
