import type { QoS } from './packets.ts'

/**
 * A PUBLISH that lies in a read buffer, as offsets: the broker's hot path reads it without allocating.
 * A frame belongs to the parser only until `PacketSink.publish` returns and is filled anew for each PUBLISH: whoever wants
 * to keep anything of it must copy before.
 *
 * Already checked when the sink sees it: sizes, flags, QoS, packet identifier, properties (well formed and allowed
 * here). Not yet checked: the topic (UTF-8, wildcards, length), so that a cache of known topics can skip it.
 */
export interface PublishFrame {
  /** The read buffer; the whole packet is buffer[start, end). */
  buffer: Buffer
  start: number
  end: number
  qos: QoS
  retain: boolean
  dup: boolean
  topicStart: number
  topicEnd: number
  /** 0 at QoS 0. */
  packetId: number
  /** 0 = none. */
  topicAlias: number
  /** The property bytes, without their length prefix; both equal for MQTT 3.x and for an empty list. */
  propertiesStart: number
  propertiesEnd: number
  /** The payload is buffer[payloadStart, end). */
  payloadStart: number
}
