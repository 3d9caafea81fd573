import type { Call, CallbackSpec, Codec, Failure, Incoming, InitReply, InitRequest } from '../codec.ts'
import { MarshalReader } from '../marshal/reader.ts'
import { MarshalWriter } from '../marshal/writer.ts'
import { Atom, CodePoints, Float, Opaque, Pairs, Tuple, type Value } from '../value.ts'

/**
 * Frames for `sdk/python/hookmq_driver`, in marshal format.
 *
 * To Python: a list of calls `(id, callback, key, args)`, or a tuple `('init', id, module)`, `('deinit', id)`. From it: a list in which an int is
 * the id of a call that returned None, a pair `(id, value)` a call that returned something, `(id, type, text, traceback, place)` one that
 * failed, and a tuple that begins with a str something of the driver itself. Of `Pairs` only the values travel: the layouts of both sides know the keys.
 */
export class PythonCodec implements Codec {
  readonly #writer = new MarshalWriter()

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

  calls(calls: readonly Call[]): Uint8Array {
    const writer = this.#begin()
    writer.list(calls.length)
    for (const { id, callback, key, args } of calls) {
      writer.tuple(4)
      writer.integer(id)
      writer.integer(callback)
      writer.textAsBytes(key)
      writer.tuple(args.length)
      for (const arg of args) writeValue(writer, arg)
    }
    return writer.bytes
  }

  decode(body: Uint8Array, receive: (incoming: Incoming) => void): void {
    const reader = new MarshalReader(body)
    const items = reader.value()
    if (!Array.isArray(items) || !reader.atEnd) throw new Error('not one list')
    for (const item of items) receive(incomingOf(item))
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
    for (const one of value.values) writeValue(writer, one)
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

function incomingOf(item: Value): Incoming {
  if (typeof item === 'number') return { kind: 'ok', id: item, value: undefined }
  if (item instanceof Tuple) {
    const { elements } = item
    const id = elements[0]
    if (typeof id === 'number') {
      if (elements.length === 2) return { kind: 'ok', id, value: elements[1] }
      if (elements.length === 5) return { kind: 'error', id, failure: failureOf(elements) }
    } else if (id instanceof CodePoints) return ownOf(id.text, elements)
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
  const [, first, second, third, fourth, fifth] = elements
  switch (kind) {
    case 'hello':
      return { kind, runtime: textOf(first), processId: numberOf(second) }
    case 'init':
      return {
        kind,
        id: numberOf(first),
        reply: initReplyOf(textOf(second), listOf(third), fourth === true, listOf(fifth)),
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
): InitReply {
  if (style !== 'compatible' && style !== 'modern') throw new Error(`a style '${style}', which nobody knows`)
  return { style, ordered, warnings: warnings.map(textOf), callbacks: callbacks.map(callbackOf) }
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
