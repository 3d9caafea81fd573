import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Explanation } from '@hookmq/api'
import { type Operated, startOperated } from '../testing/operator.ts'

/** A broker with two authorizers: only `open/…` is for all, `eve` may do nothing. */
async function guarded(scope: Parameters<typeof startOperated>[0]): Promise<Operated & { asked: string[] }> {
  const operated = await startOperated(scope, '4.x', { options: { aclNoMatch: 'deny' } })
  const asked: string[] = []
  await operated.broker.loadPlugin({
    name: 'guard',
    setup(ctx) {
      ctx.authorizer(
        {
          name: 'people',
          authorize({ client }) {
            asked.push('people')
            return client.clientId === 'eve' ? 'deny' : 'ignore'
          },
        },
        10,
      )
      ctx.authorizer({
        name: 'topics',
        authorize: async ({ topic }) => {
          asked.push('topics')
          return topic.startsWith('open/') ? 'allow' : 'ignore'
        },
      })
    },
  })
  return { ...operated, asked }
}

async function explained({ run }: Operated, ...words: string[]): Promise<Explanation> {
  const { json, exitCode, lines } = await run('hooks', 'explain', ...words)
  assert.equal(exitCode, 0, lines.join('\n'))
  return json as Explanation
}

const answers = ({ steps }: Explanation): string[] =>
  steps.map(({ owner, hook, within, answer }) => `${within === undefined ? `${owner}/` : '> '}${hook}: ${answer}`)

