import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Announcement, Cluster, ClusterHost, ClusterMember, ForwardedMessage } from '../cluster.ts'
import type { Message } from '../message.ts'
import { until } from './recording-host.ts'

interface Scope {
  after(run: () => void | Promise<void>): void
}

/**
 * Makes the members of one cluster, none of them started; what has to be cleared away afterwards is given to `scope`. One that
 * waits for others when it starts does so for a second at most.
 */
export type CreateClusters = (scope: Scope, names: readonly string[]) => Promise<readonly Cluster[]>

/** A member's broker: writes down what it is told. */
class RecordingMember implements ClusterHost {
  readonly cluster: Cluster
  readonly log: string[] = []
  readonly messages: { message: ForwardedMessage; filter: string | undefined }[] = []
  readonly members = new Map<string, ClusterMember>()
  readonly announcements = new Map<string, Announcement>()
  retainedHere: Message[] = []
  saved: Promise<void> | undefined
  readonly positions = new Map<string, string>()

  constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  member(name: string): ClusterMember {
    const member = this.members.get(name)
    assert.ok(member, `${name} has not joined`)
    return member
  }

  joined(member: ClusterMember): void {
    this.members.set(member.name, member)
  }

  left(member: ClusterMember): void {
    this.log.push(`left ${member.name}`)
  }

  forgotten(): void {
    this.announcements.clear()
  }

  announced(_member: ClusterMember, announcement: Announcement): void {
    this.announcements.set(`${announcement.member?.clientId ?? ''} ${announcement.filter}`, announcement)
  }

  withdrawn(_member: ClusterMember, filter: string, clientId = ''): void {
    this.announcements.delete(`${clientId} ${filter}`)
  }

  received(member: ClusterMember, message: ForwardedMessage, to?: { filter: string; clientId: string }): number {
    this.log.push(`${member.name} ${message.topic} ${Buffer.from(message.payload).toString('latin1').slice(0, 40)}`)
    this.messages.push({ message, filter: to && `${to.filter} ${to.clientId}` })
    return message.topic.length
  }

  receivedFrame(member: ClusterMember, frame: Buffer, start: number, end: number, version: 4 | 5, from: string): void {
    this.log.push(`${member.name} frame ${version} ${from} ${frame.toString('latin1', start, end)}`)
  }

  retained(_member: ClusterMember, { topic, message, route }: Parameters<ClusterHost['retained']>[1]): number {
    this.log.push(`retained ${topic} ${message === undefined ? 'none' : Buffer.from(message.payload)} ${route}`)
    return route ? 100 : 0
  }

  retainedMessages(): Iterator<Message | undefined> {
    return [undefined, ...this.retainedHere].values()
  }

  requested(_member: ClusterMember, subject: string, value: unknown): unknown {
    if (subject === 'fail') throw new Error('no such thing')
    return subject === 'later' ? Promise.resolve(new Map([['value', value]])) : value
  }

  told(member: ClusterMember, subject: string, value: unknown): void {
    this.log.push(`${member.name} told ${subject} ${JSON.stringify(value)}`)
  }

  reached(member: ClusterMember, position: string): void {
    this.positions.set(member.name, position)
  }

  position({ name }: ClusterMember): string | undefined {
    return this.positions.get(name)
  }

  settled(): Promise<void> | undefined {
    return this.saved
  }

  relieved(): void {}
}

function message(topic: string, payload: string, more: Partial<ForwardedMessage> = {}): ForwardedMessage {
  return {
    topic,
    payload: Buffer.from(payload),
    qos: 1,
    retain: false,
    dup: false,
    from: 'publisher',
    timestamp: 1234,
    properties: {},
    headers: {},
    ...more,
  }
}

