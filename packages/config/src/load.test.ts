import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { brokerSchema, type Config, ConfigError, type LoadConfigInit, loadConfig, safetyProblems } from './index.ts'

/** Without the files of the folder that the tests run in. */
function load(init: LoadConfigInit): Config {
  return loadConfig({ ...init })
}

const fromText = (text: string, rest: LoadConfigInit = {}): Config => load({ file: 'etc/hookmq.conf', text, ...rest })

function problems(init: LoadConfigInit): string[] {
  try {
    load(init)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error))
    assert.equal(error.all[0], error)
    return error.all.map(({ message }) => message)
  }
}

const problemsOf = (text: string): string[] => problems({ file: 'etc/hookmq.conf', text })

const folder = mkdtempSync(join(tmpdir(), 'hookmq-config-'))
after(() => rmSync(folder, { recursive: true }))

describe('the order of what counts', () => {
  const text = 'mqtt.max_topic_levels = 10\nmqtt.max_topic_levels = 11'
  const environment = { HOOKMQ_MQTT__MAX_TOPIC_LEVELS: '12' }
  const levels = (init: LoadConfigInit): number => load({ file: 'f', ...init }).options.maxTopicLevels

  it('default, file (last line), environment, --set (last one)', () => {
    assert.equal(levels({ text: '' }), 128)
    assert.equal(levels({ text }), 11)
    assert.equal(levels({ text, environment }), 12)
    assert.equal(levels({ text, environment, set: ['mqtt.max_topic_levels=13', 'mqtt.max_topic_levels = 14'] }), 14)
  })

  it('an alias is the same key', () => {
    assert.equal(levels({ text: 'zone.external.max_topic_levels = 5', set: ['mqtt.max_topic_levels=6'] }), 6)
    assert.equal(levels({ text: 'mqtt.max_topic_levels = 6', set: ['zone.external.max_topic_levels=5'] }), 5)
  })

  it('an empty value is not set, and takes back what came before', () => {
    assert.equal(levels({ text, set: ['mqtt.max_topic_levels='] }), 128)
    assert.equal(levels({ text: `${text}\nmqtt.max_topic_levels =` }), 128)
    assert.equal(fromText('acl_file = etc/acl.conf', { set: ['acl_file='] }).aclFile, undefined)
  })

  it('remembers where each key was set', () => {
    const { sources } = fromText('allow_anonymous = true\nmqtt.acl_nomatch = deny', {
      environment: { HOOKMQ_LOG__LEVEL: 'error' },
      set: ['node.name=a@b'],
    })
    assert.deepEqual(Object.fromEntries(sources), {
      allow_anonymous: { kind: 'file', file: 'etc/hookmq.conf', line: 1 },
      acl_nomatch: { kind: 'file', file: 'etc/hookmq.conf', line: 2 },
      'log.level': { kind: 'environment', variable: 'HOOKMQ_LOG__LEVEL' },
      'node.name': { kind: 'set' },
    })
  })
})

describe('the environment', () => {
  it('does not mind case, and keeps the case of names in the file', () => {
    const { listeners, options } = fromText('listener.tcp.Lab = 127.0.0.1:1', {
      environment: { HOOKMQ_LISTENER__TCP__LAB: '127.0.0.1:2', hookmq_Allow_Anonymous: 'false', OTHER: 'x' },
    })
    assert.deepEqual(
      listeners.map(({ id, address }) => [id, address]),
      [['tcp:Lab', { host: '127.0.0.1', port: 2 }]],
    )
    assert.equal(options.allowAnonymous, false)
  })

  it('may have the variables that a container platform makes of a service name', () => {
    const { warnings } = fromText('', { environment: { HOOKMQ_PORT_1883_TCP: 'tcp://10.0.0.1:1883' } })
    assert.deepEqual(warnings, ['environment HOOKMQ_PORT_1883_TCP: not a key, ignored'])
  })

  it('may have names that are reserved', () => {
    const init = { environment: { HOOKMQ_X__Y: '1' } }
    assert.deepEqual(problems(init), ['environment HOOKMQ_X__Y: unknown key x.y'])
    assert.deepEqual(problems({ ...init, reservedVariables: ['HOOKMQ_X__Y'] }), [])
  })
})

