import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AuthenticateResult, FoldPointName, HookHandler, HookOptions, HookPointName } from '@hookmq/api'
import { testClient, testConnInfo, testCredential } from '@hookmq/api/testing'
import { BrokerMessage } from '../message.ts'
import { Refusal } from '../refusal.ts'
import type { ChainAccumulator } from './chain.ts'
import { HookEngine } from './engine.ts'
import { collectingLog } from './log.testing.ts'
import { CallScope } from './pending.ts'

function makeEngine(timeout = 0) {
  const { log, lines } = collectingLog()
  const engine = new HookEngine({ log, timeout, queueLimit: 100, queueDrop: 'oldest' })
  /** Handlers may answer anything here, as plain JavaScript can. */
  const add = <P extends HookPointName>(point: P, handler: (...all: never[]) => unknown, options: HookOptions = {}) =>
    engine.add(point, handler as unknown as HookHandler<P>, { owner: 'test', ...options })
  const publish = (message = newMessage(), scope?: CallScope) =>
    engine.chain('message.publish').fold({ client: testClient() }, message, scope)
  return { engine, lines, add, publish }
}

const newMessage = (topic = 'a/b') => BrokerMessage.from({ topic, payload: 'before', qos: 1 }, 1)
const text = (result: unknown) => {
  assert.ok(result instanceof BrokerMessage, String(result))
  return Buffer.from(result.payload).toString()
}
const failuresOf = (engine: HookEngine) =>
  engine.describe().flatMap(({ hooks }) => hooks.filter(({ failures }) => failures > 0).map(({ name }) => name))

