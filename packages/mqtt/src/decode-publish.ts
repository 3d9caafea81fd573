import { isUtf8 } from 'node:buffer'
import { malformed, protocolError } from './error.ts'
import type { PublishFrame } from './frame.ts'
import type { ProtocolVersion, QoS } from './packets.ts'
import { scanProperties } from './property-decode.ts'
import { holderMask, publishFromClientMask } from './property-table.ts'
import { decodeString } from './utf8.ts'

/**
 * Fills the frame from the PUBLISH in buffer[start, end) whose fixed header ends at `body`. The frame's `buffer` is the caller's to
 * set. Throws MqttError.
 */
export function decodePublish(
  frame: PublishFrame,
  buffer: Buffer,
  start: number,
  body: number,
  end: number,
  version: ProtocolVersion,
  server: boolean,
): void {
  const first = buffer[start]
  const qos = (first >> 1) & 3
  const topicStart = body + 2
  if (topicStart > end) throw malformed('the packet ends within the topic')
  const topicEnd = topicStart + ((buffer[body] << 8) | buffer[body + 1])
  let at = topicEnd
  let packetId = 0
  let dup = (first & 8) !== 0
  if (qos !== 0) {
    // [MQTT-3.3.1-4] [MQTT-3.3.1-4 v3.1.1]
    if (qos === 3) throw malformed('PUBLISH with QoS 3')
    at += 2
    if (at > end) throw malformed('the packet ends within the topic or the packet identifier')
    packetId = (buffer[topicEnd] << 8) | buffer[topicEnd + 1]
    // [MQTT-2.2.1-3] [MQTT-2.3.1-1 v3.1.1]
    if (packetId === 0) throw malformed('the packet identifier is 0')
  } else {
    if (at > end) throw malformed('the packet ends within the topic')
    if (dup) {
      // [MQTT-3.3.1-2] [MQTT-3.3.1-2 v3.1.1]; 3.1 only says that the flag has no meaning here.
      if (version !== 3) throw malformed('PUBLISH with QoS 0 and the DUP flag')
      dup = false
    }
  }
  let propertiesStart = at
  let topicAlias = 0
  if (version === 5) {
    if (at === end) throw malformed('the packet ends within the property length')
    let length = buffer[at++]
    if (length !== 0) {
      if (length > 0x7f) {
        length &= 0x7f
        let factor = 128
        for (;;) {
          if (at === end) throw malformed('the packet ends within the property length')
          const byte = buffer[at++]
          length += (byte & 0x7f) * factor
          if (byte < 0x80) {
            // [MQTT-1.5.5-1]
            if (byte === 0) throw malformed('the property length is not in its shortest form')
            break
          }
          factor *= 128
          if (factor > 2097152) throw malformed('the property length is longer than four bytes')
        }
      }
      propertiesStart = at
      at += length
      if (at > end) throw malformed('the packet ends within the property list')
      const mask = server ? publishFromClientMask : holderMask.publish
      topicAlias = scanProperties(buffer, propertiesStart, at, mask, undefined)
    } else {
      propertiesStart = at
    }
  }
  // Only an alias can stand for a topic: 3.3.2.1. [MQTT-4.7.3-1] [MQTT-4.7.3-1 v3.1.1]
  if (topicStart === topicEnd && topicAlias === 0) throw protocolError('PUBLISH without a topic')
  frame.start = start
  frame.end = end
  frame.qos = qos as QoS
  frame.retain = (first & 1) !== 0
  frame.dup = dup
  frame.topicStart = topicStart
  frame.topicEnd = topicEnd
  frame.packetId = packetId
  frame.topicAlias = topicAlias
  frame.propertiesStart = propertiesStart
  frame.propertiesEnd = at
  frame.payloadStart = at
}

/**
 * The topic in buffer[start, end). Throws MqttError 0x81 when it is not valid UTF-8 or contains U+0000; whether it is a good
 * topic name is for `topicNameError` to say. [MQTT-3.3.2-1] [MQTT-4.7.3-2]
 */
export function decodeTopic(buffer: Buffer, start: number, end: number): string {
  return decodeString(buffer, start, end)
}

/** Whether buffer[start, end) is text, as Payload Format Indicator 1 promises. [MQTT-3.3.2-4] */
export function isUtf8Payload(buffer: Buffer, start: number, end: number): boolean {
  return isUtf8(buffer.subarray(start, end))
}
