import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { acknowledge, publish, publishThrough, subscribe } from '../support/actions.ts'
import { RawClient } from '../support/raw-client.ts'
import { kept } from './crash.ts'

/** A broker in a process of its own, that answers with its port. */
async function serve(dataDir: string): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [new URL('./serve.ts', import.meta.url).pathname, dataDir], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [port] = (await once(child, 'message')) as [number]
  return { child, port }
}

test('kill -9 while messages flow: what was acknowledged is there, in order', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'hookmq-kill-'))
  let running: ChildProcess | undefined
  t.after(() => {
    running?.kill('SIGKILL')
    rmSync(dataDir, { recursive: true, force: true })
  })
  const acknowledged: number[] = []
  const received: number[] = []
  let next = 0
  for (let round = 0; round < 4; round++) {
    const { child, port } = await serve(dataDir)
    running = child
    const subscriber = await RawClient.connect(port, { clientId: 'sub', ...kept })
    assert.equal(subscriber.connack?.sessionPresent, round > 0)
    if (round === 0) await subscribe(subscriber, 'a', { qos: 1 })
    const publisher = await RawClient.connect(port)
    const ids = new Map<number, number>()
    const killed = once(child, 'exit')
    const publishing = (async () => {
      for (;;) {
        for (let index = 0; index < 20; index++) ids.set(publish(publisher, 'a', `${next}`, { qos: 1 }), next++)
        for (let index = 0; index < 20; index++) {
          const { messageId } = await publisher.expect('puback')
          acknowledged.push(ids.get(messageId as number) ?? -1)
        }
        if (acknowledged.length > 400 * (round + 1)) child.kill('SIGKILL')
      }
    })().catch(() => {})
    const receiving = (async () => {
      for (;;) {
        const packet = await subscriber.expect('publish')
        received.push(Number(String(packet.payload)))
        if (received.length % 3 !== 0) await acknowledge(subscriber, packet)
        else subscriber.send({ cmd: 'puback', messageId: packet.messageId as number })
      }
    })().catch(() => {})
    await killed
    await Promise.all([publishing, receiving])
  }
  const { child, port } = await serve(dataDir)
  running = child
  const subscriber = await RawClient.connect(port, { clientId: 'sub', ...kept })
  await publishThrough(await RawClient.connect(port), 'a', 'end', { qos: 1 })
  for (;;) {
    const packet = await subscriber.expect('publish')
    await acknowledge(subscriber, packet)
    if (String(packet.payload) === 'end') break
    received.push(Number(String(packet.payload)))
  }
  const got = new Set(received)
  assert.deepEqual(
    acknowledged.filter((number) => !got.has(number)),
    [],
  )
  const first = [...got]
  assert.deepEqual(
    first,
    first.toSorted((a, b) => a - b),
    'in order, those that come again left out',
  )
})
