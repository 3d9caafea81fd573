import type { Call, CallbackSpec, Codec, Failure, Incoming, InitReply, InitRequest, Receiver } from '../codec.ts'
import { MarshalReader } from '../marshal/reader.ts'
import { MarshalWriter } from '../marshal/writer.ts'
import { Atom, CodePoints, Float, Opaque, Pairs, Tuple, type Value } from '../value.ts'

/**
 * Frames for `sdk/python/hookmq_driver`, in marshal format.
 *
 * To Python: a list of calls `(id, callback, key, args)`, or a tuple `('init', id, module)`, `('deinit', id)`,
 * `('abandon', id, …)`. From it: a list in which an int is
 * the id of a call that returned None, a pair `(id, value)` a call that returned something, `(id, type, text, traceback, place)` one that
 * failed, and a tuple that begins with a str something of the driver itself. Of `Pairs` only the values travel: the layouts of both sides know the keys.
 */
export class PythonCodec implements Codec {
  readonly #writer = new MarshalWriter()
  /** Of its own, because a frame of calls grows while others are sent. */
  readonly #calls = new MarshalWriter()
  #count = 0

  init({ id, module }: InitRequest): Uint8Array {
    const writer = this.#begin()
    writer.tuple(3)
    writer.text('init')
    writer.integer(id)
    writer.text(module)
    return writer.bytes
  }

  deinit(id: number): Uint8Array {
    const writer = this.#begin()
    writer.tuple(2)
    writer.text('deinit')
    writer.integer(id)
    return writer.bytes
  }

  addCall({ id, callback, key, args }: Call): number {
    const writer = this.#calls
    if (this.#count === 0) {
      writer.clear()
      writer.list(0)
    }
    const before = writer.length
    try {
      writer.tuple(4)
      writer.integer(id)
      writer.integer(callback)
      writer.textAsBytes(key)
      writer.tuple(args.length)
      for (let index = 0; index < args.length; index++) writeValue(writer, args[index])
    } catch (error) {
      writer.truncate(before)
      throw error
    }
    this.#count++
    return writer.length
  }

  takeCalls(): Uint8Array {
    this.#calls.putSize(1, this.#count)
    this.#count = 0
    return this.#calls.bytes
  }

  abandon(ids: readonly number[]): Uint8Array {
    const writer = this.#begin()
    writer.tuple(1 + ids.length)
    writer.text('abandon')
    for (const id of ids) writer.integer(id)
    return writer.bytes
  }

  decode(body: Uint8Array, receiver: Receiver): void {
    const reader = new MarshalReader(body)
    const items = reader.value()
    if (!Array.isArray(items) || !reader.atEnd) throw new Error('not one list')
    for (const item of items) {
      if (typeof item === 'number') receiver.answered(item, undefined)
      else receive(item, receiver)
    }
  }

  #begin(): MarshalWriter {
    this.#writer.clear()
    return this.#writer
  }
}

function writeValue(writer: MarshalWriter, value: Value): void {
  if (typeof value === 'string') writer.textAsBytes(value)
  else if (typeof value === 'number' || typeof value === 'bigint') writer.integer(value)
  else if (typeof value === 'boolean') writer.boolean(value)
  else if (value === undefined || value === null) writer.none()
  else if (value instanceof Uint8Array) writer.bytesOf(value)
  else if (value instanceof Pairs) {
    writer.tuple(value.values.length)
    const { values } = value
    for (let index = 0; index < values.length; index++) writeValue(writer, values[index])
  } else if (value instanceof Atom) writer.textAsBytes(value.name)
  else if (value instanceof Tuple) {
    writer.tuple(value.elements.length)
    for (const one of value.elements) writeValue(writer, one)
  } else if (value instanceof Float) writer.float(value.value)
  else if (value instanceof CodePoints) writer.text(value.text)
  else if (value instanceof Opaque) writer.none()
  else {
    writer.list(value.length)
    for (const one of value) writeValue(writer, one)
  }
}

function receive(item: Value, receiver: Receiver): void {
  if (item instanceof Tuple) {
    const { elements } = item
    const id = elements[0]
    if (typeof id === 'number') {
      if (elements.length === 2) return receiver.answered(id, elements[1])
      if (elements.length === 5) return receiver.failed(id, failureOf(elements))
    } else if (id instanceof CodePoints) return receiver.received(ownOf(id.text, elements))
  }
  throw new Error('an item that is neither an answer nor one of the driver')
}

function failureOf([, type, text, traceback, place]: readonly Value[]): Failure {
  return {
    type: textOf(type),
    text: textOf(text),
    traceback: textOf(traceback),
    ...(place === undefined ? {} : { place: textOf(place) }),
  }
}

function ownOf(kind: string, elements: readonly Value[]): Incoming {
  const [, first, second, third, fourth, fifth, sixth] = elements
  switch (kind) {
    case 'hello':
      return { kind, runtime: textOf(first), processId: numberOf(second) }
    case 'init':
      return {
        kind,
        id: numberOf(first),
        reply: initReplyOf(textOf(second), listOf(third), fourth === true, listOf(fifth), sixth === true),
      }
    case 'log': {
      const level = textOf(first)
      const known = level === 'debug' || level === 'warn' || level === 'error' ? level : 'info'
      return { kind, level: known, text: textOf(second) }
    }
    default:
      throw new Error(`an item '${kind}', which nobody knows`)
  }
}

function initReplyOf(
  style: string,
  callbacks: readonly Value[],
  ordered: boolean,
  warnings: readonly Value[],
  givesUp: boolean,
): InitReply {
  if (style !== 'compatible' && style !== 'modern') throw new Error(`a style '${style}', which nobody knows`)
  return { style, ordered, givesUp, warnings: warnings.map(textOf), callbacks: callbacks.map(callbackOf) }
}

/** `(hook, target, topics, observe)` */
function callbackOf(value: Value): CallbackSpec {
  if (!(value instanceof Tuple)) throw new Error('a callback that is no tuple')
  const [hook, target, topics, observe] = value.elements
  return { hook: textOf(hook), target: textOf(target), topics: listOf(topics).map(textOf), observe: observe === true }
}

function textOf(value: Value): string {
  if (value instanceof CodePoints) return value.text
  throw new Error('something else where a text is expected')
}

function numberOf(value: Value): number {
  if (typeof value === 'number') return value
  throw new Error('something else where an integer is expected')
}

function listOf(value: Value): readonly Value[] {
  if (Array.isArray(value)) return value
  throw new Error('something else where a list is expected')
}
