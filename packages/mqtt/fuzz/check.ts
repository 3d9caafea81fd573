import assert from 'node:assert/strict'
import { encodeToBuffer, MqttError, type Packet } from '../src/index.ts'
import { startParser } from '../src/testing/collect.ts'
import type { Stream } from './mutate.ts'

const maximumPacketSize = 100_000

interface Outcome {
  packets: Packet[]
  reasonCode: number | undefined
}

function run({ version, from }: Stream, chunks: readonly Buffer[], pausing: boolean): Outcome {
  const { parser, collector } = startParser(version, from, true, maximumPacketSize)
  let received = 0
  let reasonCode: number | undefined
  try {
    for (const chunk of chunks) {
      received += chunk.length
      if (pausing) parser.pause()
      parser.write(chunk)
      if (pausing) parser.resume()
      assert.ok(parser.bufferedBytes <= received, 'holds more than it was given')
    }
  } catch (error) {
    if (!(error instanceof MqttError)) throw error
    reasonCode = error.reasonCode
    assert.equal(parser.bufferedBytes, 0, 'a dead parser holds bytes')
  }
  return { packets: collector.packets, reasonCode }
}

/**
 * What must hold for any bytes: nothing but an MqttError comes out, the chunks' borders and pauses make no difference, and a packet
 * that was read can be written and read again. Returns the number of packets that were read. Throws AssertionError.
 */
export function checkStream(stream: Stream): number {
  const whole = run(stream, [Buffer.concat(stream.chunks)], false)
  assert.deepEqual(run(stream, stream.chunks, false), whole, 'chunks')
  assert.deepEqual(run(stream, stream.chunks, true), whole, 'pauses')
  if (whole.packets.length > 0) {
    const opening = whole.packets[0]
    const version = opening.type === 'connect' ? opening.protocolVersion : stream.version
    // A topic with a wildcard passes the parser, which leaves it to the broker, and is refused by the encoder.
    const sound = whole.packets.filter((packet) => packet.type !== 'publish' || !/[+#]/.test(packet.topic))
    const written = sound.map((packet) => encodeToBuffer(packet, version))
    const again = run({ ...stream, version }, [Buffer.concat(written)], false)
    assert.deepEqual(again, { packets: sound, reasonCode: undefined }, 'written again')
  }
  return whole.packets.length
}
