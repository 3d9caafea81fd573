import { decodeTopic } from '../decode-publish.ts'
import type { Packet, ProtocolVersion } from '../packets.ts'
import { PacketParser, type PacketSink } from '../parser.ts'
import { decodeProperties } from '../property-decode.ts'
import { bytes } from './notation.ts'
import { openings } from './packet-cases.ts'

/** A sink that turns every packet into a value: for tests, not for speed. */
export class PacketCollector implements PacketSink {
  readonly packets: Packet[] = []

  publish(frame: Parameters<PacketSink['publish']>[0]): void {
    const { buffer } = frame
    this.packets.push({
      type: 'publish',
      topic: decodeTopic(buffer, frame.topicStart, frame.topicEnd),
      payload: Buffer.from(buffer.subarray(frame.payloadStart, frame.end)),
      qos: frame.qos,
      retain: frame.retain,
      dup: frame.dup,
      packetId: frame.qos === 0 ? undefined : frame.packetId,
      properties: decodeProperties(buffer, frame.propertiesStart, frame.propertiesEnd, 'publish'),
    })
  }

  packet(packet: Packet): void {
    this.packets.push(packet)
  }
}

/** A parser of the side that receives from `from`, fed with the opening packet unless `opening`. */
export function startParser(
  version: ProtocolVersion,
  from: 'client' | 'server',
  opening: boolean,
  maximumPacketSize = Number.POSITIVE_INFINITY,
): { parser: PacketParser; collector: PacketCollector } {
  const collector = new PacketCollector()
  const role = from === 'client' ? 'server' : 'client'
  const parser = new PacketParser(collector, { maximumPacketSize, role })
  if (role === 'client') parser.version = version
  if (!opening) {
    parser.write(bytes(openings[version][from]))
    collector.packets.length = 0
  }
  return { parser, collector }
}
