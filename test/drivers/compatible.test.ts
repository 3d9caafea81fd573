import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../support/wait.ts'
import { allMethods, rawMain } from './handlers.ts'
import { start } from './support.ts'

const connInfo = (id: string, user: string, version = 5): string =>
  `List([(Atom(b'node'), Atom(b'hookmq@127.0.0.1')), (Atom(b'clientid'), b'${id}'), (Atom(b'username'), b'${user}'), (Atom(b'peerhost'), b'127.0.0.1'), (Atom(b'sockport'), 0), (Atom(b'proto_name'), b'MQTT'), (Atom(b'proto_ver'), ${version}), (Atom(b'keepalive'), 0)])`
const clientInfo = (id: string, user: string, password: string, anonymous: boolean): string =>
  `List([(Atom(b'node'), Atom(b'hookmq@127.0.0.1')), (Atom(b'clientid'), b'${id}'), (Atom(b'username'), b'${user}'), (Atom(b'password'), b'${password}'), (Atom(b'peerhost'), b'127.0.0.1'), (Atom(b'sockport'), 0), (Atom(b'protocol'), Atom(b'mqtt')), (Atom(b'mountpoint'), b''), (Atom(b'is_superuser'), False), (Atom(b'anonymous'), ${anonymous ? 'True' : 'False'})])`
const state = `(b'state', 7)`

test('a main.py without SDK: every hook, with the shapes and types that it always had', async (t) => {
  const { broker, lines, printed } = await start(t, { 'main.py': rawMain })
  const a = await broker.connect({
    clientId: 'a',
    username: 'joe',
    password: 'secret',
    properties: { sessionExpiryInterval: 60, userProperties: [['k', 'v']] },
  })
  const connected = await lines(5)
  assert.deepEqual(connected, [
    `client_connect (${connInfo('a', 'joe')}, List([(Atom(b'Session-Expiry-Interval'), 60), (Atom(b'User-Property'), List([(b'k', b'v')]))]), ${state})`,
    `client_authenticate (${clientInfo('a', 'joe', 'secret', false)}, True, ${state})`,
    `session_created (${clientInfo('a', 'joe', '', false)}, ${state})`,
    `client_connected (${clientInfo('a', 'joe', '', false)}, ${state})`,
    connected[4],
  ])
  assert.match(connected[4], /^client_connack \(List\(.*\), Atom\(b'success'\), List\(.*\), \(b'state', 7\)\)$/)

  await a.subscribe('$share/g/a/+', { qos: 1, noLocal: false })
  await a.subscribe('a/#', { qos: 2, retainAsPublished: true })
  const subscribed = (await lines(11)).slice(5)
  const me = clientInfo('a', 'joe', '', false)
  assert.deepEqual(subscribed, [
    `client_check_acl (Atom(b'subscribe'), b'a/+', True, ${state})`,
    `client_subscribe (${me}, List([]), List([(b'a/+', 1)]), ${state})`,
    `session_subscribed (${me}, b'a/+', List([(Atom(b'is_new'), True), (Atom(b'nl'), 0), (Atom(b'qos'), 1), (Atom(b'rap'), 0), (Atom(b'rh'), 0), (Atom(b'share'), b'g')]), ${state})`,
    `client_check_acl (Atom(b'subscribe'), b'a/#', True, ${state})`,
    `client_subscribe (${me}, List([]), List([(b'a/#', 2)]), ${state})`,
    `session_subscribed (${me}, b'a/#', List([(Atom(b'is_new'), True), (Atom(b'nl'), 0), (Atom(b'qos'), 2), (Atom(b'rap'), 1), (Atom(b'rh'), 0)]), ${state})`,
  ])

  const before = printed().length
  await a.publish('a/b', Buffer.from([0, 0xff]), { qos: 1 })
  await a.message()
  await a.message()
  const delivered = (await lines(before + 6)).slice(before)
  const message = (suffix: string): RegExp =>
    new RegExp(
      String.raw`List\(\[\(Atom\(b'node'\), Atom\(b'hookmq@127.0.0.1'\)\), \(Atom\(b'id'\), b'[0-9A-F]{32}'\), \(Atom\(b'qos'\), 1\), \(Atom\(b'from'\), b'a'\), \(Atom\(b'topic'\), b'a/b'\), \(Atom\(b'payload'\), b'\\x00\\xff'\), \(Atom\(b'timestamp'\), \d+\)\]\), ${suffix}`,
    )
  assert.equal(delivered[0], `client_check_acl (Atom(b'publish'), b'a/b', True, ${state})`)
  assert.match(delivered[1], new RegExp(`^message_publish \\(${message('').source}\\(b'state', 7\\)\\)$`))
  for (const kind of ['message_delivered', 'message_acked'])
    assert.equal(delivered.filter((line) => line.startsWith(`${kind} (List([(Atom(b'node')`)).length, 2, kind)

  // Topics of the message hooks hold, whether they are str, bytes or an Atom.
  const quiet = printed().length
  await a.publish('c', 'not asked about', { qos: 1 })
  await a.publish('gone/1', 'nobody wants it', { qos: 1 })
  await assert.rejects(a.publish('secret', '', { qos: 1 }), { reasonCode: 0x87 })
  await a.unsubscribe('a/#')
  await a.close()
  const ended = (await lines(quiet + 7)).slice(quiet)
  assert.deepEqual(
    ended.map((line) => line.slice(0, line.indexOf(' '))),
    [
      'client_check_acl',
      'client_check_acl',
      'message_dropped',
      'client_check_acl',
      'client_unsubscribe',
      'session_unsubscribed',
      'client_disconnected',
    ],
  )
  assert.ok(ended[2]?.endsWith(`, b'no_subscribers', ${state})`))
  assert.equal(ended[4], `client_unsubscribe (${me}, List([]), List([]), ${state})`)
  assert.equal(ended[5], `session_unsubscribed (${me}, b'a/#', ${state})`)
  assert.equal(ended[6], `client_disconnected (${me}, b'normal', ${state})`)
  assert.match((await broker.ctl('exhook drivers stats')).lines.join('\n'), /^python3\.client_check_acl {11}:6$/m)
  assert.equal(broker.admin.metrics()['exhook.python3.client_check_acl'], 6)

  await broker.unload('extension-hook')
  assert.equal(printed().at(-1), 'deinit')
})

