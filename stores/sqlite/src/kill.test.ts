import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { databaseFile, openStore } from './folder.testing.ts'
import { SqliteStore } from './sqlite-store.ts'

const program = fileURLToPath(new URL('./writer.testing.ts', import.meta.url))

/** Runs the writer, kills it as soon as it has written so many keys, and resolves to those. */
async function killed(file: string, durability: string, round: number, count: number): Promise<string[]> {
  const child = spawn(process.execPath, [program, file, durability, String(round)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  let lines = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    lines += text.split('\n').length - 1
    if (lines >= count) child.kill('SIGKILL')
  })
  const [code, signal] = await once(child, 'close')
  assert.equal(signal, 'SIGKILL', `it ended by itself with ${code}`)
  // What follows the last line break is a line that it had not finished.
  return output.split('\n').slice(0, -1)
}

for (const [durability, rounds] of [
  ['fsync', 10],
  ['os', 3],
  ['none', 3],
] as const) {
  test(`${durability}: a value whose promise has settled is there after kill -9, ${rounds} times`, async (t) => {
    const file = databaseFile(t)
    const acknowledged: string[] = []
    for (let round = 0; round < rounds; round++) {
      acknowledged.push(...(await killed(file, durability, round, 1 + ((round * 37) % 200))))
      const store = await SqliteStore.open({ file })
      const values = store.namespace('plugin')
      const found = await Promise.all(acknowledged.map((key) => values.get(key)))
      const lost = acknowledged.filter((key, index) => (found[index] as { key: string } | undefined)?.key !== key)
      assert.deepEqual(lost, [], `round ${round}`)
      await store.close()
    }
    const store = await openStore(t, { file })
    let count = 0
    for await (const [key, value] of store.namespace('plugin').list()) {
      assert.equal((value as { key: string }).key, key)
      count++
    }
    assert.ok(count >= acknowledged.length)
  })
}