test('hooks list: each chain in its order, with priority, plugin, placement and counters', async (scope) => {
  const { broker, connect, lines, run } = await startOperated(scope)
  await broker.loadPlugin({
    name: 'changer',
    setup(ctx) {
      ctx.hook('message.publish', () => undefined, { name: 'low', priority: -5 })
      ctx.hook('message.publish', () => undefined, { name: 'high', priority: 5, topics: ['a/#'] })
      ctx.hook('message.publish', () => undefined, { name: 'last', phase: 'sink', priority: 99 })
      ctx.hook(
        'message.publish',
        () => {
          throw new Error('no')
        },
        { name: 'broken' },
      )
    },
  })
  const client = await connect('one')
  await client.publish('a/b', 'x', { qos: 1 })
  const printed = await lines('hooks', 'list', 'message.publish')
  assert.equal(printed[0], 'message.publish (fold)')
  assert.match(printed[1], /^ {2}PHASE +PRIORITY +PLUGIN +HOOK +PLACEMENT +CALLS +FAILURES +P50 MS +P99 MS +TOPICS$/)
  assert.deepEqual(
    printed.slice(2).map((line) => line.trim().split(/ +/).slice(0, 7)),
    [
      ['mutate', '5', 'changer', 'high', 'in-process', '1', '0'],
      ['mutate', '0', 'changer', 'broken', 'in-process', '1', '1'],
      ['mutate', '-5', 'changer', 'low', 'in-process', '1', '0'],
      ['sink', '99', 'changer', 'last', 'in-process', '1', '0'],
    ],
  )
  assert.match(printed[2], /a\/#$/)
  assert.equal(((await run('hooks', 'list', 'message.publish')).json as { hooks: unknown[] }[])[0].hooks.length, 4)
  assert.deepEqual(await lines('hooks', 'list', 'client.ping'), ['client.ping (notification)', '  no hooks'])
  assert.match((await run('hooks', 'list', 'message.publsh')).lines[0], /^Error: .*did you mean message\.publish/)
})

test('hooks waiting: who has not answered, on what, for whom', async (scope) => {
  const { broker, connect, lines } = await startOperated(scope)
  const { promise, resolve } = Promise.withResolvers<void>()
  const called = Promise.withResolvers<void>()
  broker.hook(
    'message.publish',
    () => {
      called.resolve()
      return promise
    },
    { name: 'slow' },
  )
  const client = await connect('one')
  const sent = client.publish('a', 'x', { qos: 1 })
  await called.promise
  const [line] = await lines('hooks', 'waiting')
  assert.match(line, /^embedding\/slow on message\.publish for one: waiting for \d+ ms$/)
  resolve()
  await sent
  assert.deepEqual(await lines('hooks', 'waiting'), [])
})

test('hooks explain: every authorizer that was asked, and who decided', async (scope) => {
  const operated = await guarded(scope)
  await operated.connect('ann')
  await operated.connect('eve')
  const allowed = await explained(operated, 'ann', 'subscribe', 'open/#')
  assert.deepEqual(answers(allowed), ['core/authorization: allow, stop', '> people: ignore', '> topics: allow'])
  assert.deepEqual([allowed.result, allowed.by], ['allow', 'topics'])
  const denied = await explained(operated, 'eve', 'publish', 'open/x')
  assert.deepEqual(answers(denied), ['core/authorization: deny, stop', '> people: deny'])
  assert.deepEqual([denied.result, denied.by], ['deny', 'people'])
  const nobody = await explained(operated, 'ann', 'publish', 'closed')
  assert.deepEqual(answers(nobody), ['core/authorization: ignore', '> people: ignore', '> topics: ignore'])
  assert.deepEqual([nobody.result, nobody.by], ['deny', 'default'])
  const lines = await operated.lines('hooks', 'explain', 'ann', 'publish', 'open/x')
  assert.equal(lines[0], 'ann publish open/x')
  assert.equal(lines[1], '  client.authorize')
  assert.match(lines[2], /^ {7}960 {2}core\/authorization +allow, stop +=> allow by topics +\(\d+\.\d\d ms\)$/)
  assert.equal(lines.at(-1), 'allow, decided by topics')
})

test('hooks explain publish: what the hooks make of the message, the second look, and no effects', async (scope) => {
  const operated = await guarded(scope)
  const { broker, connect, lines } = operated
  const sunk: string[] = []
  broker.hook(
    'message.publish',
    (_args, message) => (message.topic === 'open/away' ? { ok: { ...message, topic: 'closed/x' } } : undefined),
    { name: 'mover' },
  )
  broker.hook('message.publish', (_args, message) => (message.topic === 'open/drop' ? { drop: true } : undefined), {
    name: 'dropper',
  })
  broker.hook('message.publish', (_args, message) => void sunk.push(message.topic), { name: 'store', phase: 'sink' })
  await connect('ann')
  const received: string[] = []
  broker.subscribe('#', (message) => void received.push(message.topic))
  const before = [broker.metrics(), broker.admin.hooks()]

  const through = await explained(operated, 'ann', 'publish', 'open/x')
  assert.deepEqual(answers(through).slice(3), ['embedding/mover: ignore', 'embedding/dropper: ignore'])
  assert.equal(through.result, 'allow')
  const moved = await explained(operated, 'ann', 'publish', 'open/away')
  assert.deepEqual(answers(moved).slice(3), [
    'embedding/mover: modified',
    'embedding/dropper: ignore',
    'core/authorization: ignore',
    '> people: ignore',
    '> topics: ignore',
  ])
  assert.equal(moved.steps[3].state, 'closed/x qos 0, 0 bytes')
  assert.deepEqual([moved.result, moved.by], ['deny', 'default'])
  const dropped = await explained(operated, 'ann', 'publish', 'open/drop')
  assert.equal(answers(dropped).at(-1), 'embedding/dropper: drop')
  assert.deepEqual([dropped.result, dropped.by], ['deny', 'embedding/dropper'])

  assert.deepEqual([broker.metrics(), broker.admin.hooks()], before)
  assert.deepEqual([received, sunk], [[], []])
  assert.deepEqual(await lines('hooks', 'waiting'), [])
})

test('hooks explain: a remembered answer is neither used nor made', async (scope) => {
  const operated = await guarded(scope)
  const client = await operated.connect('ann')
  const { asked } = operated
  await client.publish('open/x', 'x', { qos: 1 })
  assert.deepEqual(asked.splice(0), ['people', 'topics'])
  await explained(operated, 'ann', 'publish', 'open/x')
  assert.deepEqual(asked.splice(0), ['people', 'topics'])
  await explained(operated, 'ann', 'publish', 'open/y')
  asked.splice(0)
  await client.publish('open/y', 'x', { qos: 1 })
  assert.deepEqual(asked, ['people', 'topics'])
})

test('hooks explain: failures act as they would, and are not counted', async (scope) => {
  const { broker, connect, ...rest } = await startOperated(scope)
  broker.hook(
    'client.authorize',
    async () => {
      throw new Error('database is away')
    },
    { name: 'database' },
  )
  await connect('ann')
  const failed = await explained({ broker, connect, ...rest }, 'ann', 'publish', 'a')
  assert.deepEqual(answers(failed), ['embedding/database: failed: database is away'])
  assert.deepEqual([failed.result, failed.by], ['deny', 'embedding'])
  const chain = broker.admin.hooks().find(({ point }) => point === 'client.authorize')
  assert.deepEqual([chain?.hooks[0].calls, chain?.hooks[0].failures], [0, 0])
})

test('hooks explain: a hook that does not answer is given up after its timeout', async (scope) => {
  const operated = await startOperated(scope)
  operated.broker.hook('message.publish', () => new Promise<undefined>(() => {}), {
    name: 'never',
    timeout: 5,
    failedAction: 'deny',
  })
  await operated.connect('ann')
  const late = await explained(operated, 'ann', 'publish', 'a')
  assert.deepEqual(answers(late), ['embedding/never: failed: no answer within 5 ms'])
  assert.deepEqual([late.result, late.by], ['deny', 'embedding/never'])
})

test('hooks explain: superusers, unknown clients, wrong topics', async (scope) => {
  const operated = await startOperated(scope)
  const { broker, connect, lines, run } = operated
  broker.hook('client.authenticate', () => ({ stop: { result: 'allow', superuser: true } }), { priority: 2000 })
  await connect('root')
  const all = await explained(operated, 'root', 'publish', 'a')
  assert.deepEqual([all.steps, all.result, all.by], [[], 'allow', 'superuser'])
  assert.deepEqual(await lines('hooks', 'explain', 'nobody', 'publish', 'a'), ['Not Found.'])
  const wildcard = await run('hooks', 'explain', 'root', 'publish', 'a/#')
  assert.equal(wildcard.exitCode, 1)
  assert.match(wildcard.lines[0], /^Error: 'a\/#': /)
  assert.equal((await run('hooks', 'explain', 'root', 'sing', 'a')).exitCode, 2)
})
