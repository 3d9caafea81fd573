import type { Properties } from './packets.ts'
import {
  holderMask,
  type PropertyDescription,
  type PropertyHolder,
  PropertyType,
  propertiesByName,
} from './property-table.ts'
import { type ByteWriter, variableIntegerSize } from './writer.ts'

/** Bytes of the property list without the length before it. Values are not checked. */
export function propertiesSize(properties: Properties): number {
  let size = 0
  for (const name in properties) {
    const value = properties[name as keyof Properties]
    const property = propertiesByName.get(name)
    if (value === undefined || property === undefined) continue
    switch (property.type) {
      case PropertyType.Flag:
        size += 2
        break
      case PropertyType.TwoByte:
        size += 3
        break
      case PropertyType.FourByte:
        size += 5
        break
      case PropertyType.VariableInteger:
        for (const identifier of value as readonly number[]) size += 1 + variableIntegerSize(identifier)
        break
      case PropertyType.String:
        size += 3 + Buffer.byteLength(value as string)
        break
      case PropertyType.Binary:
        size += 3 + (value as Uint8Array).length
        break
      default:
        for (const pair of value as readonly (readonly [string, string])[]) {
          size += 5 + Buffer.byteLength(pair[0]) + Buffer.byteLength(pair[1])
        }
    }
  }
  return size
}

/**
 * Appends the property list without the length before it, in the order of the object's keys. Undefined values are skipped.
 * Throws TypeError for a property that the packet may not carry or a value that does not fit.
 */
export function encodeProperties(writer: ByteWriter, properties: Properties, holder: PropertyHolder): void {
  const mask = holderMask[holder]
  for (const name in properties) {
    const value: unknown = properties[name as keyof Properties]
    if (value === undefined) continue
    const property = propertiesByName.get(name)
    if (property === undefined) throw new TypeError(`properties.${name}: there is no such property`)
    if ((property.holders & mask) === 0) throw new TypeError(`properties.${name} is not allowed in ${holder}`)
    writeProperty(writer, property, value, holder)
  }
}

function writeProperty(writer: ByteWriter, property: PropertyDescription, value: unknown, holder: string): void {
  const field = `properties.${property.name}`
  switch (property.type) {
    case PropertyType.Flag:
      if (value !== 0 && value !== 1) throw new TypeError(`${field} must be 0 or 1, got ${String(value)}`)
      writer.byte(property.id)
      writer.byte(value)
      break
    case PropertyType.TwoByte: {
      const number = checkInteger(value, property.nonZero ? 1 : 0, 0xffff, field)
      writer.byte(property.id)
      writer.uint16(number)
      break
    }
    case PropertyType.FourByte: {
      const number = checkInteger(value, property.nonZero ? 1 : 0, 0xffffffff, field)
      writer.byte(property.id)
      writer.uint32(number)
      break
    }
    case PropertyType.VariableInteger: {
      if (!Array.isArray(value)) throw new TypeError(`${field} must be an array of numbers`)
      if (holder === 'subscribe' && value.length > 1) throw new TypeError(`${field} of subscribe may hold only one`)
      for (const identifier of value) {
        const number = checkInteger(identifier, 1, 268_435_455, field)
        writer.byte(property.id)
        writer.variableInteger(number)
      }
      break
    }
    case PropertyType.String: {
      const text = checkString(value, field)
      // [MQTT-3.3.2-14]
      if (property.topic && (text === '' || text.includes('+') || text.includes('#'))) {
        throw new TypeError(`${field} must be a topic without wildcards`)
      }
      writer.byte(property.id)
      writer.string(text)
      break
    }
    case PropertyType.Binary: {
      const bytes = checkBytes(value, field)
      writer.byte(property.id)
      writer.binary(bytes)
      break
    }
    default:
      if (!Array.isArray(value)) throw new TypeError(`${field} must be an array of [name, value]`)
      for (const pair of value) {
        if (!Array.isArray(pair) || pair.length !== 2) throw new TypeError(`${field} must be an array of [name, value]`)
        const key = checkString(pair[0], field)
        const text = checkString(pair[1], field)
        writer.byte(property.id)
        writer.string(key)
        writer.string(text)
      }
  }
}

export function checkInteger(value: unknown, minimum: number, maximum: number, field: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < minimum || value > maximum) {
    throw new TypeError(`${field} must be an integer from ${minimum} to ${maximum}, got ${String(value)}`)
  }
  return value
}

/** A string that MQTT can carry: [MQTT-1.5.4-1] [MQTT-1.5.4-2] */
export function checkString(value: unknown, field: string): string {
  if (typeof value !== 'string') throw new TypeError(`${field} must be a string, got ${typeof value}`)
  if (value.includes('\0')) throw new TypeError(`${field} contains U+0000`)
  if (!value.isWellFormed()) throw new TypeError(`${field} contains half of a surrogate pair`)
  if (value.length > 21845 && Buffer.byteLength(value) > 0xffff) {
    throw new TypeError(`${field} is longer than 65535 bytes`)
  }
  return value
}

export function checkBytes(value: unknown, field: string): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${field} must be a Uint8Array, got ${typeof value}`)
  if (value.length > 0xffff) throw new TypeError(`${field} is longer than 65535 bytes`)
  return value
}
