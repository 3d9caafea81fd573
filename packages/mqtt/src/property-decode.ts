import { malformed, protocolError } from './error.ts'
import type { Properties } from './packets.ts'
import { holderMask, noProperties, type PropertyHolder, PropertyType, propertiesById } from './property-table.ts'
import { checkUtf8, decodeString } from './utf8.ts'

/**
 * Checks the property list in buffer[start, end) and, when `target` is given, adds what it holds. Bytes are copied. Returns the
 * topic alias, 0 when there is none. Throws MqttError 0x81 for bytes that do not fit the format, 0x82 for
 * a property that is repeated or has a value that it may not have.
 */
export function scanProperties(
  buffer: Buffer,
  start: number,
  end: number,
  mask: number,
  target: Properties | undefined,
): number {
  let at = start
  let seen = 0
  let topicAlias = 0
  const values = target as Record<string, unknown> | undefined
  while (at < end) {
    // Every identifier that exists is below 128, so its variable byte integer has one byte.
    const id = buffer[at++]
    const property = id < 128 ? propertiesById[id] : undefined
    // A property identifier not valid for its packet type is malformed: 2.2.2.2.
    if (property === undefined) throw malformed(`there is no property 0x${id.toString(16).padStart(2, '0')}`)
    if ((property.holders & mask) === 0) {
      // [MQTT-3.3.4-6]
      throw id === 0x0b && (mask & 4) !== 0
        ? protocolError('a client may not send a Subscription Identifier in PUBLISH')
        : malformed(`property ${property.name} is not allowed in this packet`)
    }
    if ((property.bit & seen) !== 0) {
      // A server puts one identifier per matching subscription in PUBLISH; SUBSCRIBE has one. [MQTT-3.3.4-4]
      if (id !== 0x0b || (mask & holderMask.publish) === 0) throw protocolError(`property ${property.name} is repeated`)
    }
    seen |= property.bit

    switch (property.type) {
      case PropertyType.Flag: {
        if (at + 1 > end) throw truncated(property.name)
        const value = buffer[at]
        if (value > 1) throw protocolError(`property ${property.name} must be 0 or 1`)
        if (values !== undefined) values[property.name] = value
        at += 1
        break
      }
      case PropertyType.TwoByte: {
        if (at + 2 > end) throw truncated(property.name)
        const value = (buffer[at] << 8) | buffer[at + 1]
        if (value === 0 && property.nonZero) {
          // Topic Alias 0 [MQTT-3.3.2-8]; Receive Maximum 0: 3.1.2.11.3.
          throw protocolError(`property ${property.name} may not be 0`)
        }
        if (id === 0x23) topicAlias = value
        if (values !== undefined) values[property.name] = value
        at += 2
        break
      }
      case PropertyType.FourByte: {
        if (at + 4 > end) throw truncated(property.name)
        const value = buffer[at] * 0x1000000 + ((buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3])
        if (value === 0 && property.nonZero) throw protocolError(`property ${property.name} may not be 0`)
        if (values !== undefined) values[property.name] = value
        at += 4
        break
      }
      case PropertyType.VariableInteger: {
        let value = 0
        let factor = 1
        for (;;) {
          if (at >= end) throw truncated(property.name)
          const byte = buffer[at++]
          value += (byte & 0x7f) * factor
          if (byte < 0x80) {
            // [MQTT-1.5.5-1]
            if (byte === 0 && factor > 1) throw malformed(`property ${property.name} is not in its shortest form`)
            break
          }
          factor *= 128
          if (factor > 2097152) throw malformed(`property ${property.name} is longer than four bytes`)
        }
        if (value === 0) throw protocolError(`property ${property.name} may not be 0`)
        if (values !== undefined) {
          const list = values[property.name] as number[] | undefined
          if (list === undefined) values[property.name] = [value]
          else list.push(value)
        }
        break
      }
      case PropertyType.Binary: {
        const from = at + 2
        if (from > end) throw truncated(property.name)
        at = from + ((buffer[at] << 8) | buffer[at + 1])
        if (at > end) throw truncated(property.name)
        if (values !== undefined) values[property.name] = Buffer.from(buffer.subarray(from, at))
        break
      }
      case PropertyType.String: {
        const from = at + 2
        if (from > end) throw truncated(property.name)
        at = from + ((buffer[at] << 8) | buffer[at + 1])
        if (at > end) throw truncated(property.name)
        if (property.topic) checkResponseTopic(buffer, from, at)
        if (values !== undefined) values[property.name] = decodeString(buffer, from, at)
        else checkUtf8(buffer, from, at)
        break
      }
      default: {
        const from = at + 2
        if (from > end) throw truncated(property.name)
        const nameEnd = from + ((buffer[at] << 8) | buffer[at + 1])
        const valueFrom = nameEnd + 2
        if (valueFrom > end) throw truncated(property.name)
        at = valueFrom + ((buffer[nameEnd] << 8) | buffer[nameEnd + 1])
        if (at > end) throw truncated(property.name)
        // [MQTT-1.5.7-1]
        if (values !== undefined) {
          const pair = [decodeString(buffer, from, nameEnd), decodeString(buffer, valueFrom, at)]
          const list = values[property.name] as string[][] | undefined
          if (list === undefined) values[property.name] = [pair]
          else list.push(pair)
        } else {
          checkUtf8(buffer, from, nameEnd)
          checkUtf8(buffer, valueFrom, at)
        }
      }
    }
  }
  return topicAlias
}

function truncated(name: string) {
  return malformed(`property ${name} runs past the end of the property list`)
}

/** [MQTT-3.3.2-14] and, being a topic name, at least one character. */
function checkResponseTopic(buffer: Buffer, start: number, end: number): void {
  if (start === end) throw protocolError('property responseTopic is empty')
  for (let at = start; at < end; at++) {
    if (buffer[at] === 0x2b || buffer[at] === 0x23) throw protocolError('property responseTopic contains a wildcard')
  }
}

/**
 * The properties in buffer[start, end) (without the length that stands before them) as an object. Checks them again, so it is
 * safe on any bytes; byte values are copies. Throws MqttError 0x81 or 0x82.
 */
export function decodeProperties(buffer: Buffer, start: number, end: number, holder: PropertyHolder): Properties {
  if (start >= end) return noProperties
  const properties: Properties = {}
  scanProperties(buffer, start, end, holderMask[holder], properties)
  return properties
}