describe('errors name the place, the key and what was expected', () => {
  const cases: [LoadConfigInit, string][] = [
    [
      { text: `${'\n'.repeat(11)}listener.tcp.external = abc` },
      'etc/hookmq.conf:12: listener.tcp.external: expected port or ip:port, got "abc"',
    ],
    [{ set: ['listener.tcp.external=abc'] }, '--set listener.tcp.external: expected port or ip:port, got "abc"'],
    [
      { environment: { HOOKMQ_LISTENER__TCP__EXTERNAL: 'abc' } },
      'environment HOOKMQ_LISTENER__TCP__EXTERNAL: expected port or ip:port, got "abc"',
    ],
    [
      { text: 'mqtt.max_paket_size = 1MB' },
      'etc/hookmq.conf:1: mqtt.max_paket_size: unknown key; did you mean mqtt.max_packet_size?',
    ],
    [{ set: ['allow_anonymus=true'] }, '--set allow_anonymus: unknown key; did you mean allow_anonymous?'],
    [
      { environment: { HOOKMQ_LOG__LEVL: 'info' } },
      'environment HOOKMQ_LOG__LEVL: unknown key log.levl; did you mean log.level?',
    ],
    [
      { text: 'listener.tcp.lab = 1883\nlistener.tcp.lab.max_connection = 5' },
      'etc/hookmq.conf:2: listener.tcp.lab.max_connection: unknown key; did you mean listener.tcp.lab.max_connections?',
    ],
    [{ text: 'completely.different = 1' }, 'etc/hookmq.conf:1: completely.different: unknown key'],
    [
      { text: 'listener.ws.a = 1\nlistener.ws.a.check_origin_enable = true' },
      'etc/hookmq.conf:2: listener.ws.a.check_origin_enable: unknown key',
    ],
    [{ set: ['nonsense'] }, '--set: expected key=value, got "nonsense"'],
    [{ text: 'nonsense' }, 'etc/hookmq.conf:1: expected key = value, got "nonsense"'],
    [
      { text: 'allow_anonymous = maybe' },
      'etc/hookmq.conf:1: allow_anonymous: expected true, false or false_quick_deny, got "maybe"',
    ],
    [{ text: 'mqtt.acl_nomatch = x' }, 'etc/hookmq.conf:1: mqtt.acl_nomatch: expected allow or deny, got "x"'],
    [
      { text: 'mqtt.max_packet_size = 10MB10kb' },
      'etc/hookmq.conf:1: mqtt.max_packet_size: expected bytes such as 512, 64KB or 1MB, from 64 to 268435460, got "10MB10kb"',
    ],
    [
      { text: 'zone.external.max_inflight = 0' },
      'etc/hookmq.conf:1: zone.external.max_inflight: expected an integer from 1 to 65535, got "0"',
    ],
    [
      { text: 'hooks.timeout = 30d' },
      'etc/hookmq.conf:1: hooks.timeout: expected a duration such as 30s or 1h30m (not 0) of at most 24d, got "30d"',
    ],
    [
      { text: 'listener.tcp.a.max_connections = 1' },
      'etc/hookmq.conf:1: listener.tcp.a.max_connections: the listener has no address; expected a line listener.tcp.a = PORT or IP:PORT',
    ],
    [
      { text: 'listener.ssl.a = 8883\nlistener.ssl.a.certfile = c.pem' },
      'etc/hookmq.conf:1: listener.ssl.a: TLS needs keyfile; expected a line listener.ssl.a.keyfile = FILE',
    ],
    [
      {
        text: 'listener.ssl.a = 8883\nlistener.ssl.a.certfile = c\nlistener.ssl.a.keyfile = k\nlistener.ssl.a.verify = verify_peer',
      },
      'etc/hookmq.conf:1: listener.ssl.a: verify = verify_peer needs cacertfile; expected a line listener.ssl.a.cacertfile = FILE',
    ],
    [
      {
        text: 'listener.ssl.a = 8883\nlistener.ssl.a.certfile = c\nlistener.ssl.a.keyfile = k\nlistener.ssl.a.sni.x.org.keyfile = k',
      },
      'etc/hookmq.conf:1: listener.ssl.a: sni.x.org needs sni.x.org.certfile; expected a line listener.ssl.a.sni.x.org.certfile = FILE',
    ],
    [
      { text: 'listener.tcp.a = 1\nlistener.tcp.a.access.1 = deny all' },
      'etc/hookmq.conf:2: listener.tcp.a.access.1: unknown key; use {ipaddr, …} rules in acl_file, or a firewall',
    ],
  ]
  for (const [init, message] of cases) {
    it(message, () => assert.deepEqual(problems({ file: 'etc/hookmq.conf', text: '', ...init }), [message]))
  }

  it('have the parts by themselves', () => {
    assert.throws(() => fromText('\nacl_nomatch = x'), {
      name: 'ConfigError',
      file: 'etc/hookmq.conf',
      line: 2,
      key: 'acl_nomatch',
      expected: 'allow or deny',
    })
  })

  it('are all told at once', () => {
    assert.equal(problemsOf('acl_nomatch = x\nfoo = 1\nlistener.tcp.a = b').length, 3)
  })

  it('name a file that cannot be read', () => {
    const file = join(folder, 'none.conf')
    assert.deepEqual(problems({ file }), [`${file}: cannot be read (no such file)`])
  })

  it('do not show secrets', () => {
    const lines = ['listener.ssl.a = x', 'listener.ssl.a.key_password = hunter2'].join('\n')
    assert.ok(problemsOf(lines).every((message) => !message.includes('hunter2')))
  })

  it('are ConfigErrors whatever the settings are', () => {
    const keys = brokerSchema
      .flatMap(({ key, aliases }) => [key, ...aliases])
      .map((key) => key.replaceAll(/\$\w+\*?/g, 'x'))
    const value = fc.oneof(
      fc.constantFrom(
        '',
        '0',
        '-1',
        '1',
        'on',
        '1s',
        '1KB',
        '127.0.0.1:1',
        'a,b',
        'tlsv1.2',
        '9'.repeat(30),
        '__proto__',
      ),
      fc.string(),
    )
    const line = fc.tuple(
      fc.constantFrom(...keys, '__proto__', 'plugin.__proto__.x', 'plugin.constructor.x', 'constructor'),
      value,
    )
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        problems({ set: lines.map(([key, text]) => `${key}=${text}`) })
        problemsOf(lines.map(([key, text]) => `${key} = ${text}`).join('\n'))
        assert.deepEqual(Object.keys(Object.prototype), [])
        assert.equal(Object.hasOwn(Object, 'x'), false)
      }),
      { numRuns: 500 },
    )
  })
})

