import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { Message } from '@hookmq/api'
import { inBothPlacements, type Subject, startSubject, until } from './placement.testing.ts'

/** What subscribers got, and what became of it for the publisher. */
async function publishThrough(
  subject: Subject,
  topic: string,
): Promise<{ got: Message | undefined; refused: unknown }> {
  let got: Message | undefined
  const end = subject.broker.link.subscribe('#', (message) => {
    got = message
  })
  const { refused } = await subject.broker.admin.publish({
    topic,
    payload: 'before',
    properties: { contentType: 'old' },
  })
  end()
  return { got, refused }
}

for (const kind of ['verdicts', 'verdicts later'])
  inBothPlacements(`${kind}: each does what it says, and unchanged fields stay`, async (scope, placement) => {
    const subject = await startSubject(scope, placement, kind)
    const payloadAfter = async (topic: string): Promise<string | undefined> => {
      const { got, refused } = await publishThrough(subject, topic)
      assert.equal(refused, undefined, topic)
      return got && Buffer.from(got.payload).toString()
    }
    for (const topic of ['nothing', 'ok', 'same', 'copy', 'stop'])
      assert.equal(await payloadAfter(topic), 'before', topic)
    assert.equal(await payloadAfter('text'), 'text instead of bytes')
    assert.equal(await payloadAfter('stop-with'), 'stopped')

    const { got } = await publishThrough(subject, 'all')
    assert.ok(got !== undefined)
    assert.deepEqual(
      [got.topic, String(got.payload), got.qos, got.retain, got.from, got.properties, got.headers],
      [
        'changed',
        'new',
        2,
        true,
        'internal',
        { contentType: 'text/plain', userProperties: [['a', 'ü€']] },
        { username: 'somebody' },
      ],
    )

    const by = 'subject/message.publish'
    assert.deepEqual(await publishThrough(subject, 'drop'), { got: undefined, refused: { by } })
    assert.deepEqual(await publishThrough(subject, 'reject'), { got: undefined, refused: { by, reasonCode: 0x97 } })
    assert.deepEqual(await publishThrough(subject, 'disconnect'), { got: undefined, refused: { by, reasonCode: 0x98 } })
    assert.equal((await publishThrough(subject, 'not-published')).got, undefined)

    // What fails is as if the hook had not been there, is counted, and is told to the operator in the same words.
    for (const topic of ['throw', 'nonsense', 'function', 'bad-message', 'cannot-be-sent'])
      assert.equal(await payloadAfter(topic), 'before', topic)
    const failures = subject.log.filter(({ message }) => message.startsWith('hook failed'))
    const told = failures.map(({ fields }) => `${fields.error ?? fields.problem}`)
    assert.deepEqual(told.slice(0, 4), [
      'on purpose',
      `expected nothing, 'ok', { ok: value }, 'stop', { stop: value }, { drop: true }, { reject: code }, { disconnect: code }; got number`,
      `expected nothing, 'ok', { ok: value }, 'stop', { stop: value }, { drop: true }, { reject: code }, { disconnect: code }; got function`,
      '{ ok }: message.qos must be 0, 1 or 2, got 7',
    ])
    assert.equal(told.length, 5)
    assert.match(told[4], /userProperties|nested too deeply/)
    const [hook] = subject.broker.admin.hooks().find(({ point }) => point === 'message.publish')?.hooks ?? []
    assert.deepEqual([hook.owner, hook.failures], ['subject', 5])
  })