/** What every cluster has to do. Call it from a test file of the part. */
export function clusterSuite(name: string, create: CreateClusters): void {
  const start = async (scope: Scope, names: readonly string[] = ['one', 'two']): Promise<RecordingMember[]> => {
    const members = (await create(scope, names)).map((cluster) => new RecordingMember(cluster))
    await Promise.all(members.map((member) => member.cluster.start(member)))
    return members
  }

  describe(`cluster: ${name}`, () => {
    test('every key has one owner, the same for all, and each member owns some', async (t) => {
      const clusters = await create(t, ['one', 'two', 'three'])
      const owned = new Map<string, number>()
      for (let index = 0; index < 300; index++) {
        const owners = new Set(clusters.map((cluster) => cluster.owner(`client-${index}`)))
        assert.equal(owners.size, 1)
        for (const owner of owners) owned.set(owner, (owned.get(owner) ?? 0) + 1)
      }
      for (const { name: own } of clusters) assert.ok((owned.get(own) ?? 0) > 30, `${own}: ${owned.get(own)}`)
      assert.equal(clusters.filter(({ leads }) => leads).length, 1)
    })

    test('announcements reach all, also those made before the others were there', async (t) => {
      const [one, two] = (await create(t, ['one', 'two'])).map((cluster) => new RecordingMember(cluster))
      one.cluster.announce({ filter: 'early/#' })
      const options = { qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
      one.cluster.announce({ filter: '$share/g/a', member: { clientId: 'c', options, available: true } })
      await Promise.all([one.cluster.start(one), two.cluster.start(two)])
      one.cluster.announce({ filter: 'late' })
      one.cluster.announce({ filter: '$share/g/a', member: { clientId: 'c', options, available: false } })
      await one.cluster.taken()
      assert.deepEqual([...two.announcements.keys()].sort(), [' early/#', ' late', 'c $share/g/a'])
      assert.equal(two.announcements.get('c $share/g/a')?.member?.available, false)
      one.cluster.withdraw('early/#')
      one.cluster.withdraw('$share/g/a', 'c')
      await one.cluster.taken()
      assert.deepEqual([...two.announcements.keys()], [' late'])
    })

    test('messages arrive whole, once and in order', async (t) => {
      const [one, two] = await start(t)
      const properties = {
        contentType: 'text',
        correlationData: Buffer.from([0, 255]),
        userProperties: [['a', 'b'] as const],
      } as unknown as ForwardedMessage['properties']
      const headers = { username: 'joe', peerhost: '10.0.0.1' }
      const big = 'x'.repeat(300_000)
      const link = one.member('two')
      link.forward(
        message('first/\u{1f600}', 'é', { properties, headers, seenId: 'A'.repeat(32), retain: true, qos: 2 }),
      )
      link.forward(message('second', big, { from: 'other', headers }))
      link.forward(message('third', '', { from: 'other', headers }), { filter: '$share/g/third', clientId: 'c' })
      for (let index = 0; index < 2000; index++) link.forward(message('many', `${index}`))
      await one.cluster.taken()
      assert.equal(two.messages.length, 2003)
      const [first, second, third] = two.messages
      assert.equal(first.message.topic, 'first/\u{1f600}')
      assert.equal(Buffer.from(first.message.payload).toString(), 'é')
      assert.deepEqual({ ...first.message.headers }, headers)
      assert.equal(first.message.properties.contentType, 'text')
      assert.deepEqual(Buffer.from(first.message.properties.correlationData ?? []), Buffer.from([0, 255]))
      assert.deepEqual([first.message.seenId, first.message.retain, first.message.qos], ['A'.repeat(32), true, 2])
      assert.equal(first.message.timestamp, 1234)
      assert.equal(Buffer.from(second.message.payload).toString(), big)
      assert.deepEqual([second.message.from, third.filter], ['other', '$share/g/third c'])
      const rest = two.messages.slice(3).map(({ message: { payload } }) => Number(Buffer.from(payload).toString()))
      assert.deepEqual(
        rest,
        Array.from({ length: 2000 }, (_, index) => index),
      )
    })

    test('frames, messages, retained messages and what is told keep their order', async (t) => {
      const [one, two] = await start(t)
      const buffer = Buffer.from('..FRAME..')
      one.member('two').forwardFrame(buffer, 2, 7, 5, 'p')
      buffer.fill(0)
      one.member('two').forward(message('a', 'b'))
      one.cluster.retain({ topic: 'r', message: message('r', 'kept'), stamp: 5, route: true })
      one.cluster.retain({ topic: 'r', stamp: 6, route: false })
      one.cluster.tell('subject', { a: [1] })
      await one.cluster.taken()
      assert.deepEqual(two.log, [
        'one frame 5 p FRAME',
        'one a b',
        'retained r kept true',
        'retained r none false',
        'one told subject {"a":[1]}',
      ])
    })

    test('who starts later gets what is retained', async (t) => {
      const [one, two] = (await create(t, ['one', 'two'])).map((cluster) => new RecordingMember(cluster))
      one.retainedHere = [1, 2, 3].map((index) => {
        const { seenId: _, ...rest } = message(`kept/${index}`, `${index}`, { retain: true })
        return { ...rest, id: `${index}`.repeat(32) }
      })
      await one.cluster.start(one)
      await two.cluster.start(two)
      assert.deepEqual(two.log, ['retained kept/1 1 false', 'retained kept/2 2 false', 'retained kept/3 3 false'])
    })

    test('requests are answered, also later, or fail with the reason', async (t) => {
      const [one] = await start(t)
      const link = one.member('two')
      assert.deepEqual(await link.request('now', [1, 'two']), [1, 'two'])
      assert.deepEqual(await link.request('later', 5), new Map([['value', 5]]))
      await assert.rejects(link.request('fail', 0), /no such thing/)
      const many = await Promise.all(Array.from({ length: 50 }, (_, index) => link.request('now', index)))
      assert.deepEqual(
        many,
        Array.from({ length: 50 }, (_, index) => index),
      )
    })

    test('receivers are counted where they are, for each message that wants it, before taken settles', async (t) => {
      const [one, two] = await start(t, ['one', 'two', 'three'])
      const tallies = [0, 0, 5].map((receivers) => ({ receivers }))
      one.member('two').forward(message('a', 'x'), undefined, tallies[0])
      one.member('two').forward(message('not counted', 'x'))
      one.member('three').forward(message('abc', 'x'), undefined, tallies[0])
      one.member('two').forward(message('ab', 'x'), { filter: '$share/g/ab', clientId: 'c' }, tallies[1])
      one.cluster.retain({ topic: 'r', message: message('r', 'kept'), stamp: 5, route: true }, tallies[2])
      await one.cluster.taken()
      assert.deepEqual(tallies, [{ receivers: 4 }, { receivers: 2 }, { receivers: 205 }])
      assert.equal(two.messages.length, 3)
      const later = { receivers: 0 }
      one.member('two').forward(message('abcd', 'x'), undefined, later)
      await one.cluster.taken()
      assert.deepEqual(later, { receivers: 4 })
    })

    test('taken waits for what the receiver has to save, and is nothing when nothing is on its way', async (t) => {
      const [one, two] = await start(t)
      await one.cluster.taken()
      assert.equal(one.cluster.taken(), undefined)
      let save = (): void => {}
      two.saved = new Promise<void>((resolve) => {
        save = resolve
      })
      one.member('two').forward(message('a', 'b'))
      let taken = false
      const work = one.cluster.taken()?.then(() => {
        taken = true
      })
      await until(() => two.messages.length === 1, 'the message')
      assert.equal(taken, false)
      save()
      await work
      assert.equal(taken, true)
    })

    test('who stops is gone for the others', async (t) => {
      const [one, two] = await start(t)
      await two.cluster.stop()
      await until(() => one.log.includes('left two'), 'the end of the other')
      assert.equal(one.member('two').connected, false)
      await assert.rejects(one.member('two').request('now', 1))
    })
  })
}