test('all nineteen methods of the SDK, decorated', async (t) => {
  const { broker, printed } = await start(
    t,
    { 'hooks.py': allMethods },
    { 'exhook.drivers.python3.path': 'data/extension/hooks.py', 'exhook.drivers.python3.init_module': 'hooks' },
  )
  const { lines: listed } = await broker.ctl('exhook drivers list')
  const hooks = /hooks=\[(.*)\]/.exec(listed[0])?.[1]?.split(',') ?? []
  assert.equal(hooks.length, 19)

  const first = await broker.connect({ clientId: 'one', cleanStart: false, properties: { sessionExpiryInterval: 60 } })
  await first.subscribe('x/#', { qos: 1 })
  await first.publish('x/1', 'héllo', { qos: 1 })
  await first.message()
  await first.publish('y', 'not of its topics')
  // Taken over, then resumed, then discarded.
  const second = await broker.connect({ clientId: 'one', cleanStart: false, properties: { sessionExpiryInterval: 60 } })
  const third = await broker.connect({ clientId: 'one', cleanStart: true })
  await third.publish('x/nobody', '', { qos: 1 })
  await third.subscribe('x/#')
  await third.unsubscribe('x/#')
  await third.close()
  await second.ended

  const seen = (): Set<string> => new Set(printed().map((line) => line.slice(0, line.indexOf(' '))))
  await until(() => seen().has('on_session_terminated') && seen().has('on_session_discarded'), 'the last hooks').catch(
    () => {},
  )
  const missing = hooks.filter((hook) => !seen().has(`on_${hook}`))
  assert.deepEqual(missing, [])
  const line = (start: string): string => printed().find((one) => one.startsWith(start)) ?? ''
  assert.match(
    line('on_client_connect '),
    /^on_client_connect \[\{'node': 'hookmq@127\.0\.0\.1', 'clientid': 'one', 'username': '', .*'keepalive': 0\}, \{'Session-Expiry-Interval': 60\}, \(\)\]$/,
  )
  assert.match(line('on_client_subscribe '), /\{\}, \{'x\/#': 1\}, \(\)\]$/)
  assert.match(line('on_client_check_acl '), /'subscribe', 'x\/#', True, \(\)\]$/)
  assert.match(
    line('on_session_subscribed '),
    /'x\/#', \{'is_new': True, 'nl': 0, 'qos': 1, 'rap': 0, 'rh': 0\}, \(\)\]$/,
  )
  assert.match(
    line('on_message_publish '),
    /'from_clientid': 'one', 'topic': 'x\/1', 'payload': 'héllo', 'timestamp': \d+\}/,
  )
  assert.match(line('on_client_disconnected '), /'takenover', \(\)\]$/)
  assert.ok(
    !printed().some((one) => one.includes("'topic': 'y'")),
    'topics given to start() are those of message hooks',
  )
})

