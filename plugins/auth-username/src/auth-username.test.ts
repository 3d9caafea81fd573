import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { definePlugin } from '@hookmq/api'
import { createBroker } from 'hookmq'
import { MemoryStore, ReasonCode, startTestBroker, type TestBroker, type TestBrokerOptions } from 'hookmq/testing'
import plugin from './index.ts'

const closed = { allowAnonymous: false } as const

function start(t: TestContext, conf: string, options: TestBrokerOptions = {}): Promise<TestBroker> {
  return startTestBroker(t, { ...closed, ...options, plugins: [...(options.plugins ?? []), { plugin, conf }] })
}

/** 'in', or the reason code of the refusal. */
async function attempt(broker: TestBroker, username?: string, password?: string): Promise<'in' | number | undefined> {
  try {
    const client = await broker.connect({ username, password })
    await client.close()
    return 'in'
  } catch (error) {
    return (error as { reasonCode?: number }).reasonCode
  }
}

const wrong = ReasonCode.BadUserNameOrPassword
const unknown = ReasonCode.NotAuthorized

/** As it stands in the plugin document of EMQ 2.0; the short form is from the text below it. */
const document = `
    ##auth.user.$N.username = admin
    ##auth.user.$N.password = public

    ## Examples:
    ##auth.user.1.username = admin
    ##auth.user.1.password = public
    ##auth.user.2.username = feng@emqtt.io
    ##auth.user.2.password = public
`

describe('configuration', () => {
  it('loads the example of the EMQ document as written, and with its comment signs taken away', async (t) => {
    const broker = await start(t, document)
    assert.deepEqual((await broker.ctl('users list')).lines, [])
    const uncommented = document.replace(/##(auth\.user\.\d)/g, '$1')
    await broker.reload(plugin, uncommented)
    assert.deepEqual((await broker.ctl('users list')).lines, ['admin', 'feng@emqtt.io'])
    assert.equal(await attempt(broker, 'feng@emqtt.io', 'public'), 'in')
    assert.deepEqual(
      broker.log.filter(({ level }) => level === 'warn'),
      [],
    )
  })

  it('auth.username.NAME = PASSWORD', async (t) => {
    const broker = await start(t, 'auth.username.test = public\nauth.username.a\\.b = dotted')
    assert.equal(await attempt(broker, 'test', 'public'), 'in')
    assert.equal(await attempt(broker, 'a.b', 'dotted'), 'in')
  })

  it('half an entry is an error that names the missing half', async (t) => {
    await assert.rejects(
      start(t, 'auth.user.7.username = x'),
      /auth\.user\.7\.username is set and auth\.user\.7\.password is not/,
    )
    await assert.rejects(start(t, 'auth.user.7.password = x'), /auth\.user\.7\.username is not/)
  })

  it('password_hash: every kind works, an unknown one is refused, clear text is warned of', async (t) => {
    for (const kind of ['scrypt', 'bcrypt', 'sha512', 'sha256', 'sha', 'md5', 'plain']) {
      const store = new MemoryStore()
      const broker = await start(t, `auth.user.password_hash = ${kind}`, { store })
      await broker.ctl('users add ann apple')
      assert.equal(await attempt(broker, 'ann', 'apple'), 'in', kind)
      assert.equal(await attempt(broker, 'ann', 'banana'), wrong, kind)
      const kept = JSON.stringify(await store.namespace('auth-username').get('account/ann'))
      assert.equal(kept.includes('apple'), kind === 'plain', kept)
      assert.equal(
        broker.log.some(({ level, message }) => level === 'warn' && message.includes('clear text')),
        kind === 'plain',
      )
    }
    await assert.rejects(start(t, '\nauth.user.password_hash = rot13'), /auth-username\.conf:2.*expected scrypt/)
  })

  it('the file as shipped loads', async (t) => {
    const folder = fileURLToPath(new URL('../../../etc/plugins', import.meta.url))
    const broker = await startTestBroker(t, { plugins: [{ plugin, folder }] })
    assert.deepEqual(
      broker.log.filter(({ level }) => level === 'warn'),
      [],
    )
  })
})

it('is loaded under the names of EMQ, with their file', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'auth-username-'))
  t.after(() => rmSync(home, { recursive: true }))
  mkdirSync(join(home, 'etc/plugins'), { recursive: true })
  writeFileSync(join(home, 'etc/hookmq.conf'), 'listener.tcp.external = 127.0.0.1:0\nnode.data_dir = data\n')
  writeFileSync(join(home, 'etc/plugins/emq_auth_username.conf'), document.replace(/##(auth\.user\.\d)/g, '$1'))
  const broker = await createBroker({ configFile: join(home, 'etc/hookmq.conf') })
  t.after(() => broker.stop(500))
  await broker.start()
  for (const name of ['emq_auth_username', 'emqx_auth_username']) {
    assert.deepEqual(await broker.admin.loadPlugin(name), { ok: true, started: [name] })
    const client = broker.link({ username: 'feng@emqtt.io', password: 'public' })
    await client.connect()
    await assert.rejects(broker.link({ username: 'admin', password: 'private' }).connect(), { reasonCode: wrong })
    assert.deepEqual(await broker.admin.unloadPlugin(name), { ok: true, started: [] })
  }
})

