import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inBothPlacements, type Subject, startSubject, until } from './placement.testing.ts'

const quick = { restartDelay: [5, 50] } as const

async function refusal(subject: Subject, topic: string): Promise<unknown> {
  return (await subject.broker.admin.publish({ topic, payload: 'before' })).refused
}

/** What reaches subscribers. */
async function passed(subject: Subject, topic: string): Promise<string | undefined> {
  let got: string | undefined
  const end = subject.broker.link.subscribe(topic, ({ payload }) => {
    got = payload.toString()
  })
  await subject.broker.publish({ topic, payload: 'before' })
  end()
  return got
}

function problem(subject: Subject): string | undefined {
  return subject.broker.admin.plugins().find(({ name }) => name === 'subject')?.error
}

const restarts = (subject: Subject): number => subject.broker.link.metrics()['plugins.subject.worker.restarts']

inBothPlacements('a plugin that throws in every callback: the broker serves on', async (scope, placement) => {
  const subject = await startSubject(scope, placement, 'throws in every callback')
  const client = await subject.connect()
  await client.subscribe('a')
  await client.publish('a', 'still here', { qos: 1 })
  assert.equal((await client.message('a')).payload.toString(), 'still here')
  await assert.rejects(client.publish('checked', '', { qos: 1 }), { reasonCode: 0x87 })
  await assert.rejects(async () => subject.command(), { message: 'on purpose' })
  await until(() => subject.log.some(({ message }) => message === 'a timer threw'), 'the timer')
  await until(
    () => subject.log.some(({ message }) => message === 'a subscription of the broker threw'),
    'the subscription',
  )
  const failed = subject.broker.admin
    .hooks()
    .flatMap(({ hooks }) => hooks.filter(({ owner, failures }) => owner === 'subject' && failures > 0))
  assert.deepEqual(
    new Set(failed.map(({ name }) => name)),
    new Set(['message.publish', 'client.connected', 'client.subscribe']),
  )
  assert.equal(problem(subject), undefined)
  await subject.broker.plugins.unload('subject')
  assert.deepEqual(subject.broker.plugins.list(), [])
  assert.equal(await passed(subject, 'b'), 'before')
})

const ends: [topic: string, reason: RegExp][] = [
  ['do/loop', /did not answer for 2000 ms: a handler does not return/],
  ['do/exit', /it called process\.exit\(7\)/],
  ['do/heap', /needed more than 24 MB of memory/],
  ['do/buffers', /held more than 24 MB in buffers/],
  ['do/throw', /nobody caught what it threw: nobody catches this/],
  ['do/reject', /nobody caught what it threw: nobody catches this either/],
]
for (const [topic, reason] of ends)
  test(`${topic}: the worker ends, its policy holds, and it is started again`, async (scope) => {
    const subject = await startSubject(scope, 'worker', 'misbehaves on demand', {
      limits: { memory: 24 * 1024 * 1024, hangTimeout: 2000, restartDelay: [300, 300] },
    })
    assert.equal(await passed(subject, 'open'), 'changed')
    assert.equal(await refusal(subject, 'guarded'), undefined)
    const client = await subject.connect()
    const answered = client.publish(topic, '', { qos: 1 })
    // Somebody else's message, while the worker is not itself.
    await subject.broker.publish({ topic: 'other' })
    await until(() => problem(subject) !== undefined, 'the end of the worker')
    await answered
    assert.match(problem(subject) ?? '', reason)
    assert.match(problem(subject) ?? '', /restart 1 is (due at|under way)/)
    // What must agree does not, and what may be missing is passed by.
    assert.deepEqual(await refusal(subject, 'guarded'), { by: 'subject/guard', reasonCode: 0x83 })
    assert.equal(await passed(subject, 'open'), 'before')
    await until(() => problem(subject) === undefined, 'the restart')
    assert.equal(await passed(subject, 'open'), 'changed')
    assert.equal(await refusal(subject, 'guarded'), undefined)
    assert.deepEqual(subject.reports('started'), [0, 1])
    assert.equal(restarts(subject), 1)
    assert.deepEqual((await subject.command())?.lines, ['here'])
    await client.ping()
  })

