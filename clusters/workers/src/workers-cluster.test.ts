import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ClusterHost, ClusterMember, ForwardedMessage, Logger } from '@hookmq/api'
import { clusterSuite } from '@hookmq/api/testing'
import type { Link } from './link.ts'
import { WorkersCluster } from './workers-cluster.ts'

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

function newFolder(scope: { after(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-cluster-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

clusterSuite('workers', async (scope, names) => {
  const folder = newFolder(scope)
  const clusters = names.map((name) => new WorkersCluster({ name, names, folder, log: silent, patience: 1000 }))
  scope.after(async () => {
    await Promise.all(clusters.map((cluster) => cluster.stop(100)))
  })
  return clusters
})

class Counting implements ClusterHost {
  member: ClusterMember | undefined
  received_ = 0
  relieves = 0
  joined(member: ClusterMember): void {
    this.member = member
  }
  left(): void {}
  forgotten(): void {}
  announced(): void {}
  withdrawn(): void {}
  received(_member: ClusterMember, { topic }: ForwardedMessage): number {
    this.topics.push(topic)
    return ++this.received_
  }
  receivedFrame(): void {}
  retained(): number {
    return 0
  }
  retainedMessages(): Iterator<undefined> {
    return [].values()
  }
  requested(): undefined {}
  told(): void {}
  /** What the store would have of it. */
  stored: string | undefined
  safe: Promise<void> | undefined
  topics: string[] = []
  reached(_member: ClusterMember, position: string): void {
    this.stored = position
  }
  position(): string | undefined {
    return this.stored
  }
  settled(): Promise<void> | undefined {
    return this.safe
  }
  relieved(): void {
    this.relieves++
  }
}

const kilobyte: ForwardedMessage = {
  topic: 'a',
  payload: Buffer.alloc(1024),
  qos: 0,
  retain: false,
  dup: false,
  from: 'p',
  timestamp: 0,
  properties: {},
  headers: {},
}

test('what waits for a worker is bounded: publishers are slowed, then messages are dropped and counted; all else arrives', async (t) => {
  const folder = newFolder(t)
  const names = ['one', 'two']
  const make = (name: string) => new WorkersCluster({ name, names, folder, log: silent, maxPending: 512 * 1024 })
  const [one, two] = names.map(make)
  const [sender, receiver] = [new Counting(), new Counting()]
  await Promise.all([one.start(sender), two.start(receiver)])
  t.after(() => Promise.all([one.stop(100), two.stop(100)]))
  for (let index = 0; index < 60; index++) sender.member?.forward(kilobyte)
  assert.equal(one.congested, false)
  for (let index = 0; index < 60; index++) sender.member?.forward(kilobyte)
  assert.equal(one.congested, true, 'beyond an eighth')
  for (let index = 0; index < 1000; index++) sender.member?.forward(kilobyte)
  const { dropped } = one.counters()
  assert.ok(dropped > 500 && dropped < 900, `${dropped} dropped`)
  await one.taken()
  assert.equal(receiver.received_ + dropped, 1120)
  assert.equal(one.congested, false)
  assert.equal(sender.relieves, 1)
})

test('what is sent to a worker that is away is kept for it, and given up after a while', async (t) => {
  const folder = newFolder(t)
  const names = ['one', 'two']
  const make = (name: string, patience: number) =>
    new WorkersCluster({ name, names, folder, log: silent, patience, maxPending: 512 * 1024 })
  const one = make('one', 60_000)
  const first = make('two', 60_000)
  const sender = new Counting()
  await Promise.all([one.start(sender), first.start(new Counting())])
  await first.stop(100)
  while (sender.member?.connected) await new Promise((resolve) => setImmediate(resolve))
  for (let index = 0; index < 100; index++) sender.member?.forward(kilobyte)
  assert.equal(one.congested, false, 'others go on')
  let taken = false
  const work = one.taken()?.then((done) => {
    taken = done
  })
  const again = new Counting()
  const second = make('two', 60_000)
  assert.equal(taken, false)
  await second.start(again)
  await work
  assert.equal(taken, true)
  assert.equal(again.received_, 100)
  await Promise.all([one.stop(100), second.stop(100)])

  const impatient = make('one', 50)
  const gone = make('two', 50)
  const host = new Counting()
  await Promise.all([impatient.start(host), gone.start(new Counting())])
  await gone.stop(100)
  while (host.member?.connected) await new Promise((resolve) => setImmediate(resolve))
  host.member?.forward(kilobyte)
  assert.equal(await impatient.taken(), false, 'what was given up was not taken')
  assert.equal(impatient.counters().pending, 0)
  await impatient.stop(100)
})

test('what a worker has stored and not acknowledged when it ends is not taken once more, what it has not is', async (t) => {
  const folder = newFolder(t)
  const names = ['one', 'two']
  const make = (name: string) => new WorkersCluster({ name, names, folder, log: silent, patience: 60_000 })
  const [one, first] = names.map(make)
  const [sender, before] = [new Counting(), new Counting()]
  // It stores, but never gets to say so.
  before.safe = new Promise(() => {})
  await Promise.all([one.start(sender), first.start(before)])
  const send = (topic: string) => sender.member?.forward({ ...kilobyte, topic, qos: 2 })
  for (const topic of ['a', 'b', 'c']) send(topic)
  const taken = one.taken()
  while (before.topics.length < 3) await new Promise((resolve) => setImmediate(resolve))
  const { stored } = before
  for (const topic of ['d', 'e']) send(topic)
  void one.taken()
  while (before.topics.length < 5) await new Promise((resolve) => setImmediate(resolve))
  await first.stop(0)
  while (sender.member?.connected) await new Promise((resolve) => setImmediate(resolve))
  send('f')

  const second = make('two')
  const after = new Counting()
  // The last batch was not committed.
  after.stored = stored
  await second.start(after)
  await taken
  send('g')
  await one.taken()
  assert.deepEqual(after.topics, ['d', 'e', 'f', 'g'])

  // A worker that sends begins to count anew: nothing of the one before is taken for its own.
  await one.stop(100)
  const other = make('one')
  const again = new Counting()
  await other.start(again)
  again.member?.forward({ ...kilobyte, topic: 'h' })
  await other.taken()
  assert.deepEqual(after.topics, ['d', 'e', 'f', 'g', 'h'])
  await Promise.all([other.stop(100), second.stop(100)])
})

test('a connection between two workers that breaks loses and doubles nothing that somebody waits for', async (t) => {
  const folder = newFolder(t)
  const names = ['one', 'two']
  const [one, two] = names.map((name) => new WorkersCluster({ name, names, folder, log: silent, patience: 60_000 }))
  const [sender, receiver] = [new Counting(), new Counting()]
  await Promise.all([one.start(sender), two.start(receiver)])
  t.after(() => Promise.all([one.stop(100), two.stop(100)]))
  const sent: string[] = []
  for (let round = 0; round < 8; round++) {
    for (let index = 0; index < 5; index++) {
      sent.push(`${round}/${index}`)
      sender.member?.forward({ ...kilobyte, topic: `${round}/${index}` })
    }
    const taken = one.taken()
    if (round % 2 === 0) {
      // Taken, but the answer does not come through.
      while (receiver.topics.length < sent.length) await new Promise((resolve) => setImmediate(resolve))
      ;(receiver.member as Link).destroy()
    } else (sender.member as Link).destroy()
    await taken
  }
  assert.deepEqual(receiver.topics, sent)
})

test('all that is sent in one turn of the event loop leaves in one write to the socket of each worker', async (t) => {
  const folder = newFolder(t)
  const names = ['one', 'two', 'three']
  const clusters = names.map((name) => new WorkersCluster({ name, names, folder, log: silent }))
  const hosts = names.map(() => new Counting())
  await Promise.all(clusters.map((cluster, index) => cluster.start(hosts[index])))
  t.after(() => Promise.all(clusters.map((cluster) => cluster.stop(100))))
  const [one] = clusters
  await one.taken()
  const small = { ...kilobyte, payload: Buffer.from('x') }
  const packet = Buffer.from('\x30\x04\x00\x01ax', 'latin1')
  const write = t.mock.method(Socket.prototype, 'write')
  /** Runs `send` and resolves to the sizes of the writes until the others have all of it; not counted: their answers. */
  const writesOf = async (send: () => void): Promise<number[]> => {
    write.mock.resetCalls()
    send()
    const taken = one.taken()
    assert.equal(write.mock.callCount(), 0, 'not at once')
    await taken
    const sizes = write.mock.calls.map(({ arguments: [bytes] }) => (bytes as unknown as Buffer).length)
    return sizes.filter((size) => size > answer)
  }
  // An answer is an ACK without counts.
  const answer = 4 + 1 + 8
  const { member } = hosts[0]
  assert.deepEqual((await writesOf(() => member?.forward(small))).length, 1)
  const many = await writesOf(() => {
    for (let index = 0; index < 1000; index++) {
      member?.forward(small)
      member?.forwardFrame(packet, 0, packet.length, 4, 'p')
    }
    one.announce({ filter: 'a' })
    one.tell('subject', 1)
  })
  assert.equal(many.length, 2, 'one to each of two')
  assert.ok(Math.max(...many) > 2000 * packet.length)
  assert.deepEqual(
    hosts
      .slice(1)
      .map(({ received_ }) => received_)
      .sort(),
    [0, 1001],
  )
})
