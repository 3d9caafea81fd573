import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, toBinary, v3 } from '@hookmq/exhook-proto'
import fc from 'fast-check'
import { FarEnd, TestEvent, turn } from './exchange.testing.ts'
import { Exchange, ExchangeFailure } from './exchange.ts'

function publish(topic: string, payload = ''): Uint8Array {
  const message = { topic, payload: Buffer.from(payload) }
  return toBinary(v3.MessagePublishRequestSchema, create(v3.MessagePublishRequestSchema, { message }))
}

function failureOf(event: TestEvent): ExchangeFailure {
  const [outcome] = event.outcomes
  assert.ok(outcome instanceof ExchangeFailure, `failed, got ${String(outcome)}`)
  return outcome
}

test('says hello, and sends nothing before the provider has', () => {
  const meta = toBinary(v3.RequestMetaSchema, create(v3.RequestMetaSchema, { node: 'n1' }))
  const far = new FarEnd({ meta, timeout: 1234 })
  assert.deepEqual(
    [far.frames[0].hello?.version, far.frames[0].hello?.meta?.node, far.frames[0].hello?.timeout],
    [1, 'n1', 1234],
  )
  const early = new TestEvent(1)
  far.exchange.send(early)
  assert.equal(failureOf(early).sent, false)
  far.hello(10)
  assert.equal(far.opened, 1)
})

test('what is sent in one turn leaves in one frame, in order, with the requests as they are', async () => {
  const far = new FarEnd()
  far.hello(100)
  const events = ['a', 'b', 'c'].map(
    (topic, index) => new TestEvent(index + 7, publish(topic, 'x'.repeat(300 * index))),
  )
  for (const event of events) far.exchange.send(event)
  far.exchange.send(new TestEvent(3, new Uint8Array(), 5, 20))
  assert.equal(far.frames.length, 1, 'nothing yet but the hello')
  await turn()
  assert.equal(far.frames.length, 2)
  assert.deepEqual(
    far.received.map(({ id, lane, event }) => [id, lane, event.request.case, event.timeout]),
    [
      [1, 7, 'messagePublish', 0],
      [2, 8, 'messagePublish', 0],
      [3, 9, 'messagePublish', 0],
      [4, 3, 'clientConnected', 20],
    ],
  )
  const topics = far.received.map(({ event }) =>
    event.request.case === 'messagePublish' ? event.request.value.message?.topic : undefined,
  )
  assert.deepEqual(topics, ['a', 'b', 'c', undefined])
})

test('answers reach their events: ranges, values, errors; what comes twice is counted and nothing else', async () => {
  const far = new FarEnd()
  far.hello(100)
  const events = Array.from({ length: 6 }, () => new TestEvent(1, publish('t')))
  for (const event of events) far.exchange.send(event)
  await turn()
  const response = create(v3.ValuedResponseSchema, { type: 2, value: { case: 'boolResult', value: true } })
  far.say({
    done: [{ first: 1n, count: 2 }, { first: 6n }],
    verdicts: [{ id: 4n, response }, { id: 3n, error: { code: 13, message: 'no' } }, { id: 5n }],
  })
  const [one, two, three, four, five, six] = events
  assert.deepEqual(
    [one, two, five, six].map(({ outcomes }) => outcomes),
    [['done'], ['done'], ['done'], ['done']],
  )
  assert.deepEqual(Buffer.from(four.outcomes[0] as Buffer), Buffer.from(toBinary(v3.ValuedResponseSchema, response)))
  assert.deepEqual([failureOf(three).code, failureOf(three).message, failureOf(three).fromProvider], [13, 'no', true])
  far.say({ done: [{ first: 1n, count: 6 }] })
  assert.equal(far.exchange.late, 6)
  assert.deepEqual(
    events.map(({ outcomes }) => outcomes.length),
    [1, 1, 1, 1, 1, 1],
  )
})