const simple = (body: string, hooks = '[("message_publish", "main", "publish", [])]', stateText = '()'): string => `
from erlport.erlterms import Atom, List

def init():
    return (0, (${hooks}, ${stateText}))

def deinit():
    print("deinit")

${body}
`

test('what message_publish returns: (0, pairs), the bare pairs, nothing; what is wrong changes nothing', async (t) => {
  const { broker, logged } = await start(t, {
    'main.py': simple(`
def publish(message, state):
    fields = dict(message)
    kind = fields[b"topic"].decode()
    def changed(**values):
        return List([(key, values.get(key.decode(), value)) for key, value in message])
    if kind == "ok": return (0, changed(topic=b"new", payload=b"after", qos=0))
    if kind == "bare": return changed(payload=b"bare")
    if kind == "few": return (0, [(Atom(b"payload"), b"few")])
    if kind == "other": return (0, changed(**{"from": b"someone", "id": b"1"}))
    if kind == "bad-qos": return (0, changed(qos=3, payload=b"x"))
    if kind == "bad-type": return (0, changed(topic=7))
    if kind == "error": return (1, b"not today")
    if kind == "text": return "nonsense"
`),
  })
  const client = await broker.connect({ clientId: 'c' })
  await client.subscribe('#')
  const expected: [string, string, string][] = [
    ['ok', 'new', 'after'],
    ['bare', 'bare', 'bare'],
    ['few', 'few', 'few'],
    ['other', 'other', 'before'],
    ['none', 'none', 'before'],
    ['bad-qos', 'bad-qos', 'before'],
    ['bad-type', 'bad-type', 'before'],
    ['error', 'error', 'before'],
    ['text', 'text', 'before'],
  ]
  for (const [sent, topic, payload] of expected) {
    await client.publish(sent, 'before')
    const message = await client.message()
    assert.deepEqual([message.topic, Buffer.from(message.payload).toString()], [topic, payload], sent)
  }
  assert.match(
    logged(),
    /driver python3: message_publish: main:publish returned a message whose qos is 3; expected 0, 1 or 2/,
  )
  assert.match(logged(), /main:publish the callback says that it failed: 9 bytes/)
})

test('the state comes with every call, each time as it was, text as a list of code points', async (t) => {
  const { broker, lines } = await start(t, {
    'main.py': simple(
      `
class Counter:
    def __init__(self): self.value = 0
    def __repr__(self): return "Counter(%d)" % self.value

def publish(message, state):
    print(repr(state))
    state[0].value += 1
    state[2].append(1)
`,
      undefined,
      '[Counter(), "ab", [b"x"], {"k": 1}, None]',
    ),
  })
  await broker.publish({ topic: 'a' })
  await broker.publish({ topic: 'a' })
  const expected = "List([Counter(0), List([97, 98]), List([b'x']), {'k': 1}, None])"
  assert.deepEqual(await lines(2), [expected, expected])
})

