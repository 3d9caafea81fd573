import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pause, until } from '../support/wait.ts'
import { home, type Running, start } from './support.ts'

const handler = (hooks: string, body: string): string => `
import os, sys, time
def init(): return (0, (${hooks}, ()))
${body}
`
const onPublish = '[("message_publish", "main", "publish", [])]'

/** What keeps a handler from being loaded: its files, and the one line that says so. */
const neverLoaded: readonly (readonly [
  name: string,
  files: Readonly<Record<string, string>>,
  line: RegExp,
  conf?: Record<string, string>,
])[] = [
  [
    'no interpreter',
    {},
    /driver python3: there is no '\/nowhere\/python3' to be found; install Python 3\.8 or newer, or set exhook\.drivers\.python3\.command/,
    { 'exhook.drivers.python3.command': '/nowhere/python3' },
  ],
  [
    'no folder',
    {},
    /driver python3: there is no .*\/lost \(exhook\.drivers\.python3\.path\)/,
    { 'exhook.drivers.python3.path': 'lost/' },
  ],
  ['no module', {}, /driver python3: init: ModuleNotFoundError: No module named 'main'/],
  [
    'a module that imports what is not installed',
    { 'main.py': '\nimport no_such_thing' },
    /driver python3: init: ModuleNotFoundError: No module named 'no_such_thing' \(.*main\.py line 2/,
  ],
  [
    'a syntax error',
    { 'main.py': 'def init():\n    return (\n' },
    /driver python3: init: SyntaxError: .* \(.*main\.py line 2\)/,
  ],
  ['no init', { 'main.py': 'x = 1' }, /driver python3: init: main has no function init\(\)/],
  [
    'an init that raises',
    { 'main.py': 'def init():\n    raise RuntimeError("no table")' },
    /driver python3: init: RuntimeError: no table \(.*main\.py line 2, in init\)/,
  ],
  [
    'an init that says no',
    { 'main.py': 'def init(): return (1, "not today")' },
    /driver python3: init: init\(\) says no: not today/,
  ],
  [
    'an init that returns nothing',
    { 'main.py': 'def init(): pass' },
    /driver python3: init: init\(\) returned None; expected \(0, \(hooks, state\)\) or \(1, reason\)/,
  ],
  [
    'an init that returns nonsense',
    { 'main.py': 'def init(): return {"a": 1}' },
    /init\(\) returned \{'a': 1\}; expected/,
  ],
  [
    'a hook of a wrong shape',
    { 'main.py': 'def init(): return (0, ([("client_connect", "main")], ()))' },
    /driver python3: init: hook 1: expected \(hook, module, function\) or with options, got \('client_connect', 'main'\)/,
  ],
  [
    'a hook name that is no text',
    { 'main.py': 'def init(): return (0, ([(1, "main", "f")], ()))' },
    /hook 1: hook, module and function must be str, got \(1, 'main', 'f'\)/,
  ],
  [
    'topics that are none',
    { 'main.py': 'def init(): return (0, ([("message_publish", "main", "f", [("topics", [1])])], ()))' },
    /hook 1, message_publish: topics must be a list of str or bytes, got \[1\]/,
  ],
  [
    'an init that ends the process',
    { 'main.py': 'import os\ndef init(): os._exit(4)' },
    /driver python3: init\(\) of main: the process ended with exit code 4/,
  ],
  [
    'an init that never returns',
    { 'main.py': 'import time\ndef init(): time.sleep(1000)' },
    /driver python3: init\(\) of main did not return within 300 ms \(exhook\.drivers\.python3\.call_timeout\)/,
    { 'exhook.drivers.python3.call_timeout': '300ms' },
  ],
  [
    'a process that never says anything',
    { 'sitecustomize.py': 'import time\ntime.sleep(1000)' },
    /driver python3: the process did not answer within 300 ms/,
    { 'exhook.drivers.python3.start_timeout': '300ms' },
  ],
]

for (const [name, files, line, conf] of neverLoaded)
  test(`not loaded, and the broker works on: ${name}`, async (t) => {
    const { broker, logged } = await start(t, files, conf)
    assert.match(logged(), line)
    const shown = broker.log.filter(({ level }) => level !== 'debug')
    assert.deepEqual(
      shown.filter(({ fields }) => fields.stack !== undefined),
      [],
      'no stack trace for a mistake of the user',
    )
    assert.deepEqual((await broker.ctl('exhook drivers list')).lines, [])
    const client = await broker.connect()
    await client.publish('a', '', { qos: 1 })
    const [enabled] = (await broker.ctl('exhook drivers enable python3')).lines
    assert.match(enabled, line)
  })

test('Python 2 is refused by its version', async (t) => {
  const old = join(home(t, {}), 'python2')
  writeFileSync(old, '#!/bin/sh\necho 2.7.18\n')
  chmodSync(old, 0o755)
  const { logged } = await start(t, {}, { 'exhook.drivers.python3.command': old })
  assert.match(logged(), /driver python3: '.*python2' is Python 2\.7\.18; 3\.8 or newer is needed/)
})

test('a driver that does not load leaves the others alone', async (t) => {
  const { broker, logged } = await start(
    t,
    { 'main.py': handler(onPublish, 'def publish(message, state): return (0, [(b"payload", b"seen")])') },
    { 'exhook.drivers': 'python,python3', 'exhook.drivers.python.init_module': 'lost' },
  )
  assert.match(logged(), /driver python: init: ModuleNotFoundError/)
  await assertSeen(broker)
})

test('a hook that there is not, and a function that there is not', async (t) => {
  const hooks =
    '[("client_conect", "main", "f"), ("message_publish", "main", "lost"), ("client_connected", "lost", "f")]'
  const { broker, logged } = await start(t, { 'main.py': handler(hooks, '') })
  assert.match(
    logged(),
    /driver python3: there is no hook 'client_conect': main:f will never be called; there are client_connect, /,
  )
  assert.match(logged(), /hook message_publish: main:lost cannot be called: module 'main' has no attribute 'lost'/)
  const client = await broker.connect()
  await client.publish('a', '', { qos: 1 })
  assert.match(logged(), /driver python3: message_publish: AttributeError: module 'main' has no attribute 'lost'/)
  assert.match(logged(), /driver python3: client_connected: ModuleNotFoundError: No module named 'lost'/)
})

async function assertSeen(broker: Running['broker']): Promise<void> {
  const client = await broker.connect()
  await client.subscribe('seen')
  await client.publish('seen', 'sent')
  assert.equal(Buffer.from((await client.message('seen')).payload).toString(), 'seen')
  await client.close()
}

/** Until the process answers again: while it is being started its calls fail, and pass. */
async function recovers(broker: Running['broker']): Promise<void> {
  const seen: string[] = []
  const stop = broker.subscribe('again', (message) => void seen.push(Buffer.from(message.payload).toString()))
  const end = Date.now() + 10_000
  while (seen.at(-1) !== 'seen' && Date.now() < end) {
    await broker.publish({ topic: 'again', payload: 'sent', from: 'again' })
    await pause(5)
  }
  stop()
  assert.equal(seen.at(-1), 'seen')
}

const misbehaving = handler(
  onPublish,
  `
def publish(message, state):
    topic = dict(message)[b"topic"]
    if topic == b"exit": os._exit(7)
    if topic == b"hang": time.sleep(1000)
    if topic == b"spin":
        while True: pass
    if topic == b"garbage":
        os.write(1, b"\\xff\\x00\\x00\\x00\\x10\\r\\nh\\xc3\\xa4lf\\nno end")
        os.system("echo from a child process")
        print("two\\nlines \\u4f60\\u597d")
    if topic == b"flood":
        for number in range(5000): print("line", number)
    if topic == b"long": print("x" * 100000)
    if topic == b"memory": return (0, [(b"payload", b"x" * (2 << 30))])
    if topic == b"frame":
        os.write(3, b"\\xff\\xff\\xff\\xff")
    return (0, [(b"payload", b"seen")])
`,
)

async function misbehave(t: TestContext, conf: Record<string, string> = {}): Promise<Running> {
  return start(
    t,
    { 'main.py': misbehaving },
    {
      'exhook.drivers.python3.restart_delay': '10ms',
      // Whether the process is back is asked again and again; the breaker would stop that.
      'exhook.drivers.python3.breaker.failures': '0',
      ...conf,
    },
  )
}

test('os._exit in a callback: the call fails at once, the process is started again and initialised', async (t) => {
  const { broker, logs } = await misbehave(t)
  await broker.publish({ topic: 'exit' })
  await logs(/driver python3: message_publish: the process ended with exit code 7/)
  await logs(/driver python3: the process ended with exit code 7; it is started again in 10 ms/)
  await recovers(broker)
})

test('kill -9', async (t) => {
  const { broker, logs, processes } = await misbehave(t)
  const [id] = await processes()
  process.kill(id, 'SIGKILL')
  await logs(/driver python3: the process was ended by SIGKILL/)
  await recovers(broker)
  assert.notDeepEqual(await processes(), [id])
  assert.equal(await stillThere(id), false)
})

for (const topic of ['hang', 'spin'])
  test(`a callback that never returns (${topic}): others are answered by the policy, then the process is replaced`, async (t) => {
    const { broker, logs, processes } = await misbehave(t, {
      'exhook.drivers.python3.call_timeout': '200ms',
      'exhook.drivers.python3.restart_after_timeouts': '2',
    })
    const [id] = await processes()
    const other = await broker.connect({ clientId: 'other' })
    await other.subscribe('#')
    await Promise.all([
      broker.publish({ topic, from: 'a' }),
      broker.publish({ topic: 't', payload: 'sent', from: 'b' }),
    ])
    assert.deepEqual((await other.message('t')).payload, Buffer.from('sent'))
    // Whichever notices first, the broker or the driver.
    await logs(
      /hook failed: (timeout|rejected) .*"owner":"python3","hook":"message\.publish".*("timeout":200|no answer within 200 ms)/,
    )
    await logs(/driver python3: the process left 2 calls one after the other without an answer; it is started again/)
    await recovers(broker)
    assert.equal(await stillThere(id), false)
  })

test('an async handler that nobody waits for any more is cancelled, and the process stays', async (t) => {
  const slow = `
import asyncio
import hookmq

app = hookmq.App()

@app.on_message_publish(topics=["slow"])
async def slow(message: hookmq.Message) -> None:
    try:
        await asyncio.sleep(1000)
    except asyncio.CancelledError:
        print(f"given up: {message.text}")
        raise
`
  const { broker, lines, processes } = await start(
    t,
    { 'main.py': slow },
    {
      'exhook.drivers.python3.hook.message.publish.call_timeout': '50ms',
      'exhook.drivers.python3.restart_after_timeouts': '1',
    },
  )
  const before = await processes()
  for (const payload of ['1', '2']) await broker.publish({ topic: 'slow', from: 'a', payload })
  assert.deepEqual(await lines(2), ['given up: 1', 'given up: 2'])
  assert.deepEqual(await processes(), before)
})

test('what is printed past Python, and what is no text, goes to the log and harms nothing', async (t) => {
  const { broker, lines } = await misbehave(t)
  await broker.publish({ topic: 'garbage' })
  assert.deepEqual(await lines(5), [
    '\uFFFD\u0000\u0000\u0000\u0010',
    'hälf',
    'no endfrom a child process',
    'two',
    'lines 你好',
  ])
  await assertSeen(broker)
})

test('a flood of lines is cut, counted, and the calls are answered', async (t) => {
  const { broker, logs, printed } = await misbehave(t, { 'exhook.drivers.python3.max_lines': '100' })
  await Promise.all([broker.publish({ topic: 'flood' }), broker.publish({ topic: 'long' })])
  assert.ok(printed().length <= 400, `${printed().length} lines`)
  await assertSeen(broker)
  await broker.unload('extension-hook')
  await logs(/driver python3: \d{4} lines of stdout were left out/)
})

test('a line without end is cut', async (t) => {
  const { broker, lines } = await misbehave(t, { 'exhook.drivers.python3.max_line': '100' })
  await broker.publish({ topic: 'long' })
  assert.deepEqual(await lines(1), [`${'x'.repeat(100)} … (cut at 100 characters)`])
})

test('bytes on the channel that are no frame: the process is replaced', async (t) => {
  const { broker, logs } = await misbehave(t)
  await broker.publish({ topic: 'frame' })
  await logs(/driver python3: message_publish: the process sent what is no answer: a frame of 4294967295 bytes/)
  await recovers(broker)
})

test('payloads of 10 MB, there and back', async (t) => {
  const echo = handler(
    onPublish,
    'def publish(message, state): return (0, [(b"payload", dict(message)[b"payload"] + b"!")])',
  )
  const { broker } = await start(t, { 'main.py': echo }, {}, { maxPacketSize: 20 * 1024 * 1024 })
  const payload = Buffer.alloc(10 * 1024 * 1024, 'x')
  const received: number[] = []
  broker.subscribe('big', (message) => void received.push(message.payload.length))
  await Promise.all([1, 2, 3].map(() => broker.publish({ topic: 'big', payload })))
  assert.deepEqual(received, [payload.length + 1, payload.length + 1, payload.length + 1])
})

test('a process that does not read: calls fail once its buffer is full, and nothing else waits', async (t) => {
  const { broker, logs } = await misbehave(t, {
    'exhook.drivers.python3.call_timeout': '1s',
    'exhook.drivers.python3.restart_after_timeouts': '1',
    'exhook.drivers.python3.max_buffer': '1MB',
  })
  const payload = Buffer.alloc(300_000)
  const hanging = broker.publish({ topic: 'hang' })
  const others = Array.from({ length: 20 }, () => broker.publish({ topic: 't', payload }))
  await logs(/driver python3: message_publish: the process does not read: \d+ bytes wait for it/)
  await Promise.all([hanging, ...others])
  await recovers(broker)
})

test('a process that asks for more memory than it may: MemoryError, and it works on', {
  skip: process.platform !== 'linux' && 'RLIMIT_AS holds on Linux',
}, async (t) => {
  const { broker, logs } = await misbehave(t, { 'exhook.drivers.python3.max_memory': '1GB' })
  await broker.publish({ topic: 'memory' })
  await logs(/driver python3: message_publish: MemoryError/)
  await assertSeen(broker)
})

test('a process that has used up its CPU time is replaced', {
  skip: process.platform !== 'linux' && 'RLIMIT_CPU holds on Linux',
}, async (t) => {
  const { broker, logs } = await misbehave(t, { 'exhook.drivers.python3.max_cpu_time': '1s' })
  await broker.publish({ topic: 'spin' })
  await logs(/driver python3: the process was ended by SIG(XCPU|KILL)/)
  await recovers(broker)
})

test('what a handler starts ends with it', async (t) => {
  const { broker, lines, processes } = await start(t, {
    'main.py': handler(
      onPublish,
      `
import subprocess
child = subprocess.Popen(["sleep", "1000"])
print(child.pid)
def publish(*args): pass
`,
    ),
  })
  const grandchild = Number((await lines(1))[0])
  const [id] = await processes()
  assert.equal(await stillThere(grandchild, 0), true)
  await broker.unload('extension-hook')
  assert.equal(await stillThere(id), false)
  assert.equal(await stillThere(grandchild), false)
})

/** Whether there is such a process; waits for its end. */
async function stillThere(id: number, patience = 5000): Promise<boolean> {
  const isThere = (): boolean => {
    try {
      process.kill(id, 0)
      return true
    } catch {
      return false
    }
  }
  await until(() => !isThere(), 'its end', patience).catch(() => {})
  return isThere()
}

test('a deinit that raises or hangs is said, and the process ends', async (t) => {
  for (const [body, line] of [
    ['raise ValueError("x")', undefined],
    ['import time; time.sleep(1000)', /deinit\(\) did not return within 300 ms/],
  ] as const) {
    const { broker, processes, logged } = await start(
      t,
      { 'main.py': handler(onPublish, `def publish(*args): pass\ndef deinit(): ${body}`) },
      { 'exhook.drivers.python3.call_timeout': '300ms' },
    )
    const [id] = await processes()
    await broker.unload('extension-hook')
    assert.equal(await stillThere(id), false)
    if (line !== undefined) assert.match(logged(), line)
  }
})

test('a notification that nobody waits for and that fails counts as failed; of two callbacks one is enough', async (t) => {
  const hooks =
    '[("client_connected", "main", "fails", []), ("session_subscribed", "main", "fails", []), ("session_subscribed", "main", "works", [])]'
  const body = 'def fails(*_):\n    raise ValueError("no table")\ndef works(*_): pass\n'
  const { broker, logs } = await start(t, { 'main.py': handler(hooks, body) })
  const counts = () => {
    const [{ hooks: views, counters }] = broker.admin.providers()
    return [
      counters.inFlight,
      ...views.map(({ point, calls, succeeded, failures }) => [point, calls, succeeded, failures]),
    ]
  }
  const client = await broker.connect({ clientId: 'c' })
  await client.subscribe('a')
  const expected = [0, ['client.connected', 1, 0, 1], ['session.subscribed', 1, 0, 1]]
  await until(() => JSON.stringify(counts()) === JSON.stringify(expected), 'two failures').catch(() => {})
  assert.deepEqual(counts(), expected)
  await logs(/hook failed: rejected .*ValueError: no table/)
})
