import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Credential, KeyValueStore } from '@hookmq/api'
import { Accounts, accountAuthenticator, TooManyWaiting, Turns } from './index.ts'
import { KnownPasswords } from './known.ts'

/** A store that counts what it is asked for. */
function memoryStore(): KeyValueStore & { readonly values: Map<string, unknown>; reads: number } {
  const values = new Map<string, unknown>()
  return {
    values,
    reads: 0,
    async get(key) {
      this.reads++
      return values.get(key)
    },
    async put(key, value) {
      values.set(key, structuredClone(value))
    },
    async delete(key) {
      return values.delete(key)
    },
    async *list(prefix = '') {
      for (const [key, value] of values) if (key.startsWith(prefix)) yield [key, value] as const
    },
  }
}

const password = (text: string): Buffer => Buffer.from(text)

const credential = (fields: Partial<Credential>): Credential => ({
  clientId: 'c',
  protocol: 'mqtt',
  protocolVersion: 5,
  listener: 'tcp:external',
  peerhost: '127.0.0.1',
  peerport: 1,
  sockport: 1883,
  mountpoint: '',
  superuser: false,
  anonymous: false,
  bridge: false,
  attributes: {},
  step: 'connect',
  ...fields,
})

describe('accounts', () => {
  it('two adds of one name at the same time: one is told that it existed', async () => {
    const accounts = new Accounts({ store: memoryStore() })
    const outcomes = await Promise.all([accounts.add('ann', 'a'), accounts.add('ann', 'b')])
    assert.deepEqual(outcomes, ['ok', 'existed'])
    assert.equal(await accounts.check('ann', password('a')), 'right')
    assert.equal(await accounts.check('ann', password('b')), 'wrong')
  })

  it('more checks than may wait are turned away, and the client is told that the server is busy', async () => {
    const store = memoryStore()
    await new Accounts({ store }).add('ann', 'apple')
    const accounts = new Accounts({ store, atOnce: 1, waiting: 1 })
    const attempts = ['x', 'y', 'z'].map((text) => accounts.check('ann', password(text)))
    const outcomes = await Promise.allSettled(attempts)
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected'],
    )
    assert.ok((outcomes[2] as PromiseRejectedResult).reason instanceof TooManyWaiting)

    const none = accountAuthenticator('a', new Accounts({ store, atOnce: 1, waiting: 0 }), ({ username }) => username)
    const ask = (text: string) => none.authenticate(credential({ username: 'ann', password: password(text) }))
    const [first, second] = await Promise.all([ask('apple'), ask('other')])
    assert.deepEqual(first, { result: 'allow' })
    assert.deepEqual(second, { result: 'deny', reasonCode: 0x89 })
  })

  it('leaves enhanced authentication to others', () => {
    const accounts = new Accounts({ store: memoryStore() })
    const authenticator = accountAuthenticator('a', accounts, ({ clientId }) => clientId)
    assert.deepEqual(authenticator.authenticate(credential({ authenticationMethod: 'SCRAM-SHA-256' })), {
      result: 'ignore',
    })
    assert.deepEqual(authenticator.authenticate(credential({})), { result: 'deny', reasonCode: 0x86 })
  })

  it('what lies in the store and is no account is nobody', async () => {
    const store = memoryStore()
    store.values.set('account/ann', { hash: 3 })
    const accounts = new Accounts({ store })
    assert.equal(await accounts.check('ann', password('3')), 'unknown')
    assert.equal(await accounts.add('ann', 'apple'), 'ok')
  })

  it('keep stops when it is told to, and what is left stays in force', async () => {
    const store = memoryStore()
    const accounts = new Accounts({ store })
    await accounts.configure(
      new Map([
        ['ann', 'apple'],
        ['bob', 'banana'],
      ]),
      true,
    )
    await accounts.keep(AbortSignal.abort())
    assert.equal(store.values.size, 0)
    assert.deepEqual(await accounts.names(), ['ann', 'bob'])
    assert.equal(await accounts.check('bob', password('banana')), 'right')
    await accounts.keep(new AbortController().signal)
    assert.deepEqual([...store.values.keys()], ['account/ann', 'account/bob'])
    assert.equal(await accounts.check('bob', password('banana')), 'right')
    assert.equal(await accounts.delete('bob'), true)
    assert.equal(await accounts.delete('bob'), false)
    assert.equal(await accounts.check('bob', password('banana')), 'unknown')
  })
})

describe('known passwords', () => {
  it('are known for the stored text that they were right for, and for no other', () => {
    const known = new KnownPasswords(2)
    known.remember('ann', 'hash', password('apple'))
    assert.equal(known.has('ann', 'hash', password('apple')), true)
    assert.equal(known.has('ann', 'hash', password('pear')), false)
    assert.equal(known.has('ann', 'other', password('apple')), false)
    assert.equal(known.has('bob', 'hash', password('apple')), false)
    // Where the stored text ends and the password begins is part of the digest.
    assert.equal(known.has('ann', 'has', password('happle')), false)
    known.remember('bob', 'hash', password('b'))
    known.remember('cid', 'hash', password('c'))
    assert.equal(known.has('ann', 'hash', password('apple')), false, 'the oldest goes')
    assert.equal(known.has('cid', 'hash', password('c')), true)
  })
})

describe('turns', () => {
  it('run so many at once, in order, and a failure frees its place', async () => {
    const turns = new Turns(2, 10)
    const log: string[] = []
    let running = 0
    const job = (name: string, fails = false) =>
      turns.run(async () => {
        running++
        assert.ok(running <= 2)
        log.push(name)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        if (fails) throw new Error(name)
      })
    const outcomes = await Promise.allSettled([job('a', true), job('b'), job('c', true), job('d'), job('e')])
    assert.deepEqual(log, ['a', 'b', 'c', 'd', 'e'])
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ['rejected', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    )
    await job('f')
  })
})