test('authenticate: bools need the decorator, a failure leaves the verdict, (0, …) decides and ends the chain', async (t) => {
  const handler = simple(
    `
def auth(clientinfo, authresult, state):
    name = dict(clientinfo)[b"clientid"].decode()
    if name == "raises": raise ValueError("no database")
    if name == "exits": raise SystemExit(3)
    if name == "bare": return not authresult
    if name == "none": return None
    if name == "one": return (1, b"cannot say")
    if name == "number": return (0, 1)
    return (0, name == "yes")
`,
    '[("client_authenticate", "main", "auth", [])]',
  )
  for (const allowAnonymous of [true, false]) {
    const { broker, logged } = await start(t, { 'main.py': handler }, {}, { allowAnonymous })
    const behind: string[] = []
    broker.hook('client.authenticate', ({ client }) => void behind.push(client.clientId), { priority: -1 })
    const enters = (clientId: string): Promise<boolean> =>
      broker.connect({ clientId }).then(
        () => true,
        (error: { reasonCode?: number }) => {
          assert.equal(error.reasonCode, 0x87)
          return false
        },
      )
    for (const name of ['raises', 'exits', 'bare', 'none', 'one', 'number'])
      assert.equal(await enters(name), allowAnonymous, name)
    assert.equal(await enters('yes'), true)
    assert.equal(await enters('no'), false)
    assert.deepEqual(behind, ['raises', 'exits', 'bare', 'none', 'one', 'number'])
    assert.match(
      logged(),
      /driver python3: client_authenticate: ValueError: no database \(.*main\.py line \d+, in auth\)/,
    )
    assert.match(logged(), /driver python3: client_authenticate: main:auth returned (True|False); expected \(0, True\)/)
  }
})

test('with failed_action = deny a failure refuses, and a handler that does not load does, too', async (t) => {
  const raising = simple('def auth(*args): raise ValueError("x")', '[("client_authenticate", "main", "auth", [])]')
  const deny = { 'exhook.drivers.python3.failed_action': 'deny' }
  const one = await start(t, { 'main.py': raising }, deny)
  await assert.rejects(one.broker.connect(), { reasonCode: 0x87 })
  const absent = await start(t, {}, deny)
  await assert.rejects(absent.broker.connect())
  assert.match(absent.logged(), /ModuleNotFoundError: No module named 'main'/)
  const publish = simple('def publish(*args): raise ValueError("x")')
  const perHook = { 'exhook.drivers.python3.hook.message.publish.failed_action': 'deny' }
  const two = await start(t, { 'main.py': publish }, perHook)
  const client = await two.broker.connect()
  await assert.rejects(client.publish('a', '', { qos: 1 }), { reasonCode: 0x83 })
})

test('two drivers: the first that decides wins, one that fails leaves it to the next', async (t) => {
  const auth = (module: string, body: string): string => `
def init(): return (0, ([("client_authenticate", "${module}", "auth", [])], ()))
def auth(clientinfo, result, state):
    name = dict(clientinfo)[b"clientid"].decode()
    print("${module}", name, result)
    ${body}
`
  const { broker, printed, lines } = await start(
    t,
    {
      'first.py': auth('first', 'assert name != "raise"\n    return (0, name != "no")'),
      'second.py': auth('second', 'return (0, False)'),
    },
    {
      'exhook.drivers': 'python, python3',
      'exhook.drivers.python.init_module': 'first',
      'exhook.drivers.python3.init_module': 'second',
    },
  )
  await broker.connect({ clientId: 'yes' })
  await assert.rejects(broker.connect({ clientId: 'no' }))
  await assert.rejects(broker.connect({ clientId: 'raise' }))
  assert.deepEqual(await lines(4), ['first yes True', 'first no True', 'first raise True', 'second raise True'])
  assert.equal(printed().length, 4)
  const { lines: listed } = await broker.ctl('exhook drivers list')
  assert.deepEqual(listed, [
    'Driver(name=python, init_module=first, hooks=[client_authenticate])',
    'Driver(name=python3, init_module=second, hooks=[client_authenticate])',
  ])
})

