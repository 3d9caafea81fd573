import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatAddress, normalizeAddress, parseListenAddress } from './address.ts'
import { ConnectionGate } from './connection-gate.ts'
import { canShareReads } from './shared-read.ts'
import { TokenBucket } from './token-bucket.ts'

describe('addresses', () => {
  test('IPv4-mapped IPv6 becomes IPv4, everything else stays', () => {
    assert.equal(normalizeAddress('::ffff:10.1.2.3'), '10.1.2.3')
    assert.equal(normalizeAddress('::ffff:a01:203'), '10.1.2.3')
    assert.equal(normalizeAddress('::FFFF:ffff:1'), '255.255.0.1')
    for (const address of ['10.1.2.3', '::1', 'fe80::1%eth0', '::ffff:1:2:3', '2001:db8::ffff:1.2.3.4']) {
      assert.equal(normalizeAddress(address), address)
    }
  })

  test('texts are read and written', () => {
    const cases: [string, object, string][] = [
      ['1883', { host: '127.0.0.1', port: 1883 }, '127.0.0.1:1883'],
      ['0.0.0.0:1883', { host: '0.0.0.0', port: 1883 }, '0.0.0.0:1883'],
      ['localhost:0', { host: 'localhost', port: 0 }, 'localhost:0'],
      ['[::1]:8883', { host: '::1', port: 8883 }, '[::1]:8883'],
      ['/run/mqtt.sock', { path: '/run/mqtt.sock' }, '/run/mqtt.sock'],
      ['unix:data/mqtt.sock', { path: 'data/mqtt.sock' }, 'data/mqtt.sock'],
    ]
    for (const [text, address, written] of cases) {
      assert.deepEqual(parseListenAddress(text), address)
      assert.equal(formatAddress(parseListenAddress(text)), written)
    }
  })

  test('what is no address is named with the forms that are', () => {
    for (const text of ['', 'host', ':1883', '1.2.3.4:', '1.2.3.4:65536', '::1:1883', '1.2.3.4:x', '[::1]']) {
      assert.throws(() => parseListenAddress(text), {
        message: new RegExp(`^"${text.replace(/[[\].]/g, '\\$&')}" is not an address.*host:port`),
      })
    }
  })
})

describe('TokenBucket', () => {
  test('a burst at once, then the rate, never more than the burst', () => {
    let now = 0
    const bucket = new TokenBucket(10, 3, () => now)
    const taken = (): number => {
      let count = 0
      while (bucket.take()) count += 1
      return count
    }
    assert.equal(taken(), 3)
    now = 99
    assert.equal(taken(), 0)
    now = 100
    assert.equal(taken(), 1)
    now = 10_000
    assert.equal(taken(), 3)
    // A clock that goes back gives nothing and takes nothing.
    now = 9_000
    assert.equal(taken(), 0)
    now = 10_100
    assert.equal(taken(), 1)
  })
})

describe('ConnectionGate', () => {
  test('without limits everybody is let in and counted', () => {
    const gate = new ConnectionGate({})
    for (let index = 0; index < 1000; index += 1) assert.ok(gate.enter() && gate.enterAddress('10.0.0.1'))
    assert.equal(gate.current, 1000)
  })

  test('an address has its own limit', () => {
    const gate = new ConnectionGate({ maxConnectionsPerAddress: 2 })
    assert.ok(gate.enterAddress('a'))
    assert.ok(gate.enterAddress('a'))
    assert.ok(!gate.enterAddress('a'))
    assert.ok(gate.enterAddress('b'))
    gate.leaveAddress('a')
    assert.ok(gate.enterAddress('a'))
    assert.equal(gate.refused.maxConnectionsPerAddress, 1)
  })

  test('a refused connection takes no token', () => {
    const gate = new ConnectionGate({ maxConnections: 1, maxConnectRate: 2 }, () => 0)
    assert.ok(gate.enter())
    assert.ok(!gate.enter())
    gate.leave()
    assert.ok(gate.enter())
    gate.leave()
    assert.ok(!gate.enter())
    assert.deepEqual([gate.refused.maxConnections, gate.refused.maxConnectRate], [1, 1])
  })
})

test('this Node shares a read buffer', { skip: process.platform === 'win32' && 'never on Windows' }, async () => {
  assert.equal(await canShareReads(), true)
})
