import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { startBroker, type TestBroker } from '../support/broker.ts'
import { startTls } from '../support/listeners.ts'
import { type Running, run, start } from '../support/program.ts'
import { requirement } from '../support/requirements.ts'
import { until } from '../support/wait.ts'

const versions = ['mqttv31', 'mqttv311', 'mqttv5'] as const

interface Clients {
  broker: TestBroker
  /** Runs mosquitto_pub to its end. */
  pub(...args: string[]): Promise<string[]>
  /** Starts mosquitto_sub and waits until it is subscribed. */
  sub(...args: string[]): Promise<Running>
}

async function clients(t: TestContext, version: string): Promise<Clients | undefined> {
  const pubProgram = requirement('mosquitto_pub', t)
  const subProgram = requirement('mosquitto_sub', t)
  if (pubProgram === undefined || subProgram === undefined) return undefined
  const broker = await startBroker(t)
  const common = ['-h', '127.0.0.1', '-p', String(broker.port), '-V', version]
  return {
    broker,
    pub: (...args) => run(t, pubProgram, [...common, ...args]),
    sub: async (...args) => {
      const before = broker.recorder.count('session.subscribed')
      const running = start(t, subProgram, [...common, '-v', ...args])
      await until(() => broker.recorder.count('session.subscribed') > before, 'mosquitto_sub to subscribe')
      return running
    },
  }
}

for (const version of versions) {
  for (const qos of ['0', '1', '2']) {
    test(`${version}: publish and subscribe at QoS ${qos}`, async (t) => {
      const using = await clients(t, version)
      if (using === undefined) return
      const sub = await using.sub('-q', qos, '-t', 'a/#', '-C', '3')
      for (const payload of ['one', 'two', 'three']) await using.pub('-q', qos, '-t', 'a/b', '-m', payload)
      await sub.finished()
      assert.deepEqual(sub.lines(), ['a/b one', 'a/b two', 'a/b three'])
    })
  }

  test(`${version}: retained messages`, async (t) => {
    const using = await clients(t, version)
    if (using === undefined) return
    await using.pub('-r', '-q', '1', '-t', 'kept/1', '-m', 'first')
    await using.pub('-r', '-q', '1', '-t', 'kept/1', '-m', 'second')
    await using.pub('-r', '-q', '1', '-t', 'kept/2', '-m', 'other')
    await using.pub('-r', '-q', '1', '-t', 'kept/2', '-n')
    const sub = await using.sub('-t', 'kept/#', '-C', '1')
    await sub.finished()
    assert.deepEqual(sub.lines(), ['kept/1 second'])
  })

  test(`${version}: will of a client that is killed`, async (t) => {
    const using = await clients(t, version)
    if (using === undefined) return
    const watcher = await using.sub('-t', 'wills/#', '-C', '1')
    const mortal = await using.sub('-t', 'x', '--will-topic', 'wills/x', '--will-payload', 'gone', '--will-qos', '1')
    mortal.process.kill('SIGKILL')
    await watcher.finished()
    assert.deepEqual(watcher.lines(), ['wills/x gone'])
  })

  test(`${version}: a session that waits keeps QoS 1 and 2 in order`, async (t) => {
    const using = await clients(t, version)
    if (using === undefined) return
    const keep = version === 'mqttv5' ? ['-x', '100'] : []
    const session = ['-i', 'sleeper', '-c', ...keep, '-q', '2', '-t', 'a/#']
    await (await using.sub(...session, '-E')).finished()
    for (let index = 0; index < 10; index++) await using.pub('-q', index < 5 ? '1' : '2', '-t', 'a/b', '-m', `${index}`)
    const back = await using.sub(...session, '-C', '10')
    await back.finished()
    assert.deepEqual(
      back.lines(),
      Array.from({ length: 10 }, (_, index) => `a/b ${index}`),
    )
  })

  test(`${version}: a shared subscription`, async (t) => {
    const using = await clients(t, version)
    if (using === undefined) return
    const members = [await using.sub('-t', '$share/g/a'), await using.sub('-t', '$share/g/a')]
    for (let index = 0; index < 20; index++) await using.pub('-q', '1', '-t', 'a', '-m', `${index}`)
    const received = () => members.flatMap((member) => member.lines())
    await until(() => received().length === 20, '20 messages')
    assert.deepEqual(new Set(received()).size, 20)
  })

  test(`${version}: many lines from one publisher`, async (t) => {
    const using = await clients(t, version)
    if (using === undefined) return
    const sub = await using.sub('-q', '1', '-t', 'many', '-C', '500')
    await using.pub('-q', '1', '-t', 'many', '-m', 'again', '--repeat', '500')
    await sub.finished()
    assert.equal(sub.lines().length, 500)
  })
}

for (const version of ['mqttv311', 'mqttv5']) {
  test(`${version}: TLS`, async (t) => {
    const pubProgram = requirement('mosquitto_pub', t)
    const subProgram = requirement('mosquitto_sub', t)
    if (pubProgram === undefined || subProgram === undefined || requirement('openssl', t) === undefined) return
    const broker = await startBroker(t)
    const { port, ca } = await startTls(t, broker)
    const common = ['-h', 'localhost', '-p', String(port), '-V', version, '--cafile', ca, '-t', 'a', '-q', '1']
    const sub = start(t, subProgram, [...common, '-C', '1'])
    await until(() => broker.recorder.count('session.subscribed') === 1, 'mosquitto_sub to subscribe')
    await run(t, pubProgram, [...common, '-m', 'secret'])
    await sub.finished()
    assert.deepEqual(sub.lines(), ['secret'])
  })
}

test('mqttv5: properties', async (t) => {
  const using = await clients(t, 'mqttv5')
  if (using === undefined) return
  const sub = await using.sub('-t', 'a', '-C', '1', '-F', '%p|%C|%R|%D|%P')
  await using.pub(
    '-t',
    'a',
    '-m',
    'x',
    '-D',
    'publish',
    'content-type',
    'text/plain',
    '-D',
    'publish',
    'response-topic',
    'answers',
    '-D',
    'publish',
    'correlation-data',
    'c7',
    '-D',
    'publish',
    'user-property',
    'b',
    '1',
    '-D',
    'publish',
    'user-property',
    'a',
    '2',
  )
  await sub.finished()
  assert.deepEqual(sub.lines(), ['x|text/plain|answers|c7|b:1 a:2'])
})

test('mqttv5: a refused client is told why', async (t) => {
  const program = requirement('mosquitto_pub', t)
  if (program === undefined) return
  const broker = await startBroker(t, { allowAnonymous: false })
  const args = ['-h', '127.0.0.1', '-p', String(broker.port), '-V', 'mqttv5', '-t', 'a', '-m', 'x']
  await assert.rejects(run(t, program, args), /not authori[sz]ed/i)
})