describe('verdicts', () => {
  it('nothing and ok leave the accumulator', () => {
    const { add, publish } = makeEngine()
    add('message.publish', () => undefined)
    add('message.publish', () => 'ok')
    const message = newMessage()
    assert.equal(publish(message), message)
  })

  it('{ ok } goes on with the new accumulator, { stop } and stop end', () => {
    for (const [last, expected, asked] of [
      [{ stop: { payload: 'stopped' } }, 'stopped', false],
      ['stop', 'changed', false],
      [{ ok: { payload: 'changed twice' } }, 'changed twice', true],
    ] as const) {
      const { add, publish } = makeEngine()
      let seen: string | undefined
      let after = false
      add('message.publish', () => ({ ok: { payload: 'changed' } }))
      add('message.publish', (_args: never, message: BrokerMessage) => {
        seen = text(message)
        return last
      })
      add('message.publish', () => {
        after = true
      })
      assert.equal(text(publish()), expected)
      assert.equal(seen, 'changed')
      assert.equal(after, asked)
    }
  })

  it('refusals end the run and name who refused', () => {
    for (const [verdict, expected] of [
      [{ drop: true, reason: 'spam' }, new Refusal('drop', 0x10, 'test/guard', 'spam')],
      [{ reject: 0x99, reason: 'not JSON' }, new Refusal('reject', 0x99, 'test/guard', 'not JSON')],
      [{ disconnect: 0x98 }, new Refusal('disconnect', 0x98, 'test/guard')],
    ] as const) {
      const { add, publish } = makeEngine()
      let after = false
      add('message.publish', () => verdict, { name: 'guard' })
      add('message.publish', () => {
        after = true
      })
      assert.deepEqual(publish(), expected)
      assert.equal(after, false)
    }
  })

  it('a server reference reaches the refusal of a connection', () => {
    const { engine, add } = makeEngine()
    add('client.connect', () => ({ reject: 0x9d, serverReference: 'other:1883' }), { name: 'move' })
    const result = engine.chain('client.connect').fold({ connInfo: testConnInfo() }, {})
    assert.deepEqual(result, new Refusal('reject', 0x9d, 'test/move', undefined, 'other:1883'))
  })

  const cases: { readonly [P in FoldPointName]: { start: ChainAccumulator<P>; args: unknown; bad: unknown[] } } = {
    'client.connect': {
      start: {},
      args: { connInfo: testConnInfo() },
      bad: [
        { ok: 'text' },
        { ok: [] },
        { ok: { receiveMaximum: 'many' } },
        { ok: { colour: 'red' } },
        { drop: true },
        { reject: 0 },
        { reject: 0x10 },
        { reject: 'no' },
        { reject: 0x87, reason: 5 },
        { disconnect: 0x87 },
      ],
    },
    'client.authenticate': {
      start: { result: 'ignore' },
      args: { client: testCredential() },
      bad: [{ ok: true }, { ok: { result: 'yes' } }, { ok: { result: 'allow', superuser: 1 } }, { drop: true }],
    },
    'client.post_authn': {
      start: testClient(),
      args: { connInfo: testConnInfo() },
      bad: [{ ok: { clientId: '' } }, { ok: { superuser: 'yes' } }, { disconnect: 0x87 }],
    },
    'client.connack': {
      start: {},
      args: { connInfo: testConnInfo(), reasonCode: 0, reason: 'success' },
      bad: [{ ok: { userProperties: { a: 'b' } } }, { reject: 0x87 }],
    },
    'client.authorize': {
      start: { result: 'allow', from: 'default' },
      args: { client: testClient(), action: 'publish', topic: 'a', qos: 0, retain: false },
      bad: [{ ok: { result: 'maybe' } }, { ok: false }, { reject: 0x87 }],
    },
    'client.subscribe': {
      start: ['a', 'b'].map((filter) => ({
        filter,
        options: { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      })),
      args: { client: testClient(), properties: {} },
      bad: [
        { ok: [] },
        { ok: [{ filter: 'a' }] },
        { ok: [{ filter: 'b' }, { filter: 'a' }] },
        { ok: [{ filter: 'a' }, { filter: 'x/#/y' }] },
        { ok: [{ filter: 'a' }, { filter: 'b', options: { qos: 3 } }] },
        { ok: [{ filter: 'a' }, null] },
        { reject: 0x87 },
      ],
    },
    'client.unsubscribe': {
      start: [{ filter: 'a' }],
      args: { client: testClient(), properties: {} },
      bad: [{ ok: [] }, { ok: [{ filter: 7 }] }, { drop: true }],
    },
    'message.publish': {
      start: newMessage(),
      args: {},
      bad: [
        true,
        null,
        42,
        'stopp',
        {},
        [],
        { ok: undefined },
        { ok: 'text' },
        { stop: undefined },
        { ok: { topic: 7 } },
        { ok: { payload: { json: true } } },
        { ok: { qos: 3 } },
        { ok: { properties: { messageExpiryInterval: -1 } } },
        { ok: { headers: 'none' } },
        { drop: false },
        { reject: 0x86 },
        { disconnect: 0x85 },
      ],
    },
    'message.puback': {
      start: 0,
      args: { client: testClient(), packetId: 1, message: newMessage(), routes: 1 },
      bad: [{ ok: '0' }, { ok: 0x86 }, { ok: 1.5 }, { drop: true }],
    },
    'message.delivered': {
      start: newMessage(),
      args: { client: testClient() },
      bad: [{ ok: 1 }, { reject: 0x87 }, { disconnect: 0x87 }],
    },
    'message.nack': {
      start: false,
      args: { client: testClient(), message: newMessage(), reasonCode: 0x80 },
      bad: [{ ok: 1 }, { drop: true }],
    },
  }

  for (const [point, { start, args, bad }] of Object.entries(cases) as [FoldPointName, (typeof cases)[FoldPointName]][])
    describe(`that ${point} does not take`, () => {
      for (const answer of bad)
        for (const asynchronous of [false, true])
          it(`${JSON.stringify(answer)}${asynchronous ? ' later' : ''} is a failure of the hook`, async () => {
            const { engine, lines, add } = makeEngine()
            let after = false
            add(point, () => (asynchronous ? Promise.resolve(answer) : answer), {
              name: 'wrong',
              failedAction: 'ignore',
            })
            add(point, () => {
              after = true
            })
            const result = await engine.chain(point).fold(args as never, start as never)
            assert.equal(result, start)
            assert.equal(after, true)
            assert.deepEqual(failuresOf(engine), ['wrong'])
            const [line] = lines
            assert.equal(line.message, 'hook failed: invalid verdict')
            assert.equal(line.fields.owner, 'test')
            assert.equal(line.fields.hook, 'wrong')
            assert.equal(line.fields.point, point)
            assert.equal(typeof line.fields.problem, 'string')
          })
    })

  it('values are completed from the accumulator', () => {
    const { engine, add } = makeEngine()
    add('client.subscribe', () => ({ ok: [{ filter: 'rewritten/+' }] }))
    add('client.authorize', () => ({ ok: { result: 'deny' } }))
    add('client.post_authn', () => ({ ok: { username: 'mapped' } }))
    const options = { qos: 2, noLocal: true, retainAsPublished: false, retainHandling: 1 } as const
    assert.deepEqual(
      engine.chain('client.subscribe').fold({ client: testClient(), properties: {} }, [{ filter: 'a', options }]),
      [{ filter: 'rewritten/+', options }],
    )
    assert.deepEqual(
      engine
        .chain('client.authorize')
        .fold(
          { client: testClient(), action: 'publish', topic: 'a', qos: 0, retain: false },
          { result: 'allow', from: 'default' },
        ),
      { result: 'deny', from: 'test' },
    )
    assert.deepEqual(
      engine.chain('client.post_authn').fold({ connInfo: testConnInfo() }, testClient()),
      testClient({ username: 'mapped' }),
    )
  })

  it('that throw while they are being read are failures', () => {
    const { engine, add, publish } = makeEngine()
    const trap = () => {
      throw new Error('trap')
    }
    add('message.publish', () => new Proxy({}, { has: trap, get: trap }), { name: 'proxy' })
    add('message.publish', () => ({ ok: Object.defineProperty({}, 'topic', { get: trap }) }), { name: 'getter' })
    // biome-ignore lint/suspicious/noThenProperty: this is what the case is about
    add('message.publish', () => ({ then: trap }), { name: 'thenable' })
    const message = newMessage()
    const result = publish(message)
    return Promise.resolve(result).then((outcome) => {
      assert.equal(outcome, message)
      assert.deepEqual(failuresOf(engine), ['proxy', 'getter', 'thenable'])
    })
  })
})

describe('message.publish', () => {
  it('marks a message whose topic a hook changed, unless the hook answers for it', () => {
    for (const [recheck, expected] of [
      [true, true],
      [false, false],
    ] as const) {
      const { add, publish } = makeEngine()
      add('message.publish', () => ({ ok: { topic: 'other' } }), { recheck })
      const result = publish()
      assert.ok(result instanceof BrokerMessage)
      assert.equal(result.needsRecheck, expected)
    }
  })

  it('headers allowPublish and shouldDisconnect refuse when all have been asked', () => {
    for (const [headers, kind, code] of [
      [{ allowPublish: false }, 'drop', 0x10],
      [{ shouldDisconnect: true }, 'disconnect', 0x83],
      [{ allowPublish: false, shouldDisconnect: true }, 'disconnect', 0x83],
    ] as const) {
      const { add, publish } = makeEngine()
      let after = false
      add('message.publish', () => ({ ok: { headers } }))
      add('message.publish', () => {
        after = true
      })
      const result = publish()
      assert.ok(result instanceof Refusal)
      assert.deepEqual([result.kind, result.reasonCode], [kind, code])
      assert.equal(after, true)
    }
  })

  it('a later hook may allow what an earlier one forbade by header', () => {
    const { add, publish } = makeEngine()
    add('message.publish', () => ({ ok: { headers: { allowPublish: false } } }))
    add('message.publish', () => ({ ok: { headers: { allowPublish: true } } }))
    assert.ok(publish() instanceof BrokerMessage)
  })

  it('topic filters see the message as earlier hooks left it', () => {
    const { add, publish } = makeEngine()
    const seen: string[] = []
    add('message.publish', () => ({ ok: { topic: 'x/y' } }), { topics: ['a/#'] })
    add('message.publish', () => void seen.push('a'), { topics: ['a/#'] })
    add('message.publish', () => void seen.push('x'), { topics: ['nothing', '+/y'] })
    publish()
    assert.deepEqual(seen, ['x'])
  })

  it('sinks see the message, may drop it, and cannot change it', async () => {
    const { engine, add } = makeEngine()
    const chain = engine.chain('message.publish')
    const message = newMessage()
    const seen: unknown[] = []
    add('message.publish', (_args: never, given: BrokerMessage) => void seen.push(given), { phase: 'sink' })
    const wrong = [{ ok: { ...message, payload: 'changed' } }, { stop: newMessage() }, { reject: 0x87 }]
    for (const verdict of wrong)
      add('message.publish', () => verdict, { phase: 'sink', name: Object.keys(verdict)[0], priority: 5 })
    add('message.publish', async () => ({ ok: message }), { phase: 'sink' })
    assert.equal(chain.size, 0)
    assert.equal(await chain.sink({}, message), message)
    assert.deepEqual(seen, [message])
    assert.deepEqual(failuresOf(engine), ['ok', 'stop', 'reject'])
    add('message.publish', () => ({ drop: true, reason: 'full' }), { phase: 'sink', name: 'store', priority: 9 })
    assert.deepEqual(chain.sink({}, message), new Refusal('drop', 0x10, 'test/store', 'full'))
  })

  it('a failed sink that must agree refuses', () => {
    const { engine, add } = makeEngine()
    add('message.publish', () => assert.fail('disk full'), { phase: 'sink', failedAction: 'deny' })
    const result = engine.chain('message.publish').sink({}, newMessage())
    assert.ok(result instanceof Refusal)
    assert.deepEqual([result.kind, result.reasonCode], ['reject', 0x83])
  })
})

describe('failed hooks', () => {
  const broken: readonly [string, () => unknown][] = [
    ['throws', () => assert.fail('broken')],
    ['rejects', () => Promise.reject(new Error('broken'))],
    ['rejects with nothing', () => Promise.reject()],
    ['never answers', () => new Promise(() => {})],
    ['answers nonsense', () => 42],
  ]
  for (const [what, handler] of broken) {
    it(`that ${what} deny by default on authenticate and authorize`, async () => {
      const { engine, add } = makeEngine(20)
      let after = false
      for (const point of ['client.authenticate', 'client.authorize'] as const) {
        add(point, handler)
        add(point, () => {
          after = true
        })
      }
      assert.deepEqual(
        await engine.chain('client.authenticate').fold({ client: testCredential() }, { result: 'ignore' }),
        { result: 'deny', reasonCode: 0x87 } satisfies AuthenticateResult,
      )
      const request = { client: testClient(), action: 'publish', topic: 'a', qos: 0, retain: false } as const
      assert.deepEqual(await engine.chain('client.authorize').fold(request, { result: 'allow', from: 'default' }), {
        result: 'deny',
        from: 'test',
        cacheable: false,
      })
      assert.equal(after, false)
    })

    it(`that ${what} are passed by elsewhere, and refuse a publish with deny`, async () => {
      const { engine, add, publish } = makeEngine(20)
      const first = add('message.publish', handler, { name: 'first' })
      add('message.publish', () => ({ ok: { payload: 'after' } }))
      assert.equal(text(await publish()), 'after')
      first.remove()
      add('message.publish', () => handler(), { failedAction: 'deny', name: 'gate' })
      const result = await publish()
      assert.ok(result instanceof Refusal)
      assert.deepEqual([result.kind, result.reasonCode, result.by], ['reject', 0x83, 'test/gate'])
      assert.deepEqual(failuresOf(engine), ['gate'])
    })
  }

  it('deny does nothing where there is nothing to refuse', () => {
    const { engine, add } = makeEngine()
    add('message.delivered', () => assert.fail('broken'), { failedAction: 'deny' })
    const message = newMessage()
    assert.equal(engine.chain('message.delivered').fold({ client: testClient() }, message), message)
  })

  it('fill no log, and are all counted', () => {
    const { engine, lines, add, publish } = makeEngine()
    add('message.publish', () => assert.fail('broken'))
    for (let run = 0; run < 1000; run++) publish()
    assert.equal(engine.describe().find(({ point }) => point === 'message.publish')?.hooks[0].failures, 1000)
    // Ten lines a second; a slow machine may need several seconds.
    assert.ok(lines.length >= 10 && lines.length < 500, String(lines.length))
  })
})

describe('asynchronous hooks', () => {
  it('turn the run asynchronous, and later hooks go on in order', async () => {
    const { add, publish } = makeEngine()
    const order: string[] = []
    const step = (name: string) => (_args: never, message: BrokerMessage) => {
      order.push(name)
      return { ok: { payload: `${text(message)} ${name}` } }
    }
    add('message.publish', step('one'))
    add('message.publish', async (args: never, message: BrokerMessage) => step('two')(args, message))
    add('message.publish', step('three'))
    add('message.publish', async (args: never, message: BrokerMessage) => step('four')(args, message))
    const result = publish()
    assert.ok(result instanceof Promise)
    assert.deepEqual(order, ['one', 'two'], 'the rest waits')
    assert.equal(text(await result), 'before one two three four')
  })

  it('make no promise when no hook does', () => {
    const { add, publish } = makeEngine()
    for (let hook = 0; hook < 5; hook++) add('message.publish', () => ({ ok: { payload: 'x' } }))
    assert.ok(publish() instanceof BrokerMessage)
  })

  it('that answer late change nothing', async () => {
    const { engine, add, publish } = makeEngine()
    const held = Promise.withResolvers<unknown>()
    add('message.publish', () => held.promise, { timeout: 10, name: 'late' })
    const result = await publish()
    assert.equal(text(result), 'before')
    held.resolve({ ok: { payload: 'late' } })
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(text(result), 'before')
    assert.deepEqual(engine.waiting(), [])
  })

  it('each have their own timeout, and end when the engine is closed', async () => {
    const { engine, lines, add, publish } = makeEngine(1_000_000)
    add('message.publish', () => new Promise(() => {}), { timeout: 30, name: 'thirty' })
    add('message.publish', () => new Promise(() => {}), { timeout: 10, name: 'ten' })
    add('message.delivered', () => new Promise(() => {}), { name: 'long' })
    const long = engine.chain('message.delivered').fold({ client: testClient() }, newMessage())
    await Promise.all([publish(), publish()])
    assert.deepEqual(
      lines.map(({ fields }) => [fields.hook, fields.timeout]),
      [
        ['thirty', 30],
        ['thirty', 30],
        ['ten', 10],
        ['ten', 10],
      ],
    )
    assert.deepEqual(
      engine.waiting().map(({ hook }) => hook),
      ['long'],
    )
    engine.close()
    const outcome = await long
    assert.ok(outcome instanceof Refusal)
    assert.equal(outcome.by, 'cancelled')
    assert.deepEqual(engine.waiting(), [])
  })

  it('end with their scope, and no later hook runs', async () => {
    const { engine, add, publish } = makeEngine()
    let after = false
    add('message.publish', () => new Promise(() => {}))
    add('message.publish', () => {
      after = true
    })
    const scope = new CallScope()
    const result = publish(newMessage(), scope)
    const other = publish(newMessage(), new CallScope())
    assert.equal(scope.pending, 1)
    scope.cancel()
    const outcome = await result
    assert.ok(outcome instanceof Refusal)
    assert.equal(outcome.by, 'cancelled')
    assert.equal(after, false)
    assert.equal(scope.pending, 0)
    assert.equal(engine.waiting().length, 1, 'the other run still waits')
    assert.ok((await publish(newMessage(), scope)) instanceof Refusal, 'a cancelled scope waits for nobody')
    void other
  })

  it('a run keeps the list that it started with', async () => {
    const { add, publish } = makeEngine()
    const held = Promise.withResolvers<void>()
    add('message.publish', () => held.promise)
    const removed = add('message.publish', () => ({ ok: { payload: 'removed later' } }))
    const result = publish()
    removed.remove()
    add('message.publish', () => ({ ok: { payload: 'added later' } }))
    held.resolve()
    assert.equal(text(await result), 'removed later')
  })
})
