import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isLoopback, readAddressRange, readHostAndPort, readPort } from './address.ts'
import { readByteSize, readDuration, readFlag, readInteger, readPercent, readRate } from './values.ts'

function table<T>(name: string, read: (text: string) => T, cases: Record<string, T>): void {
  describe(name, () => {
    for (const [text, expected] of Object.entries(cases)) {
      it(`${JSON.stringify(text)} is ${JSON.stringify(expected)}`, () => assert.deepEqual(read(text), expected))
    }
  })
}

const seconds = (text: string): number | undefined => readDuration(text, 1000)

table<number | undefined>('integer', readInteger, {
  '8': 8,
  '-3': -3,
  '+4': 4,
  '1.5': undefined,
  '1e3': undefined,
  '': undefined,
  '99999999999999999': undefined,
})

table<boolean | undefined>('flag', readFlag, {
  on: true,
  off: false,
  true: true,
  false: false,
  yes: undefined,
  '1': undefined,
})

table<number | undefined>('duration in milliseconds', readDuration, {
  '30s': 30_000,
  '5m': 300_000,
  '1h30m': 5_400_000,
  '1.5m': 90_000,
  '.5s': 500,
  '1.5999s': 1600,
  '1.1s': 1100,
  '2.3456s': 2346,
  '1f': 14 * 86_400_000,
  '1w2d': 9 * 86_400_000,
  '10MS': 10,
  '1H': 3_600_000,
  '0s': 0,
  '0': 0,
  '60': undefined,
  '': undefined,
  s: undefined,
  '5 m': undefined,
  '1.s': undefined,
  '-1s': undefined,
  '1y': undefined,
  '99999999999999999999w': undefined,
})

table<number | undefined>('duration of a key in seconds', seconds, {
  '1m29s1000ms': 90_000,
  '1ms': 1000,
  '1.5s': 2000,
  '2h': 7_200_000,
})

describe('a bare number as duration', () => {
  it('counts in the unit of the key', () => {
    assert.equal(readDuration('60', 1000, true), 60_000)
    assert.equal(readDuration('60', 1, true), 60)
  })
})

table<number | undefined>('byte size', readByteSize, {
  '64KB': 65_536,
  '2KB': 2048,
  '2kb': 2048,
  '1MB': 1_048_576,
  '1gb': 1_073_741_824,
  '512': 512,
  '0': 0,
  '10MB10kb': undefined,
  '1Kb': undefined,
  '1 MB': undefined,
  '1.5MB': undefined,
  '-1': undefined,
  KB: undefined,
})

table<number | undefined>('percent', readPercent, {
  '80%': 0.8,
  '0%': 0,
  '100%': 1,
  '101%': undefined,
  '80': undefined,
})

table<unknown>('rate', readRate, {
  '100,10s': { rate: 10, burst: 100 },
  '100, 10s': { rate: 10, burst: 100 },
  '50/s': { rate: 50, burst: 50 },
  '600/m': { rate: 10, burst: 600 },
  '50': { rate: 50, burst: 50 },
  '0': { rate: 0, burst: 0 },
  '10,0s': undefined,
  abc: undefined,
  '1KB,1s': undefined,
  ',1s': undefined,
})

describe('rate of bytes', () => {
  it('takes sizes', () => assert.deepEqual(readRate('100KB,10s', readByteSize), { rate: 10_240, burst: 102_400 }))
})

table<unknown>('host and port', readHostAndPort, {
  '127.0.0.1:3306': { host: '127.0.0.1', port: 3306 },
  '[::1]:1883': { host: '::1', port: 1883 },
  '::1:1883': { host: '::1', port: 1883 },
  '0.0.0.0:0': { host: '0.0.0.0', port: 0 },
  '127.0.0.1': undefined,
  '127.0.0.1:65536': undefined,
  '127.0.0.1:': undefined,
  'localhost:1883': undefined,
  ':1883': undefined,
  '[127.0.0.1]:1': undefined,
  '300.0.0.1:1': undefined,
})

table<number | undefined>('port', readPort, {
  '1883': 1883,
  '0': 0,
  '65535': 65_535,
  '65536': undefined,
  abc: undefined,
})

table<boolean>('loopback', isLoopback, {
  '127.0.0.1': true,
  '127.8.9.1': true,
  '::1': true,
  '0:0:0:0:0:0:0:1': true,
  '::ffff:127.0.0.1': true,
  '0.0.0.0': false,
  '::': false,
  '::ffff:10.0.0.1': false,
  '7f00::1': false,
  '192.168.1.1': false,
  localhost: false,
})

describe('address range', () => {
  const cases: [range: string, inside: string[], outside: string[]][] = [
    ['127.0.0.1', ['127.0.0.1', '::ffff:127.0.0.1', '::ffff:7f00:1'], ['127.0.0.2', '::1', '', 'x']],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'], ['11.0.0.0', '9.255.255.255', 'a00::']],
    ['192.168.1.77/24', ['192.168.1.0', '192.168.1.255'], ['192.168.2.0']],
    ['0.0.0.0/0', ['1.2.3.4', '255.255.255.255'], ['::1', '1.2.3', '1.2.3.04', '1.2.3.4.5', '256.1.1.1']],
    ['255.255.255.255/32', ['255.255.255.255'], ['255.255.255.254']],
    ['::1', ['::1', '0:0:0:0:0:0:0:1'], ['::2', '127.0.0.1']],
    ['fe80::/10', ['fe80::1', 'febf::', 'fe80::1%eth0'], ['fec0::', '10.0.0.1']],
    ['2001:db8::/33', ['2001:db8:7fff::'], ['2001:db8:8000::']],
    ['::/0', ['::1', 'ffff::'], ['10.0.0.1', '::ffff:10.0.0.1']],
    ['::ffff:10.0.0.0/104', ['10.2.3.4'], ['11.0.0.0']],
  ]
  for (const [text, inside, outside] of cases) {
    it(text, () => {
      const range = readAddressRange(text)
      assert.ok(range)
      for (const address of inside) assert.equal(range.contains(address), true, `${address} is in ${text}`)
      for (const address of outside) assert.equal(range.contains(address), false, `${address} is not in ${text}`)
    })
  }
  for (const text of ['', 'all', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0/8', 'host.example', '1.2.3.4/-1']) {
    it(`${JSON.stringify(text)} is not one`, () => assert.equal(readAddressRange(text), undefined))
  }

  it('agrees with arithmetic on every prefix length', () => {
    const byte = fc.integer({ min: 0, max: 255 })
    const address = fc.tuple(byte, byte, byte, byte)
    const bits = (parts: readonly number[]): string => parts.map((part) => part.toString(2).padStart(8, '0')).join('')
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), fc.nat(32), (network, other, length, keep) => {
        // Half of the addresses share a prefix with the network, or nearly all would lie outside.
        const mixed = (bits(network).slice(0, keep) + bits(other).slice(keep)).match(/.{8}/g) ?? []
        const near = mixed.map((part) => Number.parseInt(part, 2))
        const range = readAddressRange(`${network.join('.')}/${length}`)
        assert.equal(range?.contains(near.join('.')), bits(near).slice(0, length) === bits(network).slice(0, length))
      }),
    )
  })
})
