import assert from 'node:assert/strict'
import test from 'node:test'
import { encodeToBuffer } from './encode.ts'
import { MqttError } from './error.ts'
import type { PublishFrame } from './frame.ts'
import type { ControlPacket, Packet } from './packets.ts'
import { PacketParser } from './parser.ts'
import { noProperties } from './property-table.ts'
import { PacketCollector, startParser } from './testing/collect.ts'
import { bytes, openings } from './testing/packet-cases.ts'

const connect = bytes(openings[4].client)

function publish(number: number, size = 5): Buffer {
  const payload = Buffer.alloc(size, 0x20)
  payload.write(String(number))
  const packet: Packet = {
    type: 'publish',
    topic: 't',
    payload,
    qos: 0,
    retain: false,
    dup: false,
    properties: noProperties,
  }
  return encodeToBuffer(packet, 4)
}

/** Numbers in the payloads, in the order of arrival. */
class NumberSink {
  readonly numbers: number[] = []
  onPublish: (number: number) => void = () => {}

  publish({ buffer, payloadStart, end }: PublishFrame): void {
    const number = Number(buffer.toString('latin1', payloadStart, end))
    this.numbers.push(number)
    this.onPublish(number)
  }

  packet(_packet: ControlPacket): void {}
}

function numbered(count: number, size = 5): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => publish(index, size)))
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

test('pause inside the sink stops after the current packet; resume goes on', () => {
  const sink = new NumberSink()
  const parser = new PacketParser(sink, { maximumPacketSize: 1000 })
  sink.onPublish = (number) => {
    if (number % 3 === 2) parser.pause()
  }
  const chunk = Buffer.concat([connect, numbered(10)])
  parser.write(chunk)
  chunk.fill(0)
  assert.deepEqual(sink.numbers, [0, 1, 2])
  assert.equal(parser.paused, true)
  assert.equal(parser.bufferedBytes, 7 * publish(0).length)
  parser.resume()
  assert.deepEqual(sink.numbers, upTo(6))
  parser.write(publish(10))
  assert.deepEqual(sink.numbers, upTo(6), 'nothing while paused')
  parser.resume()
  assert.deepEqual(sink.numbers, upTo(9))
  parser.resume()
  assert.deepEqual(sink.numbers, upTo(11))
  assert.equal(parser.bufferedBytes, 0)
})

test('resume inside the sink goes on without nesting', () => {
  const sink = new NumberSink()
  const parser = new PacketParser(sink, { maximumPacketSize: 1000 })
  let nested = 0
  let deepest = 0
  sink.onPublish = () => {
    deepest = Math.max(deepest, ++nested)
    parser.pause()
    parser.resume()
    nested--
  }
  parser.write(Buffer.concat([connect, numbered(50)]))
  assert.deepEqual(sink.numbers, upTo(50))
  assert.equal(deepest, 1)
})

test('pause with a cut packet at the end, then its rest', () => {
  for (let cut = 1; cut < publish(0).length; cut++) {
    const sink = new NumberSink()
    const parser = new PacketParser(sink, { maximumPacketSize: 1000 })
    sink.onPublish = () => parser.pause()
    const all = numbered(3)
    const at = publish(0).length * 2 + cut
    parser.write(Buffer.concat([connect, all.subarray(0, at)]))
    assert.deepEqual(sink.numbers, [0])
    parser.resume()
    parser.resume()
    assert.equal(parser.paused, false)
    assert.equal(parser.bufferedBytes, cut)
    parser.write(Buffer.concat([all.subarray(at), publish(3)]))
    assert.deepEqual(sink.numbers, [0, 1, 2])
    parser.resume()
    assert.deepEqual(sink.numbers, [0, 1, 2, 3])
  }
})

test('a write from inside the sink comes after the bytes that are being parsed', () => {
  const sink = new NumberSink()
  const parser = new PacketParser(sink, { maximumPacketSize: 1000 })
  sink.onPublish = (number) => {
    if (number === 0) {
      parser.write(publish(4).subarray(0, 3))
      parser.write(publish(4).subarray(3))
    }
    if (number === 4) parser.write(publish(5))
  }
  parser.write(connect)
  parser.write(numbered(4))
  assert.deepEqual(sink.numbers, upTo(6))
  assert.equal(parser.bufferedBytes, 0)
})

test('a write from inside the sink joins a packet that was cut', () => {
  const sink = new NumberSink()
  const parser = new PacketParser(sink, { maximumPacketSize: 1000 })
  const all = numbered(4)
  const cut = all.length - 4
  sink.onPublish = (number) => {
    if (number === 1) parser.write(all.subarray(cut))
  }
  parser.write(connect)
  parser.write(all.subarray(0, cut))
  assert.deepEqual(sink.numbers, upTo(4))
})