test('never more than was granted; the rest waits, bounded, and what is too much fails unsent', async () => {
  const far = new FarEnd({ maxWaiting: 3 })
  far.hello(2)
  const events = Array.from({ length: 7 }, () => new TestEvent(1, publish('t')))
  for (const event of events) far.exchange.send(event)
  await turn()
  assert.equal(far.received.length, 2)
  assert.equal(far.exchange.waiting, 3)
  for (const event of events.slice(5)) {
    assert.equal(failureOf(event).code, 8)
    assert.equal(failureOf(event).sent, false)
  }
  far.say({ done: [{ first: 1n, count: 2 }], grant: 1 })
  await turn()
  assert.equal(far.received.length, 3, 'done is no grant')
  far.exchange.cancel(events[3])
  far.say({ grant: 10 })
  await turn()
  assert.deepEqual(
    far.received.map(({ id }) => id),
    [1, 2, 3, 4],
    'the cancelled one, which waited, was never sent',
  )
})

test('an event that nobody waits for is cancelled, and its answer looked at no more', async () => {
  const far = new FarEnd()
  far.hello(10)
  const event = new TestEvent(1, publish('t'))
  far.exchange.send(event)
  await turn()
  far.exchange.cancel(event)
  await turn()
  assert.deepEqual(far.cancelledIds, [1])
  far.say({ done: [{ first: 1n }] })
  assert.deepEqual(event.outcomes, [])
  assert.equal(far.exchange.late, 1)
})

test('a stream that breaks: what has left has failed, what has not may go another way', async () => {
  const far = new FarEnd()
  far.hello(3)
  const events = Array.from({ length: 6 }, () => new TestEvent(1, publish('t')))
  far.exchange.send(events[0])
  far.exchange.send(events[1])
  await turn()
  // The third is in the frame that has not been written, the others wait for credit.
  for (const event of events.slice(2)) far.exchange.send(event)
  far.say({ done: [{ first: 1n }] })
  far.exchange.ended(14, 'connection reset')
  assert.deepEqual(
    events.map(({ outcomes }) => outcomes.map((one) => (one instanceof ExchangeFailure ? one.sent : one))),
    [['done'], [true], [false], [false], [false], [false]],
  )
  assert.deepEqual(far.closed, { code: 14, details: 'connection reset' })
  await turn()
  assert.equal(far.received.length, 2, 'nothing is written after the end')
})

test('a provider that says nothing for longer than twice the timeout is not there any more', async () => {
  const far = new FarEnd({ timeout: 5 })
  far.hello(10)
  const given = new TestEvent(1, publish('t'))
  const other = new TestEvent(1, publish('t'))
  far.exchange.send(given)
  far.exchange.send(other)
  await turn()
  await new Promise((resolve) => setTimeout(resolve, 12))
  far.exchange.cancel(given)
  assert.match(far.closed?.details ?? '', /has not said anything for 10 ms/)
  assert.equal(failureOf(other).sent, true)
})

test('a provider that is closing gets nothing more, and what it has may be answered', async () => {
  const far = new FarEnd()
  far.hello(1)
  const [sent, waiting, later] = Array.from({ length: 3 }, () => new TestEvent(1, publish('t')))
  far.exchange.send(sent)
  far.exchange.send(waiting)
  far.say({ closing: true })
  assert.equal(far.halfClosed, true)
  far.exchange.send(later)
  assert.deepEqual([failureOf(waiting).sent, failureOf(later).sent], [false, false])
  assert.equal(far.received.length, 1, 'what was in the frame of this turn leaves before the end')
  far.say({ done: [{ first: 1n }] })
  assert.deepEqual(sent.outcomes, ['done'])
})