describe('who gets in', () => {
  const conf = 'auth.user.1.username = ann\nauth.user.1.password = apple'

  it('a known name with its password; without name or password nobody; an unknown name is left to others', async (t) => {
    const broker = await start(t, conf)
    assert.equal(await attempt(broker, 'ann', 'apple'), 'in')
    assert.equal(await attempt(broker, 'ann', 'apple '), wrong)
    assert.equal(await attempt(broker, 'ann', ''), wrong)
    assert.equal(await attempt(broker, 'ann'), wrong)
    assert.equal(await attempt(broker, undefined, undefined), wrong)
    assert.equal(await attempt(broker, 'bob', 'apple'), unknown)
    const open = await start(t, conf, { allowAnonymous: true })
    assert.equal(await attempt(open, 'bob', 'whatever'), 'in')
    assert.equal(await attempt(open, 'ann', 'whatever'), wrong)
  })

  it('nobody is superuser, and MQTT 3.1.1 clients are told what they can be told', async (t) => {
    const broker = await start(t, conf)
    await broker.connect({ username: 'ann', password: 'apple' })
    assert.equal((await broker.event('client.connected')).args.client.superuser, false)
    // Return code 4 on the wire, which the client gives back as the reason code that it stands for.
    await assert.rejects(broker.connect({ username: 'ann', password: 'x', protocolVersion: 4 }), { reasonCode: wrong })
    const { args } = await broker.event('client.connack', ({ args: { reasonCode } }) => reasonCode !== 0)
    assert.equal(args.reasonCode, wrong)
  })

  it('the next authenticator is asked for an unknown name only', async (t) => {
    const asked: (string | undefined)[] = []
    const other = definePlugin({
      name: 'other',
      setup: (ctx) =>
        ctx.authenticator({
          name: 'other',
          authenticate({ username }) {
            asked.push(username)
            return { result: 'allow' }
          },
        }),
    })
    const broker = await start(t, conf, { plugins: [other] })
    assert.equal(await attempt(broker, 'bob', 'x'), 'in')
    assert.equal(await attempt(broker, 'ann', 'x'), wrong)
    assert.deepEqual(asked, ['bob'])
  })

  it('unloaded, it asks nobody any more', async (t) => {
    const broker = await start(t, conf, { allowAnonymous: true })
    assert.equal(await attempt(broker, 'ann', 'x'), wrong)
    await broker.unload('auth-username')
    assert.equal(await attempt(broker, 'ann', 'x'), 'in')
    await assert.rejects(broker.ctl('users list'), /no command/)
  })
})