test('a sink that feeds another parser keeps its own frame', () => {
  const inner = new NumberSink()
  const innerParser = new PacketParser(inner, { maximumPacketSize: 1000 })
  innerParser.write(connect)
  const seen: string[] = []
  const parser = new PacketParser(
    {
      publish(frame) {
        const before = JSON.stringify({ ...frame, buffer: undefined })
        const { buffer } = frame
        innerParser.write(publish(7, 30))
        assert.equal(JSON.stringify({ ...frame, buffer: undefined }), before)
        assert.equal(frame.buffer, buffer)
        seen.push(before)
      },
      packet() {},
    },
    { maximumPacketSize: 1000 },
  )
  parser.write(Buffer.concat([connect, numbered(3)]))
  assert.equal(seen.length, 3)
  assert.deepEqual(inner.numbers, [7, 7, 7])
})

test('stop inside the sink: no further packet, bytes are ignored', () => {
  const sink = new NumberSink()
  const parser = new PacketParser(sink, { maximumPacketSize: 1000 })
  sink.onPublish = (number) => {
    if (number === 1) parser.stop()
  }
  parser.write(Buffer.concat([connect, numbered(5)]))
  parser.write(publish(9))
  assert.deepEqual(sink.numbers, [0, 1])
  assert.equal(parser.bufferedBytes, 0)
})

test('after an error the parser is dead', () => {
  const sink = new NumberSink()
  const parser = new PacketParser(sink, { maximumPacketSize: 1000 })
  assert.throws(() => parser.write(Buffer.concat([connect, publish(0), bytes('36 00'), publish(1)])), MqttError)
  parser.write(publish(2))
  assert.deepEqual(sink.numbers, [0])
  assert.equal(parser.bufferedBytes, 0)
})

test('an error of the sink reaches the caller, and the next parser works', () => {
  const sink = new NumberSink()
  const parser = new PacketParser(sink, { maximumPacketSize: 1000 })
  sink.onPublish = () => {
    throw new RangeError('bug')
  }
  assert.throws(() => parser.write(Buffer.concat([connect, publish(0)])), RangeError)
  sink.onPublish = () => {}
  parser.write(publish(1))
  assert.deepEqual(sink.numbers, [0])
  const next = new NumberSink()
  new PacketParser(next, { maximumPacketSize: 1000 }).write(Buffer.concat([connect, publish(2)]))
  assert.deepEqual(next.numbers, [2])
})

test('a packet at the limit passes, one byte more is refused as soon as its length is known [MQTT-3.1.2-24]', () => {
  for (const size of [20, 127, 128, 129, 200, 20_000]) {
    const packet = publish(3, size)
    const { parser, collector } = startParser(4, 'client', false, packet.length)
    parser.write(packet)
    assert.equal(collector.packets.length, 1)

    for (const cut of [2, packet.length]) {
      const { parser: strict } = startParser(4, 'client', false, Math.max(packet.length - 1, 17))
      const headerLength = size + 3 < 128 ? 2 : size + 3 < 16384 ? 3 : 4
      strict.write(packet.subarray(0, 1))
      assert.throws(
        () => strict.write(packet.subarray(1, Math.max(cut, headerLength))),
        (error) => error instanceof MqttError && error.reasonCode === 0x95,
      )
    }
  }
})

test('the limit may change while packets come in', () => {
  const { parser } = startParser(4, 'client', false, 1000)
  parser.write(publish(1, 500))
  parser.maximumPacketSize = 100
  assert.throws(
    () => parser.write(publish(1, 500)),
    (error) => error instanceof MqttError && error.reasonCode === 0x95,
  )
})

test('a declared length allocates nothing; what arrives is all that is held', () => {
  const { parser } = startParser(4, 'client', false)
  const before = process.memoryUsage().arrayBuffers
  const parsers = Array.from({ length: 200 }, () => {
    const one = startParser(4, 'client', false).parser
    one.write(bytes('30 ffffff7f 0001'))
    return one
  })
  parser.write(bytes('30 ffffff7f 0001'))
  assert.equal(parser.bufferedBytes, 7)
  // 200 declared 256 MiB each; a few slabs of the buffer pool are all that they get.
  assert.ok(process.memoryUsage().arrayBuffers - before < 4 * 1024 * 1024)
  assert.equal(parsers.length, 200)
})

test('a large packet in many small pieces is copied a bounded number of times', () => {
  const size = 1024 * 1024
  const packet = publish(5, size)
  const { parser, collector } = startParser(4, 'client', false)
  let copied = 0
  const copy = Buffer.prototype.copy
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>) {
    const count = copy.apply(this, args)
    copied += count
    return count
  } as typeof copy
  try {
    for (let at = 0; at < packet.length; at += 100) parser.write(packet.subarray(at, at + 100))
  } finally {
    Buffer.prototype.copy = copy
  }
  assert.equal(collector.packets.length, 1)
  // Once each byte as it arrives and, because the buffer doubles, at most twice more.
  assert.ok(copied >= packet.length && copied < 4 * packet.length, `${copied} bytes copied`)
})