describe('keys of other brokers', () => {
  it('that say nothing here are accepted with a warning', () => {
    const { warnings } = fromText(
      'node.cookie = x\nlistener.tcp.external = 1883\nlistener.tcp.external.acceptors = 8\nlog.dir = log',
    )
    assert.deepEqual(warnings, [
      'etc/hookmq.conf:1: node.cookie: ignored, it tunes the Erlang machine',
      'etc/hookmq.conf:3: listener.tcp.external.acceptors: ignored, it tunes the sockets of the Erlang machine',
      'etc/hookmq.conf:4: log.dir: ignored, log.file has the folder too',
    ])
  })

  it('do not keep a file with their usual values from being used', () => {
    const { listeners, warnings } = fromText(
      [
        'cluster.name = emqxcl',
        'log.rotation.size = 10MB',
        'zone.external.force_gc_policy = 16000|16MB',
        'zone.internal.allow_anonymous = true',
        'listener.tcp.external = 0.0.0.0:1883',
        'listener.tcp.external.zone = external',
        'listener.tcp.external.access.1 = allow all',
        'listener.ws.external = 8083',
        'listener.ws.external.check_origin_enable = false',
        'modules.loaded_file = data/loaded_modules',
      ].join('\n'),
    )
    assert.equal(listeners.length, 2)
    assert.equal(warnings.length, 8)
  })

  it('of 2.x and 4.x mean what they meant', () => {
    const { options, aclFile, plugins } = fromText(
      [
        'mqtt.allow_anonymous = false',
        'mqtt.acl_file = etc/acl.conf',
        'mqtt.acl_nomatch = deny',
        'mqtt.cache_acl = false',
        'mqtt.broker.sys_interval = 60',
        'mqtt.client.idle_timeout = 30',
        'mqtt.session.expiry_interval = 3h',
        'mqtt.mqueue.store_qos0 = false',
        'mqtt.plugins.etc_dir = etc/other',
        'zone.external.max_packet_size = 64KB',
        'broker.shared_subscription_strategy = hash',
        'broker.g1.shared_subscription_strategy = sticky',
        'retainer.max_payload_size = 64KB',
      ].join('\n'),
      { home: '/srv' },
    )
    assert.equal(options.allowAnonymous, false)
    assert.equal(aclFile, '/srv/etc/acl.conf')
    assert.equal(options.aclNoMatch, 'deny')
    assert.equal(options.aclCache, false)
    assert.equal(options.sysInterval, 60_000)
    assert.equal(options.idleTimeout, 30_000)
    assert.equal(options.sessionExpiryInterval, 10_800)
    assert.equal(options.queueQos0, false)
    assert.equal(plugins.etcDir, '/srv/etc/other')
    assert.equal(options.maxPacketSize, 65_536)
    assert.equal(options.sharedStrategy, 'hash_clientid')
    assert.deepEqual(options.sharedStrategyOfGroup, { g1: 'sticky' })
    assert.equal(options.maxRetainedPayload, 65_536)
  })
})

