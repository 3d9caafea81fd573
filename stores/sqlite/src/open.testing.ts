import { SqliteStore } from './sqlite-store.ts'

// Opens the store that is named and prints what comes of it: as a process of its own, for a user of its own.
try {
  const store = await SqliteStore.open({ file: process.argv[2] ?? '' })
  await store.close()
  process.stdout.write('opened\n')
} catch (error) {
  const { code, message } = error as { code?: string; message: string }
  process.stdout.write(`${code} ${message}\n`)
}
