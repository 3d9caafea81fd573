import { setTimeout as pause } from 'node:timers/promises'
import {
  type Authorizer,
  type ClientInfo,
  type CommandResult,
  type Credential,
  definePlugin,
  type Message,
  type PluginContext,
} from '@hookmq/api'

// The plugin that the tests of both placements run: it does what its setting `case` names.

type Case = (ctx: PluginContext, report: (what: string, value?: unknown) => void) => void | Promise<void>

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

function described(message: Message): Record<string, unknown> {
  const { id, topic, payload, qos, retain, dup, from, timestamp, properties, headers } = message
  const { correlationData, ...rest } = properties
  return {
    id,
    topic,
    payload: text(payload),
    bytes: payload instanceof Uint8Array,
    qos,
    retain,
    dup,
    from,
    time: timestamp > 1e12,
    properties: { ...rest, ...(correlationData && { correlationData: text(correlationData) }) },
    headers: { ...headers },
  }
}

function errorOf(run: () => unknown): unknown {
  try {
    run()
    return 'nothing was thrown'
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string }
    return { name, message, code, isError: error instanceof Error, isTypeError: error instanceof TypeError }
  }
}

/** Answers by the topic of the message. */
function byTopic(message: Message): unknown {
  switch (message.topic) {
    case 'ok':
      return 'ok'
    case 'same':
      return { ok: message }
    case 'copy':
      return { ok: { ...message } }
    case 'all':
      return {
        ok: {
          ...message,
          topic: 'changed',
          payload: Buffer.from('new'),
          qos: 2,
          retain: true,
          properties: { contentType: 'text/plain', userProperties: [['a', 'ü€']] },
          headers: { ...message.headers, username: 'somebody' },
        },
      }
    case 'text':
      return { ok: { ...message, payload: 'text instead of bytes' } }
    case 'stop':
      return 'stop'
    case 'stop-with':
      return { stop: { ...message, payload: Buffer.from('stopped') } }
    case 'drop':
      return { drop: true, reason: 'unwanted' }
    case 'reject':
      return { reject: 0x97, reason: 'too much' }
    case 'disconnect':
      return { disconnect: 0x98 }
    case 'not-published':
      return { ok: { ...message, headers: { ...message.headers, allowPublish: false } } }
    case 'throw':
      throw new Error('on purpose')
    case 'nonsense':
      return 42
    case 'function':
      return () => {}
    case 'bad-message':
      return { ok: { ...message, qos: 7 } }
    case 'cannot-be-sent':
      return { ok: { ...message, properties: { contentType: 'x', userProperties: selfContaining() } } }
    default:
      return undefined
  }
}

function selfContaining(): unknown[] {
  const list: unknown[] = []
  list.push(list)
  return list
}

