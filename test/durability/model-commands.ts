import assert from 'node:assert/strict'
import type { SessionStore } from '@hookmq/api'
import { MemorySessionStore } from '@hookmq/store-memory'
import fc from 'fast-check'
import { publish, publishThrough, subscribe, unsubscribe } from '../support/actions.ts'
import type { RawClient, Received } from '../support/raw-client.ts'
import type { Crashing } from './crash.ts'
import { type Expected, expiry, receiveMaximum, type SessionModel } from './model.ts'

/** The broker, and what its client has in hands. */
export class Real {
  readonly crashing: Crashing<SessionStore>
  client: RawClient | undefined
  /** Packet identifiers under which the client got what, until its exchange is over. */
  readonly identifiers = new Map<string, number>()
  #count = 0

  constructor(crashing: Crashing<SessionStore>) {
    this.crashing = crashing
  }

  payload(): string {
    return String(++this.#count)
  }

  get online(): RawClient {
    assert.ok(this.client !== undefined)
    return this.client
  }

  /** All that has come is what the model says, in its order. QoS 0 promises nothing, and is left out. */
  async sees(expected: readonly Expected[], answers: readonly string[] = []): Promise<void> {
    if (this.client === undefined) return assert.deepEqual(expected, [])
    const came: Received[] = []
    const acknowledged: string[] = []
    const few = async (): Promise<void> => {
      for (const packet of await this.online.settle()) {
        if (packet.cmd === 'pubrec' || packet.cmd === 'pubcomp') acknowledged.push(`${packet.cmd} ${packet.messageId}`)
        else if (packet.cmd !== 'publish' || packet.qos !== 0) came.push(packet)
      }
    }
    // A message leaves when it is stored with its identifier.
    const some = (): boolean => came.length < expected.length || acknowledged.length < answers.length
    for (let round = 0; round < 200 && some(); round++) {
      await this.crashing.store.settled()
      await few()
    }
    await this.crashing.store.settled()
    await few()
    const seen = came.map((packet): Expected | string => {
      const messageId = packet.messageId as number
      if (packet.cmd === 'pubrel') {
        const payload = [...this.identifiers].find(([, id]) => id === messageId)?.[0] ?? `unknown ${messageId}`
        return { cmd: 'pubrel', payload }
      }
      if (packet.cmd !== 'publish') return packet.cmd
      const payload = String(packet.payload)
      const known = this.identifiers.get(payload)
      if (packet.dup === true) assert.equal(messageId, known, `${payload} comes again under its identifier`)
      else
        assert.ok(![...this.identifiers.values()].includes(messageId), `${payload} under an identifier that is in use`)
      this.identifiers.set(payload, messageId)
      return { cmd: 'publish', payload, qos: packet.qos as 1 | 2, dup: packet.dup as boolean }
    })
    assert.deepEqual(seen, expected)
    assert.deepEqual(acknowledged, answers)
  }

  lost(): void {
    this.client = undefined
  }
}

type Command = fc.AsyncCommand<SessionModel, Real>

function command(
  name: string,
  check: (model: SessionModel) => boolean,
  run: (model: SessionModel, real: Real) => Promise<void>,
): Command {
  return { check: (model) => check(model), run, toString: () => name }
}

const online = (model: SessionModel): boolean => model.connected
const always = (): boolean => true

const connect = (clean: boolean): Command =>
  command(`connect(${clean ? 'clean' : 'resume'})`, always, async (model, real) => {
    const before = model.exists && !clean
    real.client = await real.crashing.broker.connect({
      clientId: 'c',
      clean,
      properties: { sessionExpiryInterval: expiry, receiveMaximum },
    })
    assert.equal(real.client.connack?.sessionPresent, before)
    if (!before) real.identifiers.clear()
    await real.sees(model.connect(clean))
  })

const leave = (politely: boolean): Command =>
  command(politely ? 'disconnect' : 'drop', online, async (model, real) => {
    if (politely) await real.online.disconnect()
    else real.online.destroy()
    const { broker } = real.crashing.broker
    while (broker.sessions.get('c')?.channel !== undefined) await real.crashing.pass(0)
    model.lost()
    real.lost()
  })

const subscribeTo = (topic: string, qos: 0 | 1 | 2): Command =>
  command(`subscribe(${topic}, ${qos})`, online, async (model, real) => {
    assert.deepEqual(await subscribe(real.online, topic, { qos }), [qos])
    model.subscriptions.set(topic, qos)
    await real.sees([])
  })

const unsubscribeFrom = (topic: string): Command =>
  command(`unsubscribe(${topic})`, online, async (model, real) => {
    const { granted } = await unsubscribe(real.online, topic)
    assert.deepEqual(granted, [model.subscriptions.delete(topic) ? 0 : 0x11])
    await real.sees([])
  })

const publishTo = (topic: string, qos: 0 | 1 | 2): Command =>
  command(`publish(${topic}, ${qos})`, always, async (model, real) => {
    const payload = real.payload()
    const publisher = await real.crashing.broker.connect()
    await publishThrough(publisher, topic, payload, { qos })
    await publisher.disconnect()
    await real.sees(model.published(topic, payload, qos))
  })

/** The client answers something that it has. `which` chooses from all. */
const answer = (which: number): Command =>
  command(
    `answer(${which})`,
    (model) => online(model) && model.messages.some(({ stage }) => stage !== undefined),
    async (model, real) => {
      const some = model.messages.filter(({ stage }) => stage !== undefined)
      const message = some[which % some.length]
      assert.ok(message !== undefined)
      const { payload, qos, stage } = message
      const messageId = real.identifiers.get(payload)
      assert.ok(messageId !== undefined)
      if (qos === 2 && stage === 'sent') {
        real.online.send({ cmd: 'pubrec', messageId })
        message.stage = 'released'
        return real.sees([{ cmd: 'pubrel', payload }])
      }
      real.online.send({ cmd: qos === 1 ? 'puback' : 'pubcomp', messageId })
      real.identifiers.delete(payload)
      await real.sees(model.done(payload))
    },
  )

/** The client sends a QoS 2 message, or the same once more, and stops at PUBREC. */
const begin = (topic: string, messageId: number): Command =>
  command(`begin(${topic}, ${messageId})`, online, async (model, real) => {
    const dup = model.awaiting.has(messageId)
    const payload = real.payload()
    publish(real.online, topic, payload, { qos: 2, messageId, dup })
    const expected = dup ? [] : model.published(topic, payload, 2)
    model.awaiting.add(messageId)
    await real.sees(expected, [`pubrec ${messageId}`])
  })

const release = (messageId: number): Command =>
  command(
    `release(${messageId})`,
    (model) => online(model) && model.awaiting.has(messageId),
    async (model, real) => {
      real.online.send({ cmd: 'pubrel', messageId })
      model.awaiting.delete(messageId)
      await real.sees([], [`pubcomp ${messageId}`])
    },
  )

const pass = (seconds: number): Command =>
  command(
    `pass(${seconds} s)`,
    (model) => !model.near(seconds),
    async (model, real) => {
      await real.crashing.pass(seconds * 1000)
      await real.crashing.store.settled()
      model.pass(seconds)
      await real.sees([])
    },
  )

const crash = (down: number): Command =>
  command(
    `crash(${down} s)`,
    (model) => !model.near(down) && !model.near(down + 2),
    async (model, real) => {
      await real.crashing.crash(down * 1000)
      // Who was connected has lost the connection when the next one started.
      model.pass(down)
      model.lost()
      real.lost()
      // By then the broker has stored since when they are gone.
      for (let second = 0; second < 2; second++) {
        await real.crashing.pass(1000)
        // What was asked of the store before has its answer when this has.
        for (let turn = 0; turn < 3; turn++) await real.crashing.store.readSession(1)
        await real.crashing.store.settled()
      }
      model.pass(2)
    },
  )

/** What the store has not got when the broker ends, nobody was told: it never happened. */
const unstored = (topic: string, which: number): Command =>
  command(`unstored(${topic}, ${which})`, always, async (model, real) => {
    const { store } = real.crashing
    if (!(store instanceof MemorySessionStore)) return
    const publisher = await real.crashing.broker.connect()
    store.pause()
    const routed = model.subscriptions.has(topic) && model.subscriptions.get(topic) !== 0
    publish(publisher, topic, 'never', { qos: 1 })
    const sent = model.messages.filter(({ stage }) => stage === 'sent')
    const message = sent[which % sent.length]
    if (model.connected && message !== undefined) {
      const messageId = real.identifiers.get(message.payload) ?? 0
      real.online.send({ cmd: message.qos === 1 ? 'puback' : 'pubrec', messageId })
    }
    if (routed) await publisher.expectNothing()
    if (model.connected)
      assert.deepEqual(
        (await real.online.settle()).filter(({ cmd, qos }) => cmd !== 'publish' || qos !== 0),
        [],
      )
    await crash(0).run(model, real)
  })

export const commands: readonly fc.Arbitrary<Command>[] = (() => {
  const topic = fc.constantFrom('a', 'b')
  const qos = fc.constantFrom<(0 | 1 | 2)[]>(0, 1, 2, 2, 1)
  const identifier = fc.integer({ min: 60_001, max: 60_003 })
  return [
    fc.boolean().chain((rarely) => fc.boolean().map((clean) => connect(clean && rarely))),
    fc.boolean().map(leave),
    fc.tuple(topic, qos).map(([to, at]) => subscribeTo(to, at)),
    topic.map(unsubscribeFrom),
    fc.tuple(topic, qos).map(([to, at]) => publishTo(to, at)),
    fc.tuple(topic, qos).map(([to, at]) => publishTo(to, at)),
    fc.nat(10).map(answer),
    fc.nat(10).map(answer),
    fc.tuple(topic, identifier).map(([to, id]) => begin(to, id)),
    identifier.map(release),
    fc.constantFrom(1, 40, 70, 150).map(pass),
    fc.constantFrom(0, 10, 60, 150).map(crash),
    fc.constant(crash(0)),
    fc.tuple(topic, fc.nat(10)).map(([to, which]) => unstored(to, which)),
  ]
})()