inBothPlacements('a hook sees the message as it is, with the id that it keeps', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'verdicts')
  const subscriber = await subject.connect()
  await subscriber.subscribe('a/b')
  let delivered: Message | undefined
  subject.broker.link.subscribe('#', (message) => {
    delivered = message
  })
  const client = await subject.connect({ clientId: 'publisher', username: 'ann' })
  await client.publish('a/b', 'hello', {
    qos: 1,
    retain: true,
    properties: { correlationData: Buffer.from('c'), userProperties: [['k', 'v']], messageExpiryInterval: 60 },
  })
  const [seen] = (await subject.reported('asked')) as Record<string, unknown>[]
  assert.equal(delivered?.id, seen.id)
  assert.match(String(seen.id), /^[0-9A-F]{32}$/)
  assert.deepEqual(seen, {
    id: seen.id,
    topic: 'a/b',
    payload: 'hello',
    bytes: true,
    qos: 1,
    retain: true,
    dup: false,
    from: 'publisher',
    time: true,
    properties: { correlationData: 'c', userProperties: [['k', 'v']], messageExpiryInterval: 60 },
    headers: { username: 'ann', protocol: 'mqtt', peerhost: '127.0.0.1' },
  })
  assert.equal((await subscriber.message('a/b')).payload.toString(), 'hello')
})

inBothPlacements('a megabyte, nothing and every byte get through', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'generation', { config: { number: 'x' } })
  const got: Buffer[] = []
  subject.broker.link.subscribe('#', ({ payload }) => void got.push(Buffer.from(payload)))
  const big = Buffer.alloc(1_000_000, 'abc')
  await subject.broker.publish({ topic: 'a', payload: big })
  await subject.broker.publish({ topic: 'a' })
  assert.deepEqual(
    got.map(({ length }) => length),
    [big.length + 2, 2],
  )
  assert.ok(got[0].equals(Buffer.concat([big, Buffer.from(' x')])))
})

inBothPlacements('priority, phase, topics and names hold', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'options')
  subject.broker.hooks.add(
    'message.publish',
    () => subject.broker.log.info('report ran', { value: 'outside' }) as undefined,
    {
      owner: 'test',
      priority: 5,
    },
  )
  await subject.broker.publish({ topic: 'any' })
  const order = ['high', 'outside', 'zero', 'named', 'low', 'sink']
  assert.deepEqual(subject.reports('ran'), order)
  await subject.broker.publish({ topic: 'only/this' })
  assert.deepEqual(subject.reports('ran').slice(order.length), [
    'high',
    'outside',
    'zero',
    'topics',
    'named',
    'low',
    'sink',
  ])
  const views = subject.broker.admin.hooks().find(({ point }) => point === 'message.publish')?.hooks ?? []
  const own = views.filter(({ owner }) => owner === 'subject')
  assert.deepEqual(
    own.map(({ name, priority, phase }) => [name, priority, phase]),
    [
      ['first', 10, 'mutate'],
      ['message.publish', 0, 'mutate'],
      ['message.publish', 0, 'mutate'],
      ['named', 0, 'mutate'],
      ['message.publish', -10, 'mutate'],
      ['message.publish', 100, 'sink'],
    ],
  )
})

inBothPlacements('timeout, failedAction and recheck hold', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'policy')
  const refused = async (topic: string) => (await publishThrough(subject, topic)).refused
  assert.deepEqual(await refused('never/deny'), { by: 'subject/deny', reasonCode: 0x83 })
  assert.equal(await refused('never/ignore'), undefined)
  assert.deepEqual(await refused('throw/deny'), { by: 'subject/throws', reasonCode: 0x83 })
  const client = await subject.connect()
  await assert.rejects(client.publish('recheck', '', { qos: 1 }), { reasonCode: 0x87 })
  await client.publish('trusted', '', { qos: 1 })
  const hooks = subject.broker.admin.hooks().find(({ point }) => point === 'message.publish')?.hooks ?? []
  assert.deepEqual(
    hooks.filter(({ timeouts }) => timeouts > 0).map(({ name }) => name),
    ['deny', 'ignore'],
  )
})

