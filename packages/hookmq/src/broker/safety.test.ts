import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLocalAddress, requireGuard } from './safety.ts'

test('loopback addresses and Unix sockets are local, everything else is not', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1', 'localhost', '/run/hookmq.sock', './a.sock'])
    assert.equal(isLocalAddress(host), true, host)
  for (const host of [
    '0.0.0.0',
    '::',
    '10.0.0.1',
    '128.0.0.1',
    '127.evil.example',
    'broker.example',
    '',
    '::ffff:10.0.0.1',
  ])
    assert.equal(isLocalAddress(host), false, host)
})

test('an open listener needs an authenticator or an explicit word', () => {
  const nobody = { anonymousIsExplicit: false, authenticates: false }
  assert.throws(() => requireGuard('tcp:external', '0.0.0.0', nobody), {
    code: 'LISTENER_UNSAFE',
    message: /tcp:external: 0\.0\.0\.0 can be reached from other machines.*allow_anonymous = true/,
  })
  requireGuard('tcp:external', '127.0.0.1', nobody)
  requireGuard('tcp:external', '0.0.0.0', { ...nobody, anonymousIsExplicit: true })
  requireGuard('tcp:external', '0.0.0.0', { ...nobody, authenticates: true })
})
