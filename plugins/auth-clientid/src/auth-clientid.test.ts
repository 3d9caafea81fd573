import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MemoryStore, ReasonCode, startTestBroker, type TestBroker, type TestBrokerOptions } from 'hookmq/testing'
import plugin from './index.ts'

function start(t: TestContext, conf: string, options: TestBrokerOptions = {}): Promise<TestBroker> {
  return startTestBroker(t, { allowAnonymous: false, ...options, plugins: [{ plugin, conf }] })
}

async function attempt(broker: TestBroker, clientId: string, password?: string): Promise<'in' | number | undefined> {
  try {
    const client = await broker.connect({ clientId, password, username: 'somebody' })
    await client.close()
    return 'in'
  } catch (error) {
    return (error as { reasonCode?: number }).reasonCode
  }
}

const wrong = ReasonCode.BadUserNameOrPassword
const unknown = ReasonCode.NotAuthorized

/** As it stands in the plugin document of EMQ 2.0. */
const document = `
    ##auth.client.$N.clientid = clientid
    ##auth.client.$N.password = passwd

    ## Examples
    ##auth.client.1.clientid = id
    ##auth.client.1.password = passwd
    ##auth.client.2.clientid = dev:devid
    ##auth.client.2.password = passwd2
    ##auth.client.3.clientid = app:appid
    ##auth.client.3.password = passwd3
`

describe('configuration', () => {
  it('loads the example of the EMQ document as written, and with its comment signs taken away', async (t) => {
    const broker = await start(t, document)
    assert.deepEqual((await broker.ctl('clientid list')).lines, [])
    await broker.reload(plugin, document.replace(/##(auth\.client\.\d)/g, '$1'))
    assert.deepEqual((await broker.ctl('clientid list')).lines, ['app:appid', 'dev:devid', 'id'])
    assert.equal(await attempt(broker, 'dev:devid', 'passwd2'), 'in')
    assert.equal(await attempt(broker, 'dev:devid', 'passwd'), wrong)
    assert.deepEqual(
      broker.log.filter(({ level }) => level === 'warn'),
      [],
    )
  })

  it('any word may tie two lines together; half an entry is an error', async (t) => {
    const broker = await start(t, 'auth.client.pump.clientid = p1\nauth.client.pump.password = x')
    assert.equal(await attempt(broker, 'p1', 'x'), 'in')
    await assert.rejects(start(t, 'auth.client.1.clientid = x'), /auth\.client\.1\.password is not/)
    await assert.rejects(start(t, 'auth.client.1.password = x'), /auth\.client\.1\.clientid is not/)
    await assert.rejects(start(t, 'auth.client.password_hash = none'), /expected scrypt, bcrypt/)
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

it('a known client id with its password; without password nobody; an unknown client id is left to others', async (t) => {
  const conf = 'auth.client.1.clientid = pump\nauth.client.1.password = passwd'
  const broker = await start(t, conf)
  assert.equal(await attempt(broker, 'pump', 'passwd'), 'in')
  assert.equal(await attempt(broker, 'pump', 'other'), wrong)
  assert.equal(await attempt(broker, 'pump'), wrong)
  assert.equal(await attempt(broker, 'valve'), wrong)
  assert.equal(await attempt(broker, 'valve', 'passwd'), unknown)
  const open = await start(t, conf, { allowAnonymous: true })
  assert.equal(await attempt(open, 'valve', 'passwd'), 'in')
  assert.equal(await attempt(open, 'pump', 'other'), wrong)
  await open.connect({ clientId: 'pump', password: 'passwd' })
  const connected = await open.event('client.connected', ({ args }) => args.client.clientId === 'pump')
  assert.equal(connected.args.client.superuser, false)
})

it('clientid list, add, update, delete: the lines of EMQX 4', async (t) => {
  const broker = await start(t, '')
  const lines = async (line: string) => (await broker.ctl(line)).lines
  assert.deepEqual(await lines('clientid add pump passwd'), ['ok'])
  assert.deepEqual(await lines('clientid add pump other'), ['Error: existed'])
  assert.deepEqual(await lines('clientid add arm passwd'), ['ok'])
  assert.deepEqual(await lines('clientid list'), ['arm', 'pump'])
  assert.equal(await attempt(broker, 'pump', 'passwd'), 'in')
  assert.deepEqual(await lines('clientid update pump other'), ['ok'])
  assert.equal(await attempt(broker, 'pump', 'other'), 'in')
  assert.equal(await attempt(broker, 'pump', 'passwd'), wrong)
  assert.deepEqual(await lines('clientid update valve x'), ['Error: noexisted'])
  assert.deepEqual(await lines('clientid delete pump'), ['ok'])
  assert.deepEqual(await lines('clientid list'), ['arm'])
  assert.equal((await broker.ctl('clientid add x')).exitCode, 2)
})

it('what the file says replaces what is stored, at each load; what was added by command is kept over a restart', async (t) => {
  const store = new MemoryStore()
  const conf = 'auth.client.1.clientid = pump\nauth.client.1.password = file'
  const first = await start(t, conf, { store })
  await first.ctl('clientid update pump changed')
  await first.ctl('clientid add valve kept')
  assert.equal(await attempt(first, 'pump', 'changed'), 'in')
  await first.stop()
  const second = await start(t, conf, { store })
  assert.equal(await attempt(second, 'pump', 'file'), 'in')
  assert.equal(await attempt(second, 'pump', 'changed'), wrong)
  assert.equal(await attempt(second, 'valve', 'kept'), 'in')
})