describe('commands', () => {
  it('users: the lines of EMQ 2', async (t) => {
    const broker = await start(t, '')
    const lines = async (line: string) => (await broker.ctl(line)).lines
    assert.deepEqual(await lines('users add bob banana'), ['ok'])
    assert.deepEqual(await lines('users add ann apple'), ['ok'])
    assert.deepEqual(await lines('users add ann other'), ['{error,existed}'])
    assert.deepEqual(await lines('users list'), ['ann', 'bob'])
    assert.equal(await attempt(broker, 'ann', 'apple'), 'in')
    assert.deepEqual(await lines('users update ann pear'), ['ok'])
    assert.equal(await attempt(broker, 'ann', 'apple'), wrong)
    assert.equal(await attempt(broker, 'ann', 'pear'), 'in')
    assert.deepEqual(await lines('users update eve pear'), ['{error,noexisted}'])
    assert.deepEqual(await lines('users del ann'), ['ok'])
    assert.deepEqual(await lines('users del ann'), ['ok'])
    assert.deepEqual(await lines('users delete bob'), ['ok'])
    assert.deepEqual(await lines('users list'), [])
    assert.equal(await attempt(broker, 'ann', 'pear'), unknown)
  })

  it('user: the lines of EMQX 4, on the same table', async (t) => {
    const broker = await start(t, '')
    const lines = async (line: string) => (await broker.ctl(line)).lines
    assert.deepEqual(await lines('user add ann apple'), ['ok'])
    assert.deepEqual(await lines('user add ann apple'), ['Error: existed'])
    assert.deepEqual(await lines('users list'), ['ann'])
    assert.deepEqual(await lines('user update eve x'), ['Error: noexisted'])
    assert.deepEqual(await lines('user delete ann'), ['ok'])
    assert.deepEqual(await lines('user list'), [])
  })

  it('wrong use gives the usage; an empty name or password is refused', async (t) => {
    const broker = await start(t, '')
    for (const line of ['users', 'users add', 'users add ann', 'users add a b c', 'users list x', 'users drop a']) {
      const { lines, exitCode } = await broker.ctl(line)
      assert.equal(exitCode, 2, line)
      assert.deepEqual(lines, [
        'users list',
        'users add <Username> <Password>',
        'users update <Username> <NewPassword>',
        'users del <Username>',
      ])
    }
    await assert.rejects(broker.ctl(['users', 'add', '', 'x']), /a name has 1 to 65535 bytes, this one 0/)
    await assert.rejects(broker.ctl(['users', 'add', 'x', '']), /a password has 1 to 65535 bytes/)
  })
})

describe('over a restart', () => {
  it('the file adds who is not there yet and never replaces a stored password', async (t) => {
    const store = new MemoryStore()
    const conf = (password: string) => `auth.user.1.username = ann\nauth.user.1.password = ${password}`
    const first = await start(t, conf('first'), { store })
    await first.ctl('users add bob banana')
    await first.advance(0)
    // Hashed in the background; in force all the time.
    while ((await store.namespace('auth-username').get('account/ann')) === undefined) await first.settle()
    assert.equal(await attempt(first, 'ann', 'first'), 'in')
    await first.stop()

    const second = await start(t, conf('second'), { store })
    assert.equal(await attempt(second, 'ann', 'first'), 'in')
    assert.equal(await attempt(second, 'ann', 'second'), wrong)
    assert.equal(await attempt(second, 'bob', 'banana'), 'in')
    assert.deepEqual((await second.ctl('users list')).lines, ['ann', 'bob'])
  })

  it('what was changed or deleted while the file is being hashed stays so', async (t) => {
    const store = new MemoryStore()
    const conf = 'auth.username.ann = apple\nauth.username.bob = banana\nauth.username.cid = cherry'
    const broker = await start(t, conf, { store })
    const keeping = broker.advance(0)
    await broker.ctl('users update bob pear')
    await broker.ctl('users del cid')
    await keeping
    const kept = store.namespace('auth-username')
    while ((await kept.get('account/ann')) === undefined) await broker.settle()
    await broker.settle(50)
    assert.equal(await attempt(broker, 'bob', 'pear'), 'in')
    assert.equal(await attempt(broker, 'bob', 'banana'), wrong)
    assert.equal(await attempt(broker, 'cid', 'cherry'), unknown)
    assert.equal(await kept.get('account/cid'), undefined)
  })
})
