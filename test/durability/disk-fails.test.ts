import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { acknowledge, payloads, publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import { RawClient } from '../support/raw-client.ts'
import { until } from '../support/wait.ts'
import { kept } from './crash.ts'
import { BrokerProcess } from './kills/broker-process.ts'

const skip = process.platform === 'win32' ? 'has no such limit' : false

test('a disk that fails under a running broker: operators are told, clients are refused, what was acknowledged is there later', {
  skip,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-disk-'))
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data/loaded_plugins'), '')
  const first = new BrokerProcess(folder, 1, 2048)
  let second: BrokerProcess | undefined
  t.after(async () => {
    await first.kill()
    await second?.kill()
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  })
  const port = await first.ready
  assert.ok(port !== undefined, first.log)
  assert.match(first.ctl('status'), /^Node '.*' .* is started\n$/)
  const away = await RawClient.connect(port, { clientId: 'away', ...kept })
  await subscribe(away, 'a', { qos: 1 })
  await away.disconnect()
  const present = await RawClient.connect(port, { clientId: 'present', ...kept })
  await subscribe(present, 'b', { qos: 0 })
  const acknowledged: string[] = []
  const failed = (): boolean => first.log.includes('the disk failed')
  const publisher = await RawClient.connect(port)
  while (!failed() && acknowledged.length < 500) {
    const number = acknowledged.length
    const payload = `${number}:${'x'.repeat(20_000)}`
    publisher.send({ cmd: 'publish', topic: 'a', payload, qos: 1, messageId: number + 1, retain: false, dup: false })
    // The batch at hand is tried until it is written: its acknowledgement does not come.
    await until(() => publisher.pending > 0 || failed(), 'an answer, or a line in the log')
    if (publisher.pending > 0) {
      await publisher.expect('puback', { reasonCode: 0 })
      acknowledged.push(String(number))
    }
  }
  const another = await RawClient.connect(port)
  assert.equal((await publishThrough(another, 'a', 'no', { qos: 1 }))[0]?.reasonCode, 0x97)
  assert.ok(acknowledged.length > 5, `${acknowledged.length} acknowledged`)
  assert.match(
    first.log,
    /"level":"error".*hookmq\.db: the disk failed to read or write; look at the log of the system/,
  )
  assert.match(first.ctl('status'), /^The store does not work/m)
  assert.match(first.ctl('broker', 'stats'), /^store\.down\.count +: 1$/m)
  assert.deepEqual((await unsubscribe(present, 'b')).granted, [0x83])
  // All else goes on.
  await publishThrough(await RawClient.connect(port), 'b', 'still', {})
  assert.deepEqual(payloads(await present.settle()), ['still'])
  await first.kill()
  second = new BrokerProcess(folder, 1)
  const again = await second.ready
  assert.ok(again !== undefined, second.log)
  const back = await RawClient.connect(again, { clientId: 'away', ...kept })
  assert.equal(back.connack?.sessionPresent, true)
  for (const number of acknowledged) {
    const packet = await back.expect('publish')
    assert.equal(String(packet.payload).split(':')[0], number)
    await acknowledge(back, packet)
  }
})