test('packets kept by pauses are copied a bounded number of times', () => {
  const sink = new NumberSink()
  const parser = new PacketParser(sink, { maximumPacketSize: 1000 })
  parser.write(connect)
  sink.onPublish = () => parser.pause()
  const count = 2000
  const all = numbered(count)
  let copied = 0
  const copy = Buffer.prototype.copy
  Buffer.prototype.copy = function (this: Buffer, ...args: Parameters<typeof copy>) {
    const number = copy.apply(this, args)
    copied += number
    return number
  } as typeof copy
  try {
    parser.write(all)
    for (let turn = 1; turn < count; turn++) parser.resume()
  } finally {
    Buffer.prototype.copy = copy
  }
  assert.deepEqual(sink.numbers, upTo(count))
  assert.ok(copied < 2 * all.length, `${copied} bytes copied`)
})

test('an unsupported version says which one was asked for', () => {
  const cases = [
    ['10 | "MQTT" 06 02 003c {} "a"', 6],
    ['10 | "MQTT" 03 02 003c "a"', 3],
    ['10 | "MQIsdp" 04 02 003c "a"', 4],
    ['10 | "NOPE" 04 02 003c "a"', undefined],
  ] as const
  for (const [wire, version] of cases) {
    const parser = new PacketParser(new PacketCollector(), { maximumPacketSize: 1000 })
    assert.throws(
      () => parser.write(bytes(wire)),
      (error) => error instanceof MqttError && error.reasonCode === 0x84 && error.protocolVersion === version,
    )
  }
})

test('a wrong first byte is refused before anything follows', () => {
  for (const wire of ['30', '00', 'f0', 'c0', '11']) {
    const parser = new PacketParser(new PacketCollector(), { maximumPacketSize: 1000 })
    assert.throws(() => parser.write(bytes(wire)), MqttError)
  }
})

test('the frame names where each part of the packet lies', () => {
  const parser = new PacketParser(
    {
      publish(frame) {
        const text = (start: number, end: number) => frame.buffer.toString('latin1', start, end)
        assert.equal(text(frame.topicStart, frame.topicEnd), 'topic')
        assert.equal(text(frame.propertiesStart, frame.propertiesEnd), '\x23\x00\x09\x03\x00\x01t')
        assert.equal(text(frame.payloadStart, frame.end), 'payload')
        assert.equal(frame.end - frame.start, 26)
        assert.deepEqual(
          [frame.qos, frame.retain, frame.dup, frame.packetId, frame.topicAlias],
          [1, true, true, 0x0102, 9],
        )
        frames++
      },
      packet() {},
    },
    { maximumPacketSize: 1000 },
  )
  let frames = 0
  parser.write(bytes(openings[5].client))
  parser.write(bytes(`3b | "topic" 0102 { 23 0009 03 "t" } 'payload'`))
  assert.equal(frames, 1)
})

for (const version of [3, 4, 5] as const) {
  test(`a sink that takes PUBACKs by themselves gets the same as another one (${version})`, () => {
    const stream = Buffer.concat([
      Buffer.from([0x40, 2, 0, 1, 0x40, 2, 0xff, 0xff, 0x50, 2, 0, 2, 0x62, 2, 0, 3, 0x70, 2, 0, 4]),
      version === 5 ? Buffer.from([0x40, 3, 0, 5, 0x10, 0x40, 4, 0, 6, 0, 0]) : Buffer.alloc(0),
      Buffer.from([0x40, 0x82, 0, 0, 7].slice(0, version === 5 ? 0 : 5)),
      Buffer.from([0x40, 2, 0, 8, 0xc0, 0]),
    ])
    for (let size = 1; size <= stream.length; size++) {
      const { parser, collector } = startParser(version, 'client', false)
      const one = startParser(version, 'client', false)
      Object.assign(one.collector, {
        puback(packetId: number) {
          one.collector.packets.push({ type: 'puback', packetId, reasonCode: 0, properties: noProperties })
        },
      })
      for (let at = 0; at < stream.length; at += size) {
        parser.write(stream.subarray(at, at + size))
        one.parser.write(stream.subarray(at, at + size))
      }
      assert.deepEqual(one.collector.packets, collector.packets)
      assert.equal(collector.packets.length, version === 5 ? 9 : 8)
    }
    for (const broken of [
      [0x40, 2, 0, 0],
      [0x41, 2, 0, 1],
    ]) {
      // MQTT 3.1 says of these flags that they are not used.
      if (version === 3 && broken[0] === 0x41) continue
      const { parser, collector } = startParser(version, 'client', false)
      Object.assign(collector, { puback: () => assert.fail('is broken') })
      assert.throws(() => parser.write(Buffer.from(broken)), MqttError)
    }
  })
}