describe('options', () => {
  it('are complete without any setting', () => {
    for (const [name, value] of Object.entries(fromText('').options)) assert.notEqual(value, undefined, name)
  })

  const cases: [string, Partial<Config['options']>][] = [
    ['allow_anonymous = false_quick_deny', { allowAnonymous: 'quick_deny' }],
    ['zone.external.rate_limit.conn_messages_in = 100,10s', { messageRate: 10, messageBurst: 100 }],
    ['zone.external.rate_limit.conn_bytes_in = 100KB,10s', { byteRate: 10_240, byteBurst: 102_400 }],
    ['zone.external.session_expiry_interval = 1m29s1000ms', { sessionExpiryInterval: 90 }],
    ['zone.external.session_expiry_interval = 1ms', { sessionExpiryInterval: 1 }],
    ['zone.external.max_session_expiry_interval = infinity', { maxSessionExpiryInterval: 0xffffffff }],
    ['zone.external.server_keepalive = 60', { serverKeepAlive: 60 }],
    ['broker.sys_interval = 0', { sysInterval: 0 }],
    ['broker.sys_interval = 0s', { sysInterval: 0 }],
    ['mqtt.max_topic_levels = infinity', { maxTopicLevels: 0 }],
    ['mqtt.max_qos_allowed = 1', { maxQosAllowed: 1 }],
    ['zone.external.keepalive_backoff = 0.9', { keepAliveBackoff: 0.9 }],
    ['mqtt.response_information = replies/%c', { responseInformation: 'replies/%c' }],
  ]
  for (const [line, expected] of cases) {
    it(line, () => {
      const { options } = fromText(line)
      assert.deepEqual({ ...options, ...expected }, options)
    })
  }
})

