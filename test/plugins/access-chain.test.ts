import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AuthenticateResult, Plugin } from '@hookmq/api'
import type { BrokerOptions } from '@hookmq/core'
import { publishThrough, subscribe } from '../support/actions.ts'
import { startBroker, type TestScope } from '../support/broker.ts'
import { plugin } from './support.ts'

type Answer = AuthenticateResult | 'crash' | 'reject'

/** A plugin with one authenticator that notes that it was asked. */
function authenticating(name: string, answer: Answer, asked: string[], sequence?: number): Plugin {
  return plugin(name, (ctx) =>
    ctx.authenticator(
      {
        name,
        authenticate() {
          asked.push(name)
          if (answer === 'crash') throw new Error('on purpose')
          return answer === 'reject' ? Promise.reject(new Error('on purpose')) : answer
        },
      },
      sequence,
    ),
  )
}

/** The return code of a CONNECT of MQTT 3.1.1. */
async function connectCode(
  scope: TestScope,
  options: Partial<BrokerOptions>,
  plugins: readonly Plugin[],
): Promise<number> {
  const { broker, open } = await startBroker(scope, options, { record: false })
  for (const one of plugins) await broker.plugins.load(one)
  const client = await open(4)
  client.send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: 'c',
    username: 'u',
    clean: true,
    keepalive: 0,
  })
  const { returnCode } = await client.expect('connack')
  return Number(returnCode)
}

const ignore: AuthenticateResult = { result: 'ignore' }
const allow: AuthenticateResult = { result: 'allow' }
const deny: AuthenticateResult = { result: 'deny', reasonCode: 0x86 }

describe('the chain of authenticators', () => {
  const cases: [string, Partial<BrokerOptions>, [Answer, number?][], number, string[]][] = [
    ['ok ends the chain', {}, [[deny], [allow]], 0, ['1']],
    ['error ends the chain', {}, [[allow], [deny]], 4, ['1']],
    ['ignore asks the next', {}, [[allow], [ignore]], 0, ['1', '0']],
    ['a crash refuses', {}, [[allow], ['crash']], 5, ['1']],
    ['a rejection refuses', {}, [[allow], ['reject']], 5, ['1']],
    [
      'higher sequence first',
      {},
      [
        [ignore, 1],
        [ignore, 3],
        [ignore, 2],
      ],
      0,
      ['1', '2', '0'],
    ],
    ['equal sequence: the last registered first', {}, [[ignore], [ignore], [ignore]], 0, ['2', '1', '0']],
    ['all ignore, anonymous allowed', { allowAnonymous: true }, [[ignore]], 0, ['0']],
    ['all ignore, anonymous not allowed', { allowAnonymous: false }, [[ignore]], 5, ['0']],
    ['nobody there, anonymous allowed', { allowAnonymous: true }, [], 0, []],
    ['nobody there, anonymous not allowed', { allowAnonymous: false }, [], 5, []],
    ['negative sequence: after those that say nothing', {}, [[allow, -1], [ignore]], 0, ['1', '0']],
  ]
  for (const [name, options, answers, code, order] of cases)
    test(name, async (scope) => {
      const asked: string[] = []
      const plugins = answers.map(([answer, sequence], index) =>
        authenticating(`${'abc'[index]}`, answer, asked, sequence),
      )
      const got = await connectCode(scope, { allowAnonymous: true, ...options }, plugins)
      assert.deepEqual(
        asked,
        order.map((index) => 'abc'[Number(index)]),
      )
      assert.equal(got, code)
    })

  test('a second module of the same name is refused and changes nothing; unloading takes it out', async (scope) => {
    const asked: string[] = []
    const { broker, connect } = await startBroker(scope, {}, { record: false })
    await broker.plugins.load(authenticating('one', ignore, asked))
    const copy = { ...authenticating('one', deny, asked), name: 'other' }
    await assert.rejects(broker.plugins.load(copy), /an authenticator named 'one' is registered already/)
    await connect({ clientId: 'a' })
    assert.deepEqual(asked, ['one'])
    await broker.plugins.unload('one')
    await connect({ clientId: 'b' })
    assert.deepEqual(asked, ['one'])
  })

  test('the superuser flag is taken over: access control is not asked', async (scope) => {
    const { broker, connect } = await startBroker(scope, {}, { record: false })
    let checks = 0
    await broker.plugins.load(authenticating('super', { result: 'allow', superuser: true }, []))
    await broker.plugins.load(
      plugin('denying', (ctx) =>
        ctx.authorizer({
          name: 'denying',
          authorize() {
            checks++
            return 'deny'
          },
        }),
      ),
    )
    const client = await connect({ clientId: 'root' })
    assert.deepEqual(await subscribe(client, 'a'), [0])
    assert.equal(checks, 0)
  })
})

describe('the chain of authorizers', () => {
  type Decision = 'allow' | 'deny' | 'ignore' | 'crash' | 'later'
  const cases: [string, 'allow' | 'deny', [Decision, number?][], boolean, string[]][] = [
    ['allow is final', 'deny', [['deny'], ['allow']], true, ['b']],
    ['deny is final', 'allow', [['allow'], ['deny']], false, ['b']],
    ['ignore asks the next', 'deny', [['allow'], ['ignore']], true, ['b', 'a']],
    ['an answer that comes later counts the same', 'deny', [['allow'], ['later']], true, ['b', 'a']],
    [
      'higher sequence first',
      'allow',
      [
        ['ignore', 1],
        ['ignore', 3],
        ['ignore', 2],
      ],
      true,
      ['b', 'c', 'a'],
    ],
    ['the end of the chain: acl_nomatch allows', 'allow', [['ignore']], true, ['a']],
    ['the end of the chain: acl_nomatch denies', 'deny', [['ignore']], false, ['a']],
    ['nobody there: acl_nomatch allows', 'allow', [], true, []],
    ['nobody there: acl_nomatch denies', 'deny', [], false, []],
    ['a crash denies', 'allow', [['allow'], ['crash']], false, ['b']],
  ]
  for (const [name, aclNoMatch, decisions, allowed, order] of cases)
    test(name, async (scope) => {
      const { broker, connect } = await startBroker(scope, { aclNoMatch }, { record: false })
      const asked: string[] = []
      for (const [index, [decision, sequence]] of decisions.entries()) {
        const module = 'abc'[index]
        const authorizer = {
          name: module,
          authorize() {
            asked.push(module)
            if (decision === 'crash') throw new Error('on purpose')
            return decision === 'later' ? Promise.resolve('ignore' as const) : decision
          },
        }
        await broker.plugins.load(plugin(module, (ctx) => ctx.authorizer(authorizer, sequence)))
      }
      const client = await connect({ clientId: 'c', version: 5 })
      assert.deepEqual(await subscribe(client, 'a'), [allowed ? 0 : 0x87])
      assert.deepEqual(asked, order)
    })

  test('open connections meet the new chain at their next check', async (scope) => {
    const { broker, connect } = await startBroker(scope, { aclNoMatch: 'allow' }, { record: false })
    const client = await connect({ clientId: 'c', version: 5 })
    const code = async () => Number((await publishThrough(client, 't', 'x', { qos: 1 }))[0].reasonCode ?? 0)
    assert.notEqual(await code(), 0x87)
    await broker.plugins.load(plugin('deny', (ctx) => ctx.authorizer({ name: 'deny', authorize: () => 'deny' })))
    assert.equal(await code(), 0x87)
    await broker.plugins.unload('deny')
    assert.notEqual(await code(), 0x87)
  })
})
