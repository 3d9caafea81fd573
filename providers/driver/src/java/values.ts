import { Atom, CodePoints, Float, Opaque, Pairs, Tuple, type Value } from '../value.ts'
import type { Reader } from './reader.ts'
import { tag } from './tags.ts'
import type { Vocabulary } from './vocabulary.ts'
import type { Writer } from './writer.ts'

// A value of a handler that is nested more deeply than this is a mistake, or an attack.
const deepest = 100

export function writeValue(writer: Writer, value: Value, vocabulary: Vocabulary): void {
  if (typeof value === 'string') {
    writer.octet(tag.text)
    writer.text(value)
  } else if (typeof value === 'number') writeNumber(writer, value)
  else if (value instanceof Uint8Array) {
    writer.octet(tag.binary)
    writer.count(value.length)
    writer.raw(value)
  } else if (value === true) writer.octet(tag.true)
  else if (value === false) writer.octet(tag.false)
  else if (value === undefined || value === null) writer.octet(tag.undefined)
  else if (value instanceof Pairs) writePairs(writer, value, vocabulary)
  else if (value instanceof Atom) writeAtom(writer, value.name, vocabulary)
  else if (value instanceof Tuple) {
    writer.octet(tag.tuple)
    writer.count(value.elements.length)
    for (const element of value.elements) writeValue(writer, element, vocabulary)
  } else if (value instanceof Float) {
    writer.octet(tag.double)
    writer.double(value.value)
  } else if (value instanceof CodePoints) {
    writer.octet(tag.string)
    writer.text(value.text)
  } else if (typeof value === 'bigint') writeBig(writer, value)
  else if (value instanceof Opaque) {
    writer.octet(tag.opaque)
    writer.text(value.description)
  } else {
    writer.octet(tag.list)
    writer.count(value.length)
    for (const element of value) writeValue(writer, element, vocabulary)
  }
}

function writeNumber(writer: Writer, value: number): void {
  if (value === (value | 0)) {
    if (value >= 0 && value < tag.small) writer.octet(tag.small + value)
    else {
      writer.octet(tag.int)
      writer.integer(value)
    }
  } else if (Number.isSafeInteger(value)) {
    writer.octet(tag.long)
    writer.long(value)
  } else {
    writer.octet(tag.double)
    writer.double(value)
  }
}

/** Two's complement in as few bytes as hold it. */
function writeBig(writer: Writer, value: bigint): void {
  if (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER) {
    writeNumber(writer, Number(value))
    return
  }
  const bits = (value < 0n ? -value : value).toString(2).length + 1
  const length = Math.ceil(bits / 8)
  const digits = BigInt.asUintN(length * 8, value)
    .toString(16)
    .padStart(length * 2, '0')
  writer.octet(tag.big)
  writer.count(length)
  writer.raw(Buffer.from(digits, 'hex'))
}

function writeAtom(writer: Writer, name: string, vocabulary: Vocabulary): void {
  const number = vocabulary.atom(name)
  if (number < 0) {
    writer.octet(tag.atom)
    writer.text(name)
    return
  }
  writer.octet(tag.knownAtom)
  writer.count(number)
}

function writePairs(writer: Writer, { keys, values }: Pairs, vocabulary: Vocabulary): void {
  const number = vocabulary.shape(keys)
  if (number < 0) {
    writer.octet(tag.list)
    writer.count(keys.length)
    for (const [index, key] of keys.entries()) {
      writer.octet(tag.tuple)
      writer.count(2)
      writeAtom(writer, key, vocabulary)
      writeValue(writer, values[index], vocabulary)
    }
    return
  }
  writer.octet(tag.shape)
  writer.count(number)
  for (let index = 0; index < keys.length; index++) writeValue(writer, values[index], vocabulary)
}

/** What a handler has answered. Atoms and shapes come in full. */
export function readValue(reader: Reader, depth = 0): Value {
  const kind = reader.octet()
  if (kind >= tag.small) return kind - tag.small
  switch (kind) {
    case tag.undefined:
      return undefined
    case tag.true:
      return true
    case tag.false:
      return false
    case tag.int:
      return reader.integer()
    case tag.long:
      return reader.long()
    case tag.big:
      return bigOf(reader.bytes())
    case tag.double:
      return new Float(reader.double())
    case tag.binary:
      return reader.bytes()
    case tag.text:
      return reader.text()
    case tag.string:
      return new CodePoints(reader.text())
    case tag.atom:
      return new Atom(reader.text())
    case tag.list:
      return readAll(reader, depth)
    case tag.tuple:
      return new Tuple(...readAll(reader, depth))
    case tag.opaque:
      return new Opaque(reader.text())
    default:
      throw new Error(`a value of a kind that nobody knows: ${kind}`)
  }
}

function readAll(reader: Reader, depth: number): Value[] {
  if (depth === deepest) throw new Error(`a value nested more than ${deepest} deep`)
  const values: Value[] = []
  for (let left = reader.count(); left > 0; left--) values.push(readValue(reader, depth + 1))
  return values
}

function bigOf(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt.asIntN(bytes.length * 8, BigInt(`0x${bytes.toString('hex')}`))
}