test('frames keep to the limits of the provider', async () => {
  const far = new FarEnd()
  far.hello(1000, { maxFrameBytes: 1000, maxFrameEvents: 4 })
  for (let count = 0; count < 10; count++) far.exchange.send(new TestEvent(1, publish('t')))
  for (let count = 0; count < 5; count++) far.exchange.send(new TestEvent(1, publish('t', 'x'.repeat(400))))
  const large = new TestEvent(1, publish('t', 'x'.repeat(1000)))
  far.exchange.send(large)
  await turn()
  assert.deepEqual(
    far.frames.slice(1).map(({ events }) => events.length),
    [4, 4, 4, 2, 1],
  )
  assert.match(failureOf(large).message, /the event has 10\d\d bytes; the provider takes frames of 1000/)
  assert.equal(far.received.length, 15)
})

const nonsense: [string, (far: FarEnd) => void][] = [
  ['bytes that are no frame', (far) => far.exchange.frame(Buffer.from([0x12, 0x70]))],
  ['an answer to an event that was never sent', (far) => far.say({ done: [{ first: 2n }] })],
  ['a range beyond what was sent', (far) => far.say({ done: [{ first: 1n, count: 4_000_000_000 }] })],
  ['a second hello', (far) => far.hello(1)],
]
for (const [what, say] of nonsense)
  test(`${what}: the stream ends, what was under way fails`, async () => {
    const far = new FarEnd()
    far.hello(10)
    const event = new TestEvent(1, publish('t'))
    far.exchange.send(event)
    await turn()
    say(far)
    assert.equal(far.cancelled, true)
    assert.equal(failureOf(event).sent, true)
    assert.equal(far.closed?.code, 13)
  })

test('another version of the protocol is refused by name', () => {
  const far = new FarEnd()
  far.say({ hello: { version: 2, grant: 5 } })
  assert.match(far.closed?.details ?? '', /speaks version 2 of HookStream; this broker speaks 1/)
})

type Step =
  | { readonly do: 'send'; readonly lane: number; readonly size: number }
  | { readonly do: 'cancel' | 'answer' | 'refuse'; readonly pick: number }
  | { readonly do: 'range'; readonly pick: number; readonly count: number }
  | { readonly do: 'grant'; readonly count: number }
  | { readonly do: 'turn' | 'drain' | 'congest' }

const steps = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('send' as const), lane: fc.nat(3), size: fc.nat(400) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cancel', 'answer', 'refuse'), pick: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('range' as const), pick: fc.nat(), count: fc.nat(8) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('grant' as const), count: fc.nat(6) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('turn', 'drain', 'congest') }) },
  ) as fc.Arbitrary<Step>,
  { minLength: 1, maxLength: 80 },
)

test('whatever comes in whatever order: once each, in order, within the grants', async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(5), fc.boolean(), async (script, initial, breaks) => {
      const far = new FarEnd({ maxWaiting: 10 })
      far.hello(initial, { maxFrameBytes: 2000, maxFrameEvents: 5 })
      let granted = initial
      const events: TestEvent[] = []
      const cancelled = new Set<TestEvent>()
      for (const step of script) {
        const sent = far.received.length
        switch (step.do) {
          case 'send': {
            // The payload says which event it is.
            const event = new TestEvent(step.lane, publish(`e/${events.length}`, 'x'.repeat(step.size)))
            events.push(event)
            far.exchange.send(event)
            break
          }
          case 'cancel': {
            const event = events[step.pick % Math.max(1, events.length)]
            if (event !== undefined && event.outcomes.length === 0) {
              cancelled.add(event)
              far.exchange.cancel(event)
            }
            break
          }
          case 'answer':
          case 'refuse':
            if (sent > 0) {
              const id = BigInt((step.pick % sent) + 1)
              const error = { code: 2, message: 'no' }
              const response = create(v3.ValuedResponseSchema, { type: 2 })
              far.say({ verdicts: [step.do === 'answer' ? { id, response } : { id, error }] })
            }
            break
          case 'range':
            if (sent > 0) {
              const first = (step.pick % sent) + 1
              far.say({ done: [{ first: BigInt(first), count: Math.min(step.count, sent - first + 1) }] })
            }
            break
          case 'grant':
            granted += step.count
            far.say({ grant: step.count })
            break
          case 'congest':
            far.congested = true
            break
          case 'drain':
            far.congested = false
            far.exchange.drained()
            break
          case 'turn':
            await turn()
        }
        assert.ok(far.received.length <= granted, 'more events than were granted')
      }
      if (breaks) far.exchange.ended(14, 'broken')
      else {
        far.congested = false
        far.exchange.drained()
        far.say({ grant: 1000 })
        await turn()
        if (far.received.length > 0) far.say({ done: [{ first: 1n, count: far.received.length }] })
      }
      const names = far.received.map(({ event }) =>
        event.request.case === 'messagePublish' ? Number(event.request.value.message?.topic.slice(2)) : -1,
      )
      assert.deepEqual(
        names,
        [...new Set(names)].sort((a, b) => a - b),
        'in the order of sending, each once',
      )
      for (const [index, event] of events.entries()) {
        assert.ok(event.outcomes.length <= 1, 'called back twice')
        if (!cancelled.has(event)) assert.equal(event.outcomes.length, 1, `event ${index} was never finished`)
        const [outcome] = event.outcomes
        if (outcome instanceof ExchangeFailure && !outcome.sent)
          assert.ok(!names.includes(index), 'said not to have been sent, and was')
      }
      assert.equal(far.exchange.unfinished, 0)
      assert.equal(far.exchange.waiting, 0)
    }),
    { numRuns: 300 },
  )
})