test('calls to a worker that hangs time out by their hooks, not later', async (scope) => {
  const subject = await startSubject(scope, 'worker', 'misbehaves on demand', {
    options: { hookTimeout: 50 },
    limits: { hangTimeout: 60_000 },
  })
  await subject.broker.publish({ topic: 'do/loop' })
  assert.deepEqual(await refusal(subject, 'guarded'), { by: 'subject/guard', reasonCode: 0x83 })
  assert.equal(await passed(subject, 'open'), 'before')
  const [timeouts] = subject.broker.admin.hooks().flatMap(({ hooks }) => hooks.filter(({ name }) => name === 'doing'))
  assert.equal(timeouts.timeouts, 1)
  // Unloading ends it although it does not answer.
  subject.broker.plugins.patience = { setup: 30_000, drain: 50, teardown: 200 }
  assert.equal(await subject.broker.plugins.unload('subject'), true)
})

test('a worker that cannot be started again is tried later and later; unloading ends that', async (scope) => {
  const subject = await startSubject(scope, 'worker', 'ends in setup', { config: { later: 'true' }, limits: quick })
  await subject.broker.publish({ topic: 'do/exit' })
  await until(() => restarts(subject) >= 3, 'three restarts')
  await until(() => /could not be started again: .*process\.exit\(4\)/.test(problem(subject) ?? ''), 'the reason')
  assert.deepEqual(await refusal(subject, 'guarded'), { by: 'subject/message.publish', reasonCode: 0x83 })
  // One attempt may be under way: then the plugin is busy.
  await until(() => !/under way/.test(problem(subject) ?? ''), 'a pause')
  await unloadWhenFree(subject)
  const count = restarts(subject)
  assert.equal(await refusal(subject, 'guarded'), undefined)
  await new Promise((resolve) => setTimeout(resolve, 150))
  assert.equal(restarts(subject), count)
})

async function unloadWhenFree(subject: Subject): Promise<void> {
  for (;;) {
    try {
      await subject.broker.plugins.unload('subject')
      return
    } catch (error) {
      assert.equal((error as Error).name, 'PluginBusyError')
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
}

test('a worker that ends in its first setup: not loaded, and the reason', async (scope) => {
  await assert.rejects(startSubject(scope, 'worker', 'ends in setup'), /worker has ended: it called process\.exit\(3\)/)
})

test('a setup that does not come back is ended', async (scope) => {
  await assert.rejects(
    startSubject(scope, 'worker', 'does not come back from setup', { patience: 1000 }),
    /setup did not end within 1 s/,
  )
})

test('a teardown that does not come back is ended', async (scope) => {
  const subject = await startSubject(scope, 'worker', 'does not come back from teardown', {
    limits: { hangTimeout: 1000 },
  })
  assert.equal(await subject.broker.plugins.unload('subject'), true)
  assert.deepEqual(subject.broker.plugins.list(), [])
})

test('timers that the plugin leaks end with its worker', async (scope) => {
  const subject = await startSubject(scope, 'worker', 'leaks timers')
  let ticks = 0
  while (ticks < 5) ticks = Number((await subject.command())?.lines[0])
  await subject.broker.plugins.unload('subject')
  const [last] = (await subject.reported('ticks')) as number[]
  assert.ok(last >= 5)
  assert.equal(subject.reports('ticks').length, 1)
})

test('more calls than may wait are refused by the policy of the hook, and counted', async (scope) => {
  const subject = await startSubject(scope, 'worker', 'is slow', {
    options: { hookTimeout: 100 },
    limits: { queue: 3 },
  })
  const outcomes = await Promise.all(Array.from({ length: 5 }, () => refusal(subject, 'a')))
  for (const outcome of outcomes) assert.deepEqual(outcome, { by: 'subject/message.publish', reasonCode: 0x83 })
  assert.equal(subject.broker.link.metrics()['plugins.subject.worker.refused'], 2)
})

test('a plugin that floods the log loses lines, is told how many, and holds up nobody', async (scope) => {
  const subject = await startSubject(scope, 'worker', 'floods', { options: { log: undefined } })
  const lines = Number((await subject.command())?.lines[0])
  assert.ok(lines > 1000)
  await subject.reported('flooded')
  const seen = subject.log.filter(({ message }) => message === 'flood').length
  const left = subject.log.reduce((total, { fields }) => total + Number(fields.leftOut ?? 0), 0)
  // The test keeps the last 10,000 lines only.
  assert.ok(seen + left <= lines && seen > 0, `${seen} seen, ${left} left out of ${lines}`)
})

test('a plugin that provides hooks of elsewhere is told that it cannot do so in a worker', async (scope) => {
  await assert.rejects(
    startSubject(scope, 'worker', 'provides'),
    /must run in the broker's own thread; set its placement/,
  )
  const subject = await startSubject(scope, 'in-process', 'provides')
  assert.deepEqual(
    subject.broker.admin.providers().map(({ name }) => name),
    ['far'],
  )
})