describe('listeners', () => {
  const ids = (config: Config): string[] => config.listeners.map(({ id }) => id)

  it('are two on this machine when the file names none', () => {
    const { listeners } = fromText('')
    assert.deepEqual(
      listeners.map(({ id, address }) => [id, address]),
      [
        ['tcp:external', { host: '127.0.0.1', port: 1883 }],
        ['ws:external', { host: '127.0.0.1', port: 8083 }],
      ],
    )
    assert.deepEqual(ids(fromText('', { set: ['listener.ws.external='] })), ['tcp:external'])
    assert.deepEqual(ids(fromText('listener.tcp.only = 0')), ['tcp:only'])
  })

  it('are turned off by an empty address, whatever else is said about them', () => {
    const text = 'listener.tcp.a = 1\nlistener.tcp.a.max_connections = 5\nlistener.tcp.b = 2'
    assert.deepEqual(ids(fromText(text, { set: ['listener.tcp.a='] })), ['tcp:b'])
  })

  it('have limits of their own', () => {
    const { listeners } = fromText(
      [
        'listener.tcp.a = 0.0.0.0:1883',
        'listener.tcp.a.max_clients = 10',
        'listener.tcp.b = [::1]:1884',
        'listener.tcp.b.max_connections = infinity',
        'listener.tcp.b.max_conn_rate = 20',
        'listener.tcp.b.max_connections_per_address = 3',
        'listener.tcp.b.proxy_protocol = on',
        'listener.tcp.b.proxy_protocol_timeout = 1s',
        'listener.tcp.b.mountpoint = b/%c/',
        'listener.tcp.b.backlog = 9',
        'listener.tcp.b.nodelay = false',
        'zone.external.mountpoint = all/',
      ].join('\n'),
    )
    assert.deepEqual(listeners, [
      {
        id: 'tcp:a',
        kind: 'tcp',
        name: 'a',
        address: { host: '0.0.0.0', port: 1883 },
        maxConnections: 10,
        maxConnectRate: 0,
        maxConnectionsPerAddress: 0,
        proxyProtocol: false,
        proxyProtocolTimeout: 3000,
        mountpoint: 'all/',
        backlog: 511,
        noDelay: true,
      },
      {
        id: 'tcp:b',
        kind: 'tcp',
        name: 'b',
        address: { host: '::1', port: 1884 },
        maxConnections: 0,
        maxConnectRate: 20,
        maxConnectionsPerAddress: 3,
        proxyProtocol: true,
        proxyProtocolTimeout: 1000,
        mountpoint: 'b/%c/',
        backlog: 9,
        noDelay: false,
      },
    ])
  })

  it('have certificates, also by host name', () => {
    const { listeners } = fromText(
      [
        'listener.wss.a = 8084',
        'listener.wss.a.certfile = c.pem',
        'listener.wss.a.keyfile = /k.pem',
        'listener.wss.a.key_password = secret',
        'listener.wss.a.cacertfile = ca.pem',
        'listener.wss.a.verify = verify_peer',
        'listener.wss.a.fail_if_no_peer_cert = true',
        'listener.wss.a.tls_versions = tlsv1.2, tlsv1.1',
        'listener.wss.a.ciphers = A,B',
        'listener.wss.a.handshake_timeout = 5s',
        'listener.wss.a.sni.one.example.com.certfile = one.pem',
        'listener.wss.a.sni.one.example.com.keyfile = one.key',
        'listener.wss.a.sni.two\\.example\\.com.certfile = two.pem',
        'listener.wss.a.sni.two\\.example\\.com.keyfile = two.key',
        'listener.wss.a.mqtt_path = /ws',
        'listener.wss.a.fail_if_no_subprotocol = false',
        'listener.wss.a.supported_subprotocols = mqtt',
      ].join('\n'),
      { home: '/srv' },
    )
    assert.deepEqual(listeners[0].tls, {
      certFile: '/srv/c.pem',
      keyFile: '/k.pem',
      keyPassword: 'secret',
      caFile: '/srv/ca.pem',
      verify: true,
      requirePeerCertificate: true,
      minVersion: 'TLSv1.1',
      maxVersion: 'TLSv1.2',
      ciphers: 'A:B',
      handshakeTimeout: 5000,
      sni: {
        'one.example.com': { certFile: '/srv/one.pem', keyFile: '/srv/one.key' },
        'two.example.com': { certFile: '/srv/two.pem', keyFile: '/srv/two.key' },
      },
    })
    assert.deepEqual(listeners[0].webSocket, {
      path: '/ws',
      failIfNoSubprotocol: false,
      subprotocols: ['mqtt'],
      maxFrameSize: 2 * 1024 * 1024,
    })
  })

  it('refuse a list of TLS versions with a gap', () => {
    const [message] = problemsOf('listener.ssl.a = 1\nlistener.ssl.a.tls_versions = tlsv1.3,tlsv1.1')
    assert.match(message, /tls_versions: expected a list without gaps/)
  })

  it('let a WebSocket message hold the largest packet', () => {
    const { listeners } = fromText('listener.ws.a = 1\nmqtt.max_packet_size = 8MB')
    assert.equal(listeners[0].webSocket?.maxFrameSize, 16 * 1024 * 1024)
  })

  it('can be a socket in the file system', () => {
    const { listeners } = fromText('listener.unix.a = run/mqtt.sock\nlistener.unix.a.mode = 0660', { home: '/srv' })
    assert.deepEqual(listeners[0].address, { path: '/srv/run/mqtt.sock', mode: 0o660 })
  })

  it('agree on what a certificate stands for', () => {
    const ssl = (name: string): string =>
      `listener.ssl.${name} = 0\nlistener.ssl.${name}.certfile = c\nlistener.ssl.${name}.keyfile = k\n`
    const text = `${ssl('a')}${ssl('b')}listener.ssl.a.peer_cert_as_username = cn\n`
    assert.equal(fromText(text).options.peerCertAsUsername, 'cn')
    assert.deepEqual(problemsOf(`${text}listener.ssl.b.peer_cert_as_username = dn`), [
      'etc/hookmq.conf:8: listener.ssl.b.peer_cert_as_username: expected cn, as on listener.ssl.a, got "dn"',
    ])
  })

  for (const { key, default: initial } of brokerSchema) {
    if (!key.startsWith('listener.') || initial === undefined) continue
    it(`${key} has the default that its documentation says`, () => {
      const [, kind] = key.split('.')
      const start = `listener.${kind}.x`
      const tls = kind.endsWith('s') && kind !== 'ws' ? `${start}.certfile = c\n${start}.keyfile = k\n` : ''
      const secure = kind === 'ssl' ? `${start}.certfile = c\n${start}.keyfile = k\n` : tls
      const text = `${start} = ${kind === 'unix' ? 's' : '1'}\n${secure}`
      assert.deepEqual(fromText(`${text}${key.replace('$name', 'x')} = ${initial}`).listeners, fromText(text).listeners)
    })
  }
})

