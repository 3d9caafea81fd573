import { SqliteStore, type SqliteStoreOptions } from './sqlite-store.ts'

// Stores one value after the other, from many writers, and prints each key when its promise has settled. Until it is killed.
const [file = '', durability, round] = process.argv.slice(2)
const store = await SqliteStore.open({ file, durability: durability as SqliteStoreOptions['durability'] })
const values = store.namespace('plugin')

async function writer(name: number): Promise<void> {
  for (let count = 0; ; count++) {
    const key = `${round}/${name}/${count}`
    await values.put(key, { key, text: 'x'.repeat((count * 97) % 5000) })
    process.stdout.write(`${key}\n`)
  }
}

for (let name = 0; name < 8; name++) void writer(name)