test('a hook that is listed twice: both are called in order, and the second gets a bool', async (t) => {
  const hooks = `[("message_publish", "main", "one", []), ("message_publish", "main", "two", [(b"topics", [b"b/#"])]),
    ("client_connected", "main", "told", []), ("client_connected", "main", "told_again", [])]`
  const { broker, lines } = await start(t, {
    'main.py': simple(
      `
def one(message, state):
    print("one", dict(message)[b"payload"])
    return (0, [(b"payload", b"1"), (b"topic", b"b/c")])
def two(message, state):
    print("two", dict(message)[b"payload"], dict(message)[b"topic"])
    return (0, [(b"payload", b"2")])
def told(client, state): print("told")
def told_again(client, state): print("told again")
`,
      hooks,
    ),
  })
  const client = await broker.connect()
  await client.subscribe('#')
  await client.publish('a', '0')
  const message = await client.message()
  assert.deepEqual([message.topic, Buffer.from(message.payload).toString()], ['b/c', '2'])
  assert.deepEqual(await lines(4), ['told', 'told again', "one b'0'", "two b'1' b'b/c'"])
})

test('pool_size: as many processes, and one client always meets the same', async (t) => {
  const { broker, lines, processes } = await start(
    t,
    {
      'main.py': `
import os
def init(): return (0, ([("message_publish", "main", "publish", [])], ()))
def publish(message, state):
    print(dict(message)[b"from"].decode(), os.getpid(), dict(message)[b"payload"].decode())
`,
    },
    { 'exhook.drivers.python3.pool_size': '3' },
  )
  const names = Array.from({ length: 12 }, (_, index) => `client-${index}`)
  const sent = names.flatMap((from) => ['1', '2', '3'].map((payload) => broker.publish({ topic: 't', from, payload })))
  await Promise.all(sent)
  const printed = (await lines(36)).map((line) => line.split(' '))
  const used = new Set<string>()
  for (const name of names) {
    const own = printed.filter(([from]) => from === name)
    assert.deepEqual(
      own.map(([, , payload]) => payload),
      ['1', '2', '3'],
    )
    assert.equal(new Set(own.map(([, id]) => id)).size, 1)
    used.add(own[0][1])
  }
  assert.equal((await processes()).length, 3)
  assert.ok(used.size > 1)
})

test('enable, disable, and what the commands print', async (t) => {
  const { broker, printed } = await start(t, { 'main.py': simple('def publish(*args): pass') })
  const ctl = async (line: string) => (await broker.ctl(line)).lines
  assert.deepEqual(await ctl('exhook drivers list'), [
    'Driver(name=python3, init_module=main, hooks=[message_publish])',
  ])
  assert.deepEqual(await ctl('exhook drivers enable python3'), ['already_started'])
  assert.deepEqual(await ctl('exhook drivers disable python3'), ['ok'])
  assert.deepEqual(printed(), ['deinit'])
  assert.deepEqual(await ctl('exhook drivers disable python3'), ['not_running'])
  assert.deepEqual(await ctl('exhook drivers list'), [])
  await broker.publish({ topic: 'a' })
  assert.deepEqual(await ctl('exhook drivers enable python3'), ['ok'])
  await broker.settle()
  await broker.publish({ topic: 'a' })
  assert.deepEqual(await ctl('exhook drivers stats'), ['python3.message_publish            :1'])
  assert.deepEqual(await ctl('exhook drivers enable java'), ['not_found'])
  assert.deepEqual(await ctl('exhook drivers reload java'), ['not_found'])
  const { exitCode, lines } = await broker.ctl('exhook drivers')
  assert.equal(exitCode, 2)
  assert.match(lines.join('\n'), /exhook drivers list/)
})

test('a driver that nobody knows is refused by name', async (t) => {
  await assert.rejects(
    start(t, {}, { 'exhook.drivers': 'python3, ruby' }),
    /exhook\.drivers: not_supported_drivers_type: 'ruby'; expected python3, python/,
  )
  await assert.rejects(start(t, {}, { 'exhook.drivers': 'python2' }), /'python2'.*Python 2 is not supported/)
})
