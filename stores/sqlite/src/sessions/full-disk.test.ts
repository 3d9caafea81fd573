import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { openStore } from '../folder.testing.ts'

const isRoot = process.getuid?.() === 0 && process.platform === 'linux'

test('a full disk: nothing is lost, and when there is room again what waited is written', async (t) => {
  if (!isRoot) return t.skip('mounting a small disk needs root on Linux')
  const disk = mkdtempSync(join(tmpdir(), 'hookmq-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk])
  } catch {
    rmSync(disk, { recursive: true })
    return t.skip('this system does not let root mount a disk')
  }
  const store = await openStore(t, { file: join(disk, 'hookmq.db') })
  t.after(() => {
    execFileSync('umount', ['-l', disk])
    rmSync(disk, { recursive: true })
  })
  const troubles: (string | undefined)[] = []
  store.sessions.observe({ committed() {}, troubled: (problem) => troubles.push(problem) })
  const body = new Uint8Array(10_000)
  const append = (sequence: number): void =>
    store.sessions.append(1, {
      sequence,
      packetId: 0,
      released: false,
      qos: 1,
      retain: false,
      subscriptionIdentifiers: undefined,
      share: undefined,
      body,
    })
  store.sessions.putSession(1, 'c', undefined, new Uint8Array(1))
  await store.sessions.settled()
  const ballast = join(disk, 'ballast')
  // All that is left.
  try {
    writeFileSync(ballast, new Uint8Array(4_000_000))
  } catch {}
  let sequence = 0
  while (troubles.length === 0) {
    append(++sequence)
    await Promise.race([store.sessions.settled(), wait(20)])
    assert.ok(sequence < 1000, 'it must get full')
  }
  assert.match(String(troubles[0]), /the disk is full/)
  const { committed } = store.sessions
  append(++sequence)
  await wait(50)
  assert.equal(store.sessions.committed, committed)
  // To read does not wait for the disk, and sees what it has not taken.
  assert.equal((await store.sessions.readSession(1))?.queued, sequence)
  const page = await store.sessions.readQueue(1, sequence - 2, 10, 1_000_000)
  assert.deepEqual(
    page.deliveries.map((delivery) => delivery.sequence),
    [sequence - 1, sequence],
  )
  assert.deepEqual(await store.sessions.readDue(0, Date.now(), 10), [])
  assert.equal(store.sessions.committed, committed)
  rmSync(ballast)
  await store.sessions.settled()
  assert.equal(store.sessions.problem, undefined)
  assert.equal(troubles.at(-1), undefined)
  const { queued } = (await store.sessions.readSession(1)) ?? {}
  assert.equal(queued, sequence)
})
