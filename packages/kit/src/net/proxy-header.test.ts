import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { formatIPv6, type ProxyHeader, parseProxyHeader } from './proxy-header.ts'
import { ProxyReader } from './proxy-reader.ts'

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]

function version2(command: number, family: number, body: readonly number[]): Buffer {
  return Buffer.from([...SIGNATURE, command, family, body.length >> 8, body.length & 255, ...body])
}

function record(type: number, value: readonly number[]): number[] {
  return [type, value.length >> 8, value.length & 255, ...value]
}

const TCP4 = [192, 168, 1, 7, 10, 0, 0, 1, 0xdc, 0x04, 0x07, 0x5b]
const TCP4_ENDPOINTS = { peerhost: '192.168.1.7', peerport: 56324, sockhost: '10.0.0.1', sockport: 1883 }

function complete(header: ProxyHeader): ProxyHeader & { state: 'complete' } {
  assert.equal(header.state, 'complete', 'problem' in header ? header.problem : undefined)
  return header as ProxyHeader & { state: 'complete' }
}

describe('PROXY protocol, version 1', () => {
  const lines: [string, object | undefined][] = [
    ['PROXY TCP4 192.168.1.7 10.0.0.1 56324 1883', TCP4_ENDPOINTS],
    ['PROXY TCP6 2001:db8::1 ::1 1 65535', { peerhost: '2001:db8::1', peerport: 1, sockhost: '::1', sockport: 65535 }],
    ['PROXY TCP6 ::ffff:9.8.7.6 ::1 1 2', { peerhost: '9.8.7.6', peerport: 1, sockhost: '::1', sockport: 2 }],
    ['PROXY UNKNOWN', undefined],
    ['PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535', undefined],
  ]
  for (const [line, endpoints] of lines) {
    test(line, () => {
      const header = complete(parseProxyHeader(Buffer.from(`${line}\r\n\x10\x00`)))
      assert.deepEqual(header.endpoints, endpoints)
      assert.equal(header.length, line.length + 2)
    })
  }

  for (const line of [
    'GET / HTTP/1.1\r\n',
    'PROXY\r\n',
    'PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n',
    'PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n',
    `PROXY UNKNOWN ${'x'.repeat(93)}`,
    '\x10\x0c\x00\x04MQTT',
  ]) {
    test(`refuses ${JSON.stringify(line.slice(0, 50))}`, () => {
      assert.equal(parseProxyHeader(Buffer.from(line, 'latin1')).state, 'invalid')
    })
  }

  test('refuses garbage at its first byte', () => {
    assert.equal(parseProxyHeader(Buffer.from('G')).state, 'invalid')
    assert.equal(parseProxyHeader(Buffer.from('P')).state, 'incomplete')
  })
})

describe('PROXY protocol, version 2', () => {
  test('TCP over IPv4', () => {
    const header = complete(parseProxyHeader(Buffer.concat([version2(0x21, 0x11, TCP4), Buffer.from([0x10])])))
    assert.deepEqual(header.endpoints, TCP4_ENDPOINTS)
    assert.equal(header.length, 28)
    assert.equal(header.commonName, undefined)
  })

  test('TCP over IPv6, IPv4-mapped addresses as IPv4', () => {
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 9, 8, 7, 6]
    const loopback = [...Array.from({ length: 15 }, () => 0), 1]
    const header = complete(parseProxyHeader(version2(0x21, 0x21, [...mapped, ...loopback, 0, 1, 0, 2])))
    assert.deepEqual(header.endpoints, { peerhost: '9.8.7.6', peerport: 1, sockhost: '::1', sockport: 2 })
  })

  test('LOCAL, UNSPEC, datagrams and Unix sockets leave the addresses of the socket', () => {
    const unix = Array.from({ length: 216 }, () => 0)
    for (const [command, family, body] of [
      [0x20, 0x00, []],
      [0x20, 0x11, TCP4],
      [0x21, 0x00, []],
      [0x21, 0x12, TCP4],
      [0x21, 0x31, unix],
    ] as const) {
      const header = complete(parseProxyHeader(version2(command, family, body)))
      assert.equal(header.endpoints, undefined)
      assert.equal(header.length, 16 + body.length)
    }
  })

  const ssl = (client: number, verify: number, nested: number[]): number[] =>
    record(0x20, [client, 0, 0, 0, verify, ...nested])
  const name = record(0x22, [...Buffer.from('device-1')])

  test('the common name of a verified client certificate', () => {
    const body = [...TCP4, ...record(0x02, [...Buffer.from('host')]), ...ssl(0x07, 0, [...record(0x21, [49]), ...name])]
    assert.equal(complete(parseProxyHeader(version2(0x21, 0x11, body))).commonName, 'device-1')
  })

  test('no common name of a certificate that was not verified, or did not come', () => {
    for (const [client, verify] of [
      [0x07, 1],
      [0x01, 0],
    ]) {
      const header = parseProxyHeader(version2(0x21, 0x11, [...TCP4, ...ssl(client, verify, name)]))
      assert.equal(complete(header).commonName, undefined)
    }
  })

  test('refuses unknown commands and families, and lengths that do not fit', () => {
    for (const header of [
      version2(0x22, 0x11, TCP4),
      version2(0x11, 0x11, TCP4),
      version2(0x21, 0x13, TCP4),
      version2(0x21, 0x41, TCP4),
      version2(0x21, 0x11, TCP4.slice(1)),
      version2(0x21, 0x21, TCP4),
      version2(0x21, 0x11, [...TCP4, 0x02, 0x00]),
      version2(0x21, 0x11, [...TCP4, 0x02, 0x00, 0x05, 0x01]),
      version2(0x21, 0x11, [...TCP4, ...record(0x20, [1, 0, 0])]),
      version2(0x21, 0x11, [...TCP4, ...ssl(7, 0, [0x22, 0xff])]),
      Buffer.from([...SIGNATURE, 0x21, 0x11, 0xff, 0xff]),
    ]) {
      assert.equal(parseProxyHeader(header).state, 'invalid')
    }
  })
})

