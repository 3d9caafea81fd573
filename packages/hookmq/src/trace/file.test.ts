import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { TraceFile } from './file.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-trace-'))
after(() => rmSync(folder, { recursive: true }))

test('whatever is written is one line without control characters', async () => {
  let files = 0
  await fc.assert(
    fc.asyncProperty(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), async (texts) => {
      const path = join(folder, String(files++))
      const file = await TraceFile.open(path)
      for (const text of texts) file.write(text)
      await file.close()
      const written = readFileSync(path, 'utf8')
      assert.equal(written.split('\n').length, texts.length + 1)
      assert.doesNotMatch(written.replaceAll('\n', ''), /\p{Cc}/u)
    }),
    { numRuns: 50 },
  )
})

test('what is there already counts', async () => {
  const path = join(folder, 'twice')
  for (let round = 0; round < 2; round++) {
    const file = await TraceFile.open(path, 20)
    file.write('12345678901')
    await file.close()
  }
  assert.equal(readFileSync(path, 'utf8'), '12345678901\n… the trace ends here: the file may have 20 bytes\n')
})