const cases: Record<string, Case> = {
  verdicts(ctx, report) {
    ctx.hook('message.publish', (_, message) => {
      report('asked', described(message))
      return byTopic(message) as never
    })
  },

  'verdicts later'(ctx, report) {
    ctx.hook('message.publish', async (_, message) => {
      await pause(1)
      report('asked', described(message))
      return byTopic(message) as never
    })
  },

  options(ctx, report) {
    const note = (what: string) => () => report('ran', what)
    ctx.hook('message.publish', note('zero'))
    ctx.hook('message.publish', note('high'), { priority: 10, name: 'first' })
    ctx.hook('message.publish', note('low'), { priority: -10 })
    ctx.hook('message.publish', note('sink'), { phase: 'sink', priority: 100 })
    ctx.hook('message.publish', note('topics'), { topics: ['only/#'] })
    ctx.hook('message.publish', function named() {
      report('ran', 'named')
    })
  },

  policy(ctx) {
    const never = () => (): Promise<never> => new Promise(() => {})
    ctx.hook('message.publish', never(), { topics: ['never/deny'], timeout: 30, failedAction: 'deny', name: 'deny' })
    ctx.hook('message.publish', never(), {
      topics: ['never/ignore'],
      timeout: 30,
      failedAction: 'ignore',
      name: 'ignore',
    })
    const broken = (): never => {
      throw new Error('broken')
    }
    ctx.hook('message.publish', broken, { topics: ['throw/deny'], failedAction: 'deny', name: 'throws' })
    const rename = (_: unknown, message: Message) => ({ ok: { ...message, topic: 'secret' } })
    ctx.hook('message.publish', rename, { topics: ['recheck'], name: 'rechecked' })
    ctx.hook('message.publish', (_, message) => rename(_, message), {
      topics: ['trusted'],
      recheck: false,
      name: 'trusted',
    })
    ctx.authorizer({ name: 'no-secret', authorize: ({ topic }) => (topic === 'secret' ? 'deny' : 'allow') })
  },

  errors(ctx, report) {
    const handler = (): void => {}
    ctx.hook('message.publish', handler)
    report(
      'duplicate',
      errorOf(() => ctx.hook('message.publish', handler)),
    )
    report(
      'unknown point',
      errorOf(() => ctx.hook('message.publsh' as 'message.publish', handler)),
    )
    report(
      'option',
      errorOf(() => ctx.hook('message.publish', () => {}, { prio: 1 } as never)),
    )
    report(
      'no function',
      errorOf(() => ctx.hook('message.publish', 'x' as never)),
    )
    report(
      'topics',
      errorOf(() => ctx.hook('client.connected', () => {}, { topics: ['a'] })),
    )
    report(
      'gauge',
      errorOf(() => ctx.gauge('no.such', () => 1)),
    )
    report(
      'counter',
      errorOf(() => ctx.counter('a b')),
    )
    report(
      'filter',
      errorOf(() => ctx.broker.subscribe('a/#/b', () => {})),
    )
    report(
      'command',
      errorOf(() => ctx.command({ name: 'Not a name', usage: [], run: () => undefined })),
    )
    report(
      'route',
      errorOf(() => ctx.route({ method: 'GET', path: 'x', summary: '', handle: () => ({ status: 200 }) })),
    )
    report(
      'setting',
      errorOf(() => ctx.settings.text('none')),
    )
    report(
      'authenticator',
      errorOf(() => ctx.authenticator({ name: '', authenticate: () => ({ result: 'ignore' }) })),
    )
  },

  handles(ctx, report) {
    const handle = ctx.hook('message.publish', () => report('ran'), { name: 'removable' })
    report('handle', { point: handle.point, name: handle.name })
    ctx.command({
      name: 'subject',
      usage: [['subject remove', 'Remove the hook']],
      run([word]): CommandResult {
        if (word === 'remove') handle.remove()
        else ctx.hook('message.publish', () => report('ran late'), { name: 'late' })
        return { lines: [] }
      },
    })
  },

  notifications(ctx, report) {
    let running = 0
    ctx.hook('client.connected', ({ client, connInfo }) => {
      report('connected', { clientId: client.clientId, listener: connInfo.listener, cleanStart: connInfo.cleanStart })
    })
    ctx.hook('message.dropped', async ({ message, reason }) => {
      running++
      const atOnce = running
      await pause(message.topic === 'slow/0' ? 20 : 0)
      report('dropped', { topic: message.topic, reason, atOnce })
      running--
    })
    ctx.hook('session.subscribed', ({ client, topic, options, isNew }) => {
      report('subscribed', { clientId: client.clientId, topic, qos: options.qos, isNew })
    })
    ctx.hook('session.terminated', ({ session, reason }) => {
      report('terminated', { reason, subscriptions: [...session.subscriptions.keys()] })
    })
    ctx.hook('client.disconnected', () => {
      throw new Error('on purpose')
    })
  },

  folds(ctx, report) {
    ctx.hook('client.connect', ({ connInfo }, properties) => {
      report('connect', { clientId: connInfo.clientId, properties: { ...properties } })
      if (connInfo.clientId === 'unwanted') return { reject: 0x8a, reason: 'not you' }
      return { ok: { ...properties, sessionExpiryInterval: 60 } }
    })
    ctx.hook('client.connack', (_, properties) => ({ ok: { ...properties, userProperties: [['hello', 'there']] } }))
    ctx.hook('client.post_authn', (_, client) => ({ ok: { ...client, attributes: { tenant: 'acme' } } }))
    ctx.hook('client.subscribe', ({ client }, list) => {
      report('subscribe', { tenant: client.attributes.tenant, filters: list.map(({ filter }) => filter) })
      return { ok: list.map((one) => (one.filter === 'old' ? { ...one, filter: 'new' } : one)) }
    })
    ctx.hook('message.delivered', (_, message) => ({ ok: { ...message, payload: Buffer.from('delivered') } }))
    ctx.hook('message.puback', () => ({ ok: 0x97 }))
  },

  access(ctx, report) {
    ctx.authenticator({
      name: 'subject',
      authenticate(client: Credential) {
        report('authenticate', {
          clientId: client.clientId,
          password: client.password && text(client.password),
          step: client.step,
        })
        switch (client.username) {
          case 'admin':
            return {
              result: 'allow',
              superuser: true,
              attributes: { role: 'admin' },
              expiresAt: Date.now() + 3_600_000,
            }
          case 'late':
            return pause(1).then(() => ({ result: 'allow' }) as const)
          case 'nobody':
            return { result: 'deny', reasonCode: 0x86, reasonString: 'unknown' }
          case 'crash':
            throw new Error('on purpose')
          default:
            return { result: 'ignore' }
        }
      },
    })
    let rules = 0
    const authorizer: Authorizer = {
      name: 'subject',
      authorize({ client, action, topic, qos, retain }) {
        report('authorize', { role: client.attributes.role, action, topic, qos, retain })
        if (topic === 'crash') throw new Error('on purpose')
        return topic === 'forbidden' ? 'deny' : topic === 'later' ? pause(1).then(() => 'allow' as const) : 'ignore'
      },
      reload() {
        report('reloaded', ++rules)
      },
    }
    ctx.authorizer(authorizer, 5)
  },

  exchange(ctx) {
    ctx.hook('client.authenticate', ({ client }) => {
      if (client.authenticationMethod !== 'COUNT') return undefined
      const count = (client.state as { count: number } | undefined)?.count ?? 0
      const data = Buffer.from(`${count}:${text(client.authenticationData ?? Buffer.alloc(0))}`)
      if (count < 2) return { stop: { result: 'continue', data, state: { count: count + 1 } } }
      return { stop: { result: 'allow', data } }
    })
  },

  numbers(ctx, report) {
    const seen = ctx.counter('seen')
    let size = 1
    ctx.gauge('delayed', () => size)
    ctx.hook('message.publish', () => {
      seen.add()
      seen.add(2)
      size = 42
    })
    ctx.command({
      name: 'subject',
      usage: [],
      run: () => ({ lines: [String(seen.value), String(ctx.counter('seen').value)] }),
    })
    const now = ctx.now()
    report('now', { near: Math.abs(now - Date.now()) < 60_000, now })
  },

  settings(ctx, report) {
    const { settings, config, terms, name } = ctx
    report('settings', {
      name,
      config: { ...config },
      limit: settings.number('limit'),
      wait: settings.duration('wait'),
      has: [settings.has('limit'), settings.has('none')],
      matching: settings.matching('user.$n.name').map(({ key, words }) => [key, words.n]),
      level: Number((terms.level as { value: bigint }).value),
    })
    const { info } = ctx.log.child({ part: 'one' })
    info('a line', { more: true })
    ctx.log.debug('debug line')
    ctx.log.warn('warn line')
    ctx.log.error('error line')
  },

  async link(ctx, report) {
    const { broker } = ctx
    report('identity', { node: broker.node, version: broker.version })
    const end = broker.subscribe('in/+', (message) => {
      if (message.topic === 'in/throw') throw new Error('on purpose')
      report('heard', described(message))
    })
    ctx.hook('client.connected', async ({ client }) => {
      const all: ClientInfo[] = [...broker.clients()]
      report('clients', {
        all: all.map(({ clientId }) => clientId),
        same: broker.client(client.clientId)?.peerhost === client.peerhost,
        none: broker.client('none') === undefined,
      })
    })
    ctx.command({
      name: 'subject',
      usage: [],
      async run([word, argument]): Promise<CommandResult> {
        switch (word) {
          case 'publish':
            return { lines: [String(await broker.publish({ topic: argument, payload: 'from the plugin', qos: 1 }))] }
          case 'bad':
            return {
              lines: [
                (await broker
                  .publish({ topic: 'a/#' })
                  .catch((error: Error) => `${error.name}: ${error.message}`)) as string,
              ],
            }
          case 'kick':
            return { lines: [String(await broker.kick(argument)), String(await broker.kick('none'))] }
          case 'end':
            end()
            return { lines: [] }
          default:
            return { lines: [typeof broker.metrics()['messages.received'], typeof broker.stats()['connections.count']] }
        }
      },
    })
  },

  admin(ctx) {
    const { admin } = ctx
    const run: Record<string, (...args: string[]) => unknown> = {
      identity: () => [admin.node, admin.version, typeof admin.startedAt],
      clients: () => [...admin.clients()].map(({ client, connected }) => [client.clientId, connected]),
      client: (id) => {
        const view = admin.client(id)
        return [view?.connected, [...(view?.session.subscriptions ?? [])], view?.connInfo?.listener]
      },
      subscribe: (id) => [
        admin.subscribe(id, 'by/admin', { qos: 1 }),
        admin.subscribe('none', 'x', {}),
        [...admin.subscriptions()].map(({ clientId, filter, options }) => [clientId, filter, options.qos]),
        [...admin.topics()],
      ],
      onBehalf: async (id) => {
        const options = { qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
        return [
          await admin.subscribeOnBehalf(id, [{ filter: 'on/behalf', options }]),
          await admin.subscribeOnBehalf('none', []),
        ]
      },
      unsubscribe: (id) => [
        admin.unsubscribe(id, 'by/admin'),
        admin.unsubscribe(id, 'by/admin'),
        admin.unsubscribe('none', 'x'),
      ],
      publish: async () => {
        const { id, receivers, refused } = await admin.publish({ topic: 'nobody/listens', payload: 'x' })
        return [id.length, receivers, refused, await admin.publish({ topic: '+' }).catch((error: Error) => error.name)]
      },
      retained: () => {
        const store = admin.retained
        const before = store.count
        const kept = store.get('kept/1')
        const put = kept !== undefined && store.put({ ...kept, id: kept.id, topic: 'kept/2' })
        const matched = [...{ [Symbol.iterator]: () => store.match('kept/+') }].map((message) => message?.topic)
        const deleted = [store.delete('kept/2'), store.delete('kept/2')]
        const all = [...{ [Symbol.iterator]: () => store.all() }].map((message) => message?.topic)
        store.clear()
        return [before, kept && described(kept).payload, put, matched, deleted, all, store.count, store.get('kept/1')]
      },
      many: () => {
        let count = 0
        for (const message of { [Symbol.iterator]: () => admin.retained.match('many/#') })
          if (message !== undefined) count++
        const some = admin.retained.match('many/#')
        some.next()
        return count
      },
      listeners: async () => [admin.listeners(), await admin.startListener('none'), await admin.stopListener('none')],
      plugins: async () => [
        admin.plugins().map(({ name, active }) => [name, active]),
        await admin.loadPlugin('x'),
        await admin.unloadPlugin('x'),
        await admin.reloadPlugin('x'),
        await admin.changedPlugins(),
      ],
      hooks: () => [
        admin.hooks().find(({ point }) => point === 'client.authenticate')?.hooks[0].owner,
        admin.waitingHooks(),
      ],
      alarms: () => {
        admin.forgetAlarms()
        return [admin.alarms(true), admin.alarms(false)]
      },
      explain: async (id) => (await admin.explain(id, 'publish', 'a')).result,
      rules: async (id) => [
        admin.cleanAclCache(),
        admin.cleanAclCache(id),
        admin.cleanAclCache('none'),
        await admin.reloadAccessRules(),
      ],
      numbers: () => [typeof admin.metrics()['messages.received'], typeof admin.stats()['connections.count']],
      kick: async (id) => [await admin.kick(id), await admin.kick('none')],
      log: () => {
        admin.logLevel = 'debug'
        return [admin.logLevel, admin.logHandlers(), admin.setLogHandler('none', { running: false })]
      },
      commands: async () => {
        const own = admin.commands().find(({ name }) => name === 'subject')
        return [own?.usage, await own?.run(['identity'])]
      },
      routes: async () => {
        let changes = 0
        const end = admin.onChange(() => changes++)
        ctx.route({
          method: 'GET',
          path: '/made',
          summary: 'made',
          handle: ({ user }) => ({ status: 200, body: { user } }),
        })
        await pause(5)
        end()
        const route = admin.routes().find(({ path }) => path === '/made')
        return [changes, route?.summary, await route?.handle({ params: {}, query: {}, body: undefined, user: 'me' })]
      },
    }
    ctx.command({
      name: 'subject',
      usage: [['subject <Member>', 'Use the admin interface']],
      run: async ([member, ...args]) => ({ lines: [], json: await run[member](...args) }),
    })
  },

  store(ctx) {
    ctx.command({
      name: 'subject',
      usage: [],
      async run(): Promise<CommandResult> {
        const { store } = ctx
        await store.put('b', { list: [1, 'two', null] })
        await store.put('a/1', 'first')
        await store.put('a/2', 2)
        const values: unknown[] = []
        for await (const entry of store.list('a/')) values.push(entry)
        for await (const [key] of store.list()) {
          values.push(key)
          break
        }
        return {
          lines: [],
          json: [await store.get('b'), await store.get('c'), values, await store.delete('b'), await store.delete('b')],
        }
      },
    })
  },

  offers(ctx) {
    ctx.command({
      name: 'subject',
      usage: [['subject say <Words>', 'Say them']],
      run([word, ...words]) {
        if (word === 'throw') throw new Error('on purpose')
        if (word === 'say') return { lines: words, json: { words }, exitCode: 3 }
        return undefined
      },
    })
    ctx.route({
      method: 'POST',
      path: '/subject/:id',
      summary: 'A route',
      tag: 'Tests',
      bodySchema: { type: 'object' },
      handle: async ({ params, query, body, user }) => ({
        status: 201,
        body: { params, query, body, user },
        contentType: 'application/json',
      }),
    })
  },

  timers(ctx, report) {
    let ticks = 0
    ctx.every(5, () => {
      if (++ticks <= 3) report('tick', ticks)
      if (ticks === 4) throw new Error('a tick on purpose')
    })
    ctx.after(1, () => report('after'))
    ctx.after(1, async () => {
      throw new Error('later on purpose')
    })
  },

  clock(ctx, report) {
    ctx.every(1000, () => report('tick', ctx.now()))
  },

  retained(ctx, report) {
    const end = ctx.retained({ maxPayload: 4, changed: (topic) => report('changed', topic ?? 'all') })
    ctx.command({
      name: 'subject',
      usage: [],
      run() {
        end()
        return { lines: [] }
      },
    })
  },

  teardown(ctx, report) {
    ctx.signal.addEventListener('abort', () => report('step', 'abort'))
    ctx.onTeardown(async () => {
      await pause(1)
      report('step', `first, aborted ${ctx.signal.aborted}`)
      await ctx.broker.publish({ topic: 'torn/down', payload: 'last words' })
    })
    ctx.onTeardown(() => {
      throw new Error('in a teardown step')
    })
    ctx.onTeardown(() => report('step', 'last'))
    ctx.hook(
      'message.publish',
      async () => {
        await pause(20)
        report('step', 'call in flight')
      },
      { topics: ['slow'] },
    )
    ctx.broker.subscribe('#', () => {})
    ctx.every(60_000, () => {})
  },

  'failing setup'(ctx) {
    ctx.hook('message.publish', () => {})
    throw new RangeError('no table')
  },

  generation(ctx) {
    ctx.hook('message.publish', (_, message) => ({
      ok: { ...message, payload: Buffer.from(`${text(message.payload)} ${ctx.config.number}`) },
    }))
  },

  // --- what a plugin should not do ---------------------------------------------------------------------------------

  'throws in every callback'(ctx) {
    const broken = (): never => {
      throw new Error('on purpose')
    }
    ctx.hook('message.publish', () => broken())
    ctx.hook('message.publish', () => broken(), { phase: 'sink' })
    ctx.hook('message.dropped', () => broken())
    ctx.hook('client.connected', () => broken())
    ctx.hook('client.subscribe', () => broken())
    ctx.authorizer({ name: 'broken', authorize: ({ topic }) => (topic === 'checked' ? broken() : 'allow') })
    ctx.broker.subscribe('#', () => broken())
    ctx.command({ name: 'subject', usage: [], run: () => broken() })
    ctx.every(2, () => broken())
    ctx.onTeardown(() => broken())
  },

  'misbehaves on demand'(ctx, report) {
    report('started', ctx.counter('starts').value)
    ctx.counter('starts').add()
    ctx.hook('message.publish', (_, { topic }) => misbehave(topic), { topics: ['do/+'], name: 'doing' })
    ctx.hook('message.publish', () => {}, { topics: ['guarded'], failedAction: 'deny', name: 'guard' })
    ctx.hook('message.publish', (_, message) => ({ ok: { ...message, payload: Buffer.from('changed') } }), {
      topics: ['open'],
      name: 'open',
    })
    ctx.command({ name: 'subject', usage: [], run: () => ({ lines: ['here'] }) })
  },

  'leaks timers'(ctx, report) {
    let ticks = 0
    for (let index = 0; index < 100; index++) setInterval(() => ticks++, 1)
    setInterval(() => {
      process.stdout.write('')
    }, 1)
    ctx.command({ name: 'subject', usage: [], run: () => ({ lines: [String(ticks)] }) })
    ctx.onTeardown(() => report('ticks', ticks))
  },

  'does not come back from setup'() {
    for (;;) {}
  },

  'does not come back from teardown'(ctx) {
    ctx.onTeardown(() => {
      for (;;) {}
    })
  },

  provides(ctx) {
    ctx.provider({ name: 'far', load: async () => [], call() {}, tell() {}, async unload() {} })
  },
  'ends in setup'(ctx) {
    if (ctx.counter('starts').value > 0 && ctx.config.later === 'true') process.exit(4)
    ctx.counter('starts').add()
    ctx.hook('message.publish', () => process.exit(5), { topics: ['do/exit'] })
    ctx.hook('message.publish', () => {}, { topics: ['guarded'], failedAction: 'deny' })
    if (ctx.config.later !== 'true') process.exit(3)
  },

  'is slow'(ctx) {
    ctx.hook('message.publish', () => new Promise(() => {}), { failedAction: 'deny' })
  },

  floods(ctx, report) {
    ctx.command({
      name: 'subject',
      usage: [],
      run() {
        const end = Date.now() + 300
        let lines = 0
        while (Date.now() < end) {
          ctx.log.debug('flood', { lines: ++lines, text: 'x'.repeat(1000) })
        }
        report('flooded', lines)
        return { lines: [String(lines)] }
      },
    })
  },
}

function misbehave(topic: string): undefined {
  switch (topic) {
    case 'do/loop':
      for (;;) {}
    case 'do/exit':
      process.exit(7)
      break
    case 'do/heap': {
      const held: unknown[] = []
      for (;;) held.push(new Array(1000).fill({ held: held.length }))
    }
    case 'do/buffers': {
      const held: Buffer[] = []
      const allocate = (): void => {
        held.push(Buffer.alloc(8 * 1024 * 1024, held.length))
        setImmediate(allocate)
      }
      allocate()
      break
    }
    case 'do/throw':
      setImmediate(() => {
        throw new Error('nobody catches this')
      })
      break
    case 'do/reject':
      void Promise.reject(new Error('nobody catches this either'))
      break
  }
  return undefined
}

export default definePlugin({
  name: 'subject',
  version: '1.0.0',
  config: {
    case: { type: 'string', description: 'What to do.' },
    limit: { type: 'integer', default: '10', description: 'A number.' },
    none: { type: 'integer', description: 'Another.' },
    wait: { type: 'duration', default: '2s', description: 'A time.' },
    'user.$n.name': { type: 'string', description: 'Names.' },
    later: { type: 'string', description: 'When.' },
    number: { type: 'string', description: 'Which.' },
  },
  async setup(ctx) {
    const report = (what: string, value?: unknown): void => ctx.log.info(`report ${what}`, { value })
    await cases[ctx.config.case](ctx, report)
  },
})