describe('PROXY protocol, any bytes in any pieces', () => {
  const byte = fc.integer({ min: 0, max: 255 })
  const v1 = fc
    .tuple(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 65535 }), fc.integer({ min: 0, max: 65535 }))
    .map(([peer, sock, from, to]) => Buffer.from(`PROXY TCP4 ${peer} ${sock} ${from} ${to}\r\n`))
  const v2 = fc
    .tuple(
      fc.array(byte, { minLength: 12, maxLength: 12 }),
      fc.array(fc.tuple(byte, fc.array(byte, { maxLength: 40 })), { maxLength: 4 }),
    )
    .map(([addresses, records]) =>
      version2(0x21, 0x11, [
        ...addresses,
        ...records.flatMap(([type, value]) => record(type === 0x20 ? 0x02 : type, value)),
      ]),
    )
  const cuts = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 40 })

  /** Feeds the bytes piece by piece. */
  function feed(bytes: Buffer, sizes: readonly number[]): { header: ProxyHeader; rest: Buffer } {
    const reader = new ProxyReader()
    let offset = 0
    let turn = 0
    while (true) {
      const end = Math.min(bytes.length, offset + sizes[turn % sizes.length])
      const result = reader.push(bytes.subarray(offset, end))
      if (result.header.state !== 'incomplete' || end === bytes.length) {
        return { header: result.header, rest: Buffer.concat([result.rest, bytes.subarray(end)]) }
      }
      offset = end
      turn += 1
    }
  }

  test('a valid header is the same however it is cut, and nothing behind it is lost', () => {
    fc.assert(
      fc.property(fc.oneof(v1, v2), fc.uint8Array({ maxLength: 60 }), cuts, (header, tail, sizes) => {
        const bytes = Buffer.concat([header, tail])
        const whole = complete(parseProxyHeader(bytes))
        assert.equal(whole.length, header.length)
        const fed = feed(bytes, sizes)
        assert.deepEqual(fed.header, whole)
        assert.deepEqual(fed.rest, Buffer.from(tail))
      }),
    )
  })

  test('every beginning of a valid header is incomplete', () => {
    fc.assert(
      fc.property(fc.oneof(v1, v2), fc.nat(), (header, at) => {
        assert.equal(parseProxyHeader(header.subarray(0, at % header.length)).state, 'incomplete')
      }),
    )
  })

  test('mutated headers and garbage are decided within the bound, the same whole or cut', () => {
    const mutated = fc
      .tuple(fc.oneof(v1, v2), fc.array(fc.tuple(fc.nat(), byte), { minLength: 1, maxLength: 4 }))
      .map(([header, changes]) => {
        const copy = Buffer.from(header)
        for (const [at, value] of changes) copy[at % copy.length] = value
        return copy
      })
    const garbage = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(fc.oneof(mutated, garbage), cuts, (bytes, sizes) => {
        const whole = parseProxyHeader(bytes)
        const { header } = feed(bytes, sizes)
        assert.equal(header.state, whole.state)
        // 16 KiB are the most that anybody can make the reader keep.
        const filled = parseProxyHeader(Buffer.concat([bytes, Buffer.alloc(16384)]))
        assert.notEqual(filled.state, 'incomplete')
      }),
      { numRuns: 500 },
    )
  })
})

test('IPv6 addresses are written as RFC 5952 has them', () => {
  const cases: [number[], string][] = [
    [[0, 0, 0, 0, 0, 0, 0, 0], '::'],
    [[0, 0, 0, 0, 0, 0, 0, 1], '::1'],
    [[0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], '2001:db8::'],
    [[0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], '2001:db8:0:1:1:1:1:1'],
    [[0x2001, 0, 0, 1, 0, 0, 0, 1], '2001:0:0:1::1'],
    [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], '2001:db8::1:0:0:1'],
  ]
  for (const [groups, text] of cases) {
    assert.equal(formatIPv6(Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]))), text)
  }
})
