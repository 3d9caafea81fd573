import { SqliteStore } from './sqlite-store.ts'

// Stores values until one is refused, for a process whose files cannot grow any more. Prints how many were stored, what the refusal
// was, and how many of them can still be read.
const store = await SqliteStore.open({ file: process.argv[2] ?? '' })
const values = store.namespace('plugin')
let stored = 0
let refusal: { code?: string; message: string } | undefined
while (refusal === undefined && stored < 1000) {
  await values.put(String(stored), 'x'.repeat(10_000)).then(
    () => stored++,
    (error: Error) => {
      refusal = error
    },
  )
}
let readable = 0
for await (const _ of values.list()) readable++
process.stdout.write(`${JSON.stringify({ stored, readable, code: refusal?.code, message: refusal?.message })}\n`)
await store.close()