inBothPlacements('what cannot be registered is told in the same words', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'errors')
  const registration = (code: string, message: string) => ({
    name: 'HookRegistrationError',
    message,
    code,
    isError: true,
    isTypeError: false,
  })
  const type = (message: string) => ({ name: 'TypeError', message, code: undefined, isError: true, isTypeError: true })
  const [duplicate] = (await subject.reported('duplicate')) as { name: string; code: string }[]
  assert.deepEqual([duplicate.name, duplicate.code], ['HookRegistrationError', 'already_exists'])
  const expected: Record<string, unknown> = {
    'unknown point': registration(
      'invalid_hookpoint',
      "there is no hook point 'message.publsh'; did you mean message.publish?",
    ),
    option: registration(
      'invalid_options',
      "hook on message.publish of subject: there is no option 'prio'; the options are priority, phase, topics, timeout, failedAction, recheck, payload, name",
    ),
    'no function': registration(
      'invalid_options',
      'hook on message.publish of subject: the handler must be a function, got string',
    ),
    topics: registration('invalid_options', 'hook on client.connected of subject: topics is for message.* only'),
    gauge: type("there is no statistic 'no.such'; docs/reference/metrics.md lists them"),
    counter: type(`plugin subject: counter name "a b" must be words of letters, digits, '_' and '-', joined by '.'`),
  }
  for (const [what, error] of Object.entries(expected)) assert.deepEqual((await subject.reported(what))[0], error, what)
  for (const [what, pattern] of [
    ['filter', /^subscribe: /],
    ['command', /'Not a name': expected one word/],
    ['route', /'x' must begin with/],
    ['setting', /none/],
    ['authenticator', /needs a name/],
  ] as const) {
    const [error] = (await subject.reported(what)) as { message: string; isTypeError: boolean }[]
    assert.match(error.message, pattern)
    assert.equal(error.isTypeError, true, what)
  }
})

inBothPlacements('hooks come and go while the plugin is in force', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'handles')
  assert.deepEqual(await subject.reported('handle'), [{ point: 'message.publish', name: 'removable' }])
  await subject.broker.publish({ topic: 'a' })
  await subject.command('remove')
  await subject.command('add')
  await subject.broker.publish({ topic: 'a' })
  assert.deepEqual([subject.reports('ran').length, subject.reports('ran late').length], [1, 1])
})

inBothPlacements('notifications arrive, in order for each client', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'notifications')
  const client = await subject.connect({ clientId: 'c' })
  await client.subscribe('x', { qos: 1 })
  for (let index = 0; index < 5; index++) await client.publish(`slow/${index}`)
  await client.close()
  assert.deepEqual(await subject.reported('connected'), [{ clientId: 'c', listener: 'link:testing', cleanStart: true }])
  assert.deepEqual(await subject.reported('subscribed'), [{ clientId: 'c', topic: 'x', qos: 1, isNew: true }])
  assert.deepEqual(
    await subject.reported('dropped', 5),
    [0, 1, 2, 3, 4].map((index) => ({ topic: `slow/${index}`, reason: 'no_subscribers', atOnce: 1 })),
  )
  assert.deepEqual(await subject.reported('terminated'), [{ reason: 'normal', subscriptions: ['x'] }])
  await until(() => subject.log.some(({ fields }) => fields.error === 'on purpose'), 'the failing notification')
})

inBothPlacements('every fold point takes what the hook answers', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'folds')
  await assert.rejects(subject.connect({ clientId: 'unwanted' }), { reasonCode: 0x8a })
  const client = await subject.connect({ clientId: 'c', properties: { userProperties: [['a', 'b']] } })
  assert.deepEqual(client.connack?.properties.userProperties, [['hello', 'there']])
  assert.equal(subject.broker.admin.client('c')?.session.expiryInterval, 60)
  await client.subscribe('old')
  assert.deepEqual(await subject.reported('subscribe'), [{ tenant: 'acme', filters: ['old'] }])
  await assert.rejects(client.publish('new', 'sent', { qos: 1 }), { reasonCode: 0x97 })
  assert.equal((await client.message('new')).payload.toString(), 'delivered')
})

