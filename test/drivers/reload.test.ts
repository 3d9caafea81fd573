import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { start, write } from './support.ts'

const version = (payload: string, extra = ''): string => `
import time
def init(): return (0, ([("message_publish", "main", "publish", []), ("client_connected", "main", "connected", [])${extra}], ()))
def deinit(): print("deinit ${payload}")
def connected(client, state):
    print("connected ${payload}")
def publish(message, state):
    fields = dict(message)
    if fields[b"topic"] == b"slow": time.sleep(0.3)
    return (0, [(b"payload", fields[b"payload"] + b" ${payload}")])
`

test('a reload under load: no call is lost, each client keeps its order, the old process ends', async (t) => {
  const { broker, home, processes, lines, printed } = await start(t, { 'main.py': version('one') })
  const [old] = await processes()
  const seen = new Map<string, string[]>()
  broker.subscribe('#', (message) => {
    const own = seen.get(message.from) ?? []
    seen.set(message.from, own)
    own.push(Buffer.from(message.payload).toString())
  })
  let running = true
  const counts = await Promise.all([
    ...['a', 'b', 'c'].map(async (from) => {
      let sent = 0
      while (running) {
        const calls = Array.from({ length: 5 }, () => broker.publish({ topic: 't', payload: String(sent++), from }))
        await Promise.all(calls)
        await setTimeout(1)
      }
      return sent
    }),
    (async () => {
      await setTimeout(50)
      write(home, 'main.py', version('two'))
      // One call is under way in the old process, and its client sends more meanwhile.
      const slow = ['1', '2', '3'].map((payload, index) =>
        broker.publish({ topic: index === 0 ? 'slow' : 't', payload, from: 'waiting' }),
      )
      await setTimeout(20)
      assert.deepEqual((await broker.ctl('exhook drivers reload python3')).lines, ['ok'])
      const after = broker.publish({ topic: 't', payload: '4', from: 'waiting' })
      await Promise.all([...slow, after])
      await setTimeout(50)
      running = false
      return 4
    })(),
  ])
  const of = (from: string): string[] => seen.get(from) ?? []
  for (const [index, from] of ['a', 'b', 'c'].entries()) {
    const messages = of(from)
    assert.equal(messages.length, counts[index])
    assert.deepEqual(
      messages.map((text) => text.split(' ')[0]),
      Array.from({ length: counts[index] }, (_, number) => String(number)),
    )
    const switched = messages.findIndex((text) => text.endsWith('two'))
    assert.ok(switched > 0, 'both versions were asked')
    assert.ok(messages.slice(switched).every((text) => text.endsWith('two')))
  }
  assert.equal(of('waiting')[0], '1 one')
  assert.equal(of('waiting').at(-1), '4 two')
  assert.deepEqual(
    of('waiting').map((text) => text[0]),
    ['1', '2', '3', '4'],
  )
  await lines(1)
  assert.deepEqual(printed(), ['deinit one'])
  assert.notDeepEqual(await processes(), [old])
})

test('a version that does not load leaves the one that runs', async (t) => {
  const { broker, home, processes } = await start(t, { 'main.py': version('one') })
  const before = await processes()
  write(home, 'main.py', 'def init(:')
  const [line] = (await broker.ctl('exhook drivers reload python3')).lines
  assert.match(line, /^driver python3: init: SyntaxError: .*main\.py line 1\)$/)
  assert.deepEqual(await processes(), before)
  const received: string[] = []
  broker.subscribe('t', (message) => void received.push(Buffer.from(message.payload).toString()))
  await broker.publish({ topic: 't', payload: 'x' })
  assert.deepEqual(received, ['x one'])
  write(home, 'main.py', version('two', ', ("session_created", "main", "connected", [])'))
  assert.deepEqual((await broker.ctl('exhook drivers reload python3')).lines, ['ok'])
  assert.deepEqual((await broker.ctl('exhook drivers list')).lines, [
    'Driver(name=python3, init_module=main, hooks=[message_publish,client_connected,session_created])',
  ])
})

test('hot_reload: a saved file is in force soon after, also when the one before did not load', async (t) => {
  const { broker, home, logs, lines } = await start(
    t,
    { 'main.py': 'def init(): return (1, "not yet")' },
    { 'exhook.drivers.python3.hot_reload': 'on' },
  )
  await logs(/init\(\) says no: not yet/)
  write(home, 'main.py', version('one'))
  await logs(/info driver python3: the handler was loaded again/)
  await broker.connect()
  assert.deepEqual(await lines(1), ['connected one'])
  write(home, 'helper.py', 'name = "two"')
  write(home, 'main.py', `import helper\n${version('two')}`)
  await lines(2)
  await broker.connect()
  assert.deepEqual(await lines(3), ['connected one', 'deinit one', 'connected two'])
})

test('a handler that names other hooks when its process is started again is loaded anew', async (t) => {
  const { broker, home, processes, logs, lines } = await start(
    t,
    { 'main.py': version('one') },
    { 'exhook.drivers.python3.restart_delay': '10ms' },
  )
  write(home, 'main.py', version('two', ', ("session_created", "main", "connected", [])'))
  process.kill((await processes())[0], 'SIGKILL')
  await logs(/names other hooks than before its process ended; it is loaded anew/)
  await logs(/info driver python3: the handler was loaded again/)
  await broker.connect()
  assert.deepEqual((await lines(3)).sort(), ['connected two', 'connected two', 'deinit two'])
})