test('an exchange that was aborted before its call began says so once', () => {
  const news: string[] = []
  const options = { meta: new Uint8Array(), timeout: 1, maxWaiting: 1, maxWaitingBytes: 1, maxFrameBytes: 1 }
  const exchange = new Exchange(options, { opened() {}, closed: (_code, details) => void news.push(details) })
  exchange.abort('no connection')
  exchange.ended(14, 'again')
  assert.deepEqual(news, ['no connection'])
})

test('an event for which nobody waits is given up when its time is over, and counts as failed', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const far = new FarEnd()
  far.hello(100)
  const stuck = new TestEvent(1, publish('stuck'), 20)
  const attended = new TestEvent(1, publish('attended'))
  const young = new TestEvent(1, publish('young'), 20)
  stuck.unattended = true
  young.unattended = true
  for (const event of [stuck, attended, young]) far.exchange.send(event)
  await turn()
  stuck.remaining = 0
  attended.remaining = 0
  t.mock.timers.tick(500)
  assert.deepEqual([failureOf(stuck).code, failureOf(stuck).sent], [4, true])
  assert.deepEqual([attended.outcomes, young.outcomes], [[], []], 'the others are not touched')
  await turn()
  assert.deepEqual(far.frames.at(-1)?.cancelled, [1n], 'the provider may go on with what comes behind it')
  young.remaining = 0
  t.mock.timers.tick(500)
  assert.equal(failureOf(young).code, 4)
  far.exchange.abort('the end')
  assert.equal(attended.outcomes.length, 1)
  assert.equal(far.exchange.lost, 1)
})

test('notifications that nobody waits for gather for two milliseconds; an event that somebody waits for takes them along at once', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const far = new FarEnd()
  far.hello(100)
  const tell = (topic: string): void => {
    const event = new TestEvent(1, publish(topic), 20)
    event.unattended = true
    far.exchange.send(event)
  }
  const ids = () => far.frames.slice(1).map(({ first, events }) => [Number(first), events.length])
  tell('a')
  await turn()
  tell('b')
  await turn()
  assert.deepEqual(ids(), [], 'they wait for more')
  t.mock.timers.tick(2)
  assert.deepEqual(ids(), [[1, 2]])
  tell('c')
  await turn()
  far.exchange.send(new TestEvent(1, publish('asked')))
  await turn()
  assert.deepEqual(ids(), [
    [1, 2],
    [3, 2],
  ])
  t.mock.timers.tick(2)
  assert.equal(far.frames.length, 3, 'nothing is left')
  tell('d')
  far.exchange.close()
  assert.deepEqual(ids().at(-1), [5, 1], 'the end does not wait')
})