describe('safety', () => {
  const open = 'listener.tcp.a = 0.0.0.0:1883'
  const expected =
    'etc/hookmq.conf:1: listener.tcp.a: tcp:a would let in everybody who can reach 0.0.0.0:1883; ' +
    'load an authentication plugin, or write allow_anonymous = true if that is meant'

  it('minds a listener that other machines reach while nobody checks', () => {
    assert.deepEqual(safetyProblems(fromText(open)), [expected])
    assert.equal(safetyProblems(fromText('listener.ws.a = [::]:8083\nlistener.tcp.b = 192.168.0.1:1883')).length, 2)
  })

  it('is content when somebody checks, or it was written down', () => {
    assert.deepEqual(safetyProblems(fromText(open), true), [])
    for (const value of ['true', 'false', 'false_quick_deny']) {
      assert.deepEqual(safetyProblems(fromText(`${open}\nallow_anonymous = ${value}`)), [])
      assert.deepEqual(safetyProblems(fromText(open, { set: [`allow_anonymous=${value}`] })), [])
    }
  })

  it('is content with what only this machine reaches', () => {
    assert.deepEqual(
      safetyProblems(fromText('listener.tcp.a = 1883\nlistener.ws.b = [::1]:1\nlistener.unix.c = s')),
      [],
    )
  })
})

describe('paths', () => {
  it('begin at the folder that etc is in, or at that of the file', () => {
    assert.equal(load({ file: '/srv/etc/hookmq.conf', text: '' }).dataDir, '/srv/data')
    assert.equal(load({ file: '/srv/my.conf', text: '' }).dataDir, '/srv/data')
  })

  it('begin at the current folder when they are typed', () => {
    const init = { file: '/srv/etc/hookmq.conf', text: 'acl_file = acl.conf' }
    assert.equal(load(init).aclFile, '/srv/acl.conf')
    assert.equal(load({ ...init, set: ['acl_file=acl.conf'] }).aclFile, resolve('acl.conf'))
    assert.equal(load({ ...init, environment: { HOOKMQ_ACL_FILE: 'acl.conf' } }).aclFile, resolve('acl.conf'))
  })
})

