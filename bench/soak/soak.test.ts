import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SoakClient } from './client.ts'
import { Senders } from './senders.ts'
import { Tally } from './tally.ts'

const entry = fileURLToPath(new URL('soak.ts', import.meta.url))
const onLinux = { skip: process.platform === 'linux' ? false : 'reads /proc' }

test('a short soak with few clients: everything takes place, and nothing is lost', onLinux, () => {
  const words = ['0.05', '--connections', '120', '--publishers', '20', '--period', '0.2', '--changes', '50']
  const { stdout, stderr } = spawnSync(process.execPath, [entry, ...words], { encoding: 'utf8' })
  // Whether it stalls or grows is not for a machine that runs tests to say.
  assert.match(stdout, /^\| lost, doubled, out of order, cut off \| 0 \|$/m, stdout + stderr)
  assert.match(stdout, /^\| deliveries checked \| [1-9]/m)
  assert.match(stdout, /session taken over/)
  assert.match(stdout, /^\| heap after a full collection, at the beginning and at the end \| [1-9]/m)
  assert.match(stdout, /^\| longest stall of the loop \| \d+ ms \|$/m)
})

test('what is missing, doubled or out of order is seen', () => {
  const tally = new Tally()
  const senders = new Senders(1, tally)
  const clients = new Map<string, SoakClient>()
  const make = (id: string): SoakClient => {
    const client = new SoakClient({ port: 1, address: '127.0.0.1' }, id)
    clients.set(id, client)
    return client
  }
  assert.equal([...senders.opening(make)].length, Senders.connections(1))
  const frame = { qos: 0, dup: false } as Parameters<SoakClient['onMessage']>[2]
  const arrives = (id: string, topic: string, number: number): number => {
    const payload = Buffer.alloc(64)
    payload.writeUInt32BE(number, 0)
    const before = tally.failures
    clients.get(id)?.onMessage(topic, payload, frame)
    return tally.failures - before
  }
  const numbers = [0, 1, 1, 2, 4, 5, 0]
  const failures = numbers.map((number) => arrives('subscriber-0', 'soak/p/0', number))
  assert.deepEqual(failures, [0, 0, 1, 0, 1, 0, 1])
  assert.equal(arrives('sees-all-1', 'soak/p/0', 0), 0, 'each receiver for itself')
  assert.equal(arrives('member-3', 'soak/w/0', 0), 1, 'work that nobody gave')
})