inBothPlacements('authenticators and authorizers decide', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'access', { options: { allowAnonymous: false } })
  const password = Buffer.from('secret')
  await assert.rejects(subject.connect({ username: 'nobody', password }), { reasonCode: 0x86 })
  await assert.rejects(subject.connect({ username: 'crash' }), { reasonCode: 0x87 })
  await assert.rejects(subject.connect({ username: 'somebody else' }), { reasonCode: 0x87 })
  await subject.connect({ clientId: 'admin', username: 'admin', password })
  const view = subject.broker.link.client('admin')
  assert.deepEqual([view?.superuser, view?.attributes], [true, { role: 'admin' }])
  assert.ok((view?.expiresAt ?? 0) > Date.now())
  const [first] = (await subject.reported('authenticate')) as object[]
  assert.deepEqual({ ...first, clientId: '' }, { clientId: '', password: 'secret', step: 'connect' })

  const client = await subject.connect({ clientId: 'late', username: 'late' })
  await client.publish('anything', '', { qos: 1 })
  await client.publish('later', '', { qos: 1 })
  await assert.rejects(client.publish('forbidden', '', { qos: 1 }), { reasonCode: 0x87 })
  await assert.rejects(client.publish('crash', '', { qos: 1 }), { reasonCode: 0x87 })
  const [request] = (await subject.reported('authorize')) as object[]
  assert.deepEqual(request, { role: undefined, action: 'publish', topic: 'anything', qos: 1, retain: false })
  assert.deepEqual(await subject.broker.admin.reloadAccessRules(), ['subject'])
  assert.deepEqual(await subject.reported('reloaded'), [1])
})

inBothPlacements('an exchange of authentication keeps its state', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'exchange')
  const asked: string[] = []
  const client = await subject.connect({
    authentication: {
      method: 'COUNT',
      start: () => Buffer.from('a'),
      answer: (data) => {
        asked.push(Buffer.from(data ?? []).toString())
        return Buffer.from(String.fromCharCode(97 + asked.length))
      },
    },
  })
  assert.deepEqual(asked, ['0:a', '1:b', '2:c'])
  assert.equal(Buffer.from(client.connack?.properties.authenticationData ?? []).toString(), '2:c')
})

inBothPlacements('a failing setup leaves nothing behind, and says why', async (scope: TestContext, placement) => {
  await assert.rejects(startSubject(scope, placement, 'failing setup'), (error: Error) => {
    assert.ok(error instanceof RangeError)
    assert.equal(error.message, 'no table')
    assert.match(error.stack ?? '', /placement-subject\.testing\.ts/)
    return true
  })
})

inBothPlacements('a hundred reloads under traffic lose nothing and repeat nothing', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'generation', { config: { number: '0' } })
  const reloads = placement === 'worker' ? 10 : 100
  const got: string[] = []
  subject.broker.link.subscribe('#', ({ payload }) => void got.push(payload.toString()))
  let running = true
  let sent = 0
  const traffic = async (): Promise<void> => {
    while (running) {
      await Promise.all(
        Array.from({ length: 20 }, () => subject.broker.publish({ topic: 't', payload: String(sent++) })),
      )
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const end = traffic()
  for (let number = 1; number <= reloads; number++) await subject.reload({ number: String(number) })
  running = false
  await end
  assert.equal(got.length, sent)
  const numbers = got.map((payload) => payload.split(' '))
  assert.deepEqual(
    numbers.map(([number]) => Number(number)),
    Array.from({ length: sent }, (_, index) => index),
  )
  for (const parts of numbers) assert.equal(parts.length, 2, `${parts}: each message met one generation`)
  const generations = numbers.map(([, number]) => Number(number))
  assert.deepEqual(
    generations,
    generations.toSorted((a, b) => a - b),
    'generations do not mix',
  )
})