describe('plugins', () => {
  mkdirSync(join(folder, 'etc/plugins'), { recursive: true })
  mkdirSync(join(folder, 'etc/more'), { recursive: true })
  const file = join(folder, 'etc/hookmq.conf')
  writeFileSync(join(folder, 'etc/more/1.conf'), 'mqtt.max_topic_levels = 3')
  writeFileSync(join(folder, 'etc/more/2.conf'), 'log.level = debug')
  writeFileSync(
    file,
    'acl_file = etc/acl.conf\nplugins.load = counter, ./x.ts\nplugin.counter.extra = 1\ninclude more/*.conf\n',
  )

  it('are named, and what is said of them is kept in order', () => {
    const { plugins } = loadConfig({
      file,
      set: ['plugin.counter.topic=c', 'counter.topic=d'],
      environment: { HOOKMQ_COUNTER__INTERVAL: '9s' },
      pluginKeys: 'keep',
    })
    assert.deepEqual(plugins.load, ['counter', './x.ts'])
    assert.deepEqual(
      plugins.overrides.map(({ words, value, origin, unknown }) => [words.join('.'), value, origin.kind, unknown?.key]),
      [
        ['plugin.counter.extra', '1', 'file', undefined],
        ['counter.interval', '9s', 'environment', 'counter.interval'],
        ['plugin.counter.topic', 'c', 'set', undefined],
        ['counter.topic', 'd', 'set', 'counter.topic'],
      ],
    )
  })

  it('have folders and a file of names, under the names of EMQ and EMQX too', () => {
    const { plugins } = loadConfig({ file })
    assert.deepEqual(
      [plugins.etcDir, plugins.dir, plugins.loadedFile],
      [join(folder, 'etc/plugins'), undefined, undefined],
    )
    const moved = loadConfig({
      file: '/srv/etc/emq.conf',
      text: 'mqtt.plugins.etc_dir = a/\nmqtt.plugins.loaded_file = data/loaded_plugins\nplugins.expand_plugins_dir = p',
    }).plugins
    assert.deepEqual([moved.etcDir, moved.loadedFile, moved.dir], ['/srv/a', '/srv/data/loaded_plugins', '/srv/p'])
    const typed = loadConfig({ set: ['plugins_dir=p'], environment: { HOOKMQ_PLUGINS__LOADED_FILE: '/l' } }).plugins
    assert.deepEqual([typed.dir, typed.loadedFile], [resolve('p'), '/l'])
  })

  it('have keys that are errors when nobody is asked whose they are', () => {
    assert.throws(() => loadConfig({ file, set: ['counter.topik=c'] }), { message: '--set counter.topik: unknown key' })
  })

  it('included files are read, by pattern too', () => {
    const { options, log, sources } = loadConfig({ file })
    assert.equal(options.maxTopicLevels, 3)
    assert.equal(log.level, 'debug')
    assert.deepEqual(sources.get('log.level'), { kind: 'file', file: join(folder, 'etc/more/2.conf'), line: 1 })
  })
})

describe('the file as shipped', () => {
  const file = fileURLToPath(new URL('../../../etc/hookmq.conf', import.meta.url))
  const shipped = loadConfig({ file })

  it('changes nothing but the access rules', () => {
    const { options, listeners } = fromText('')
    assert.deepEqual(shipped.options, options)
    assert.deepEqual(shipped.listeners, listeners)
    assert.equal(shipped.aclFile, resolve(file, '../acl.conf'))
    assert.deepEqual(shipped.warnings, [])
  })

  it('is safe, and asks for a decision before it is opened', () => {
    assert.deepEqual(safetyProblems(shipped), [])
    assert.equal(safetyProblems(loadConfig({ file, set: ['listener.tcp.external=0.0.0.0:1883'] })).length, 1)
  })
})
