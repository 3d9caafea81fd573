import type { Call, CallbackSpec, Codec, Failure, InitReply, InitRequest, Receiver } from '../codec.ts'
import { Reader } from './reader.ts'
import { answer, request } from './tags.ts'
import { readValue, writeValue } from './values.ts'
import { Vocabulary } from './vocabulary.ts'
import { Writer } from './writer.ts'

const usual = 64 * 1024
const kept = 1024 * 1024

/**
 * Frames for `sdk/java/driver`.
 *
 * To Java: `init` id class; `deinit` id; or `calls`, new atoms and shapes, the number of calls, and for each: id, callback, key, number of arguments, 4 bytes
 * with the length of the arguments, the arguments; or `abandon`, their number, and ids. So the thread that reads can hand calls on without looking into them. From it: answers one
 * after the other, each beginning with its kind.
 */
export class JavaCodec implements Codec {
  /** Calls one after the other, without what stands before them. */
  readonly #calls = new Writer(usual)
  #count = 0
  readonly #other = new Writer(1024)
  readonly #vocabulary = new Vocabulary()

  init({ id, module }: InitRequest): Uint8Array {
    const writer = this.#begin(request.init)
    writer.count(id)
    writer.text(module)
    return writer.bytes
  }

  deinit(id: number): Uint8Array {
    const writer = this.#begin(request.deinit)
    writer.count(id)
    return writer.bytes
  }

  addCall({ id, callback, key, args }: Call): number {
    const writer = this.#calls
    if (this.#count === 0) writer.clear(kept)
    const before = writer.length
    try {
      writer.count(id)
      writer.count(callback)
      writer.text(key)
      writer.count(args.length)
      const sizeAt = writer.length
      writer.integer(0)
      for (let index = 0; index < args.length; index++) writeValue(writer, args[index], this.#vocabulary)
      writer.putInteger(sizeAt, writer.length - sizeAt - 4)
    } catch (error) {
      writer.truncate(before)
      throw error
    }
    this.#count++
    return writer.length
  }

  takeCalls(): Uint8Array {
    const writer = this.#begin(request.calls)
    this.#vocabulary.writeNews(writer)
    writer.count(this.#count)
    writer.raw(this.#calls.bytes)
    this.#count = 0
    return writer.bytes
  }

  abandon(ids: readonly number[]): Uint8Array {
    const writer = this.#begin(request.abandon)
    writer.count(ids.length)
    for (const id of ids) writer.count(id)
    return writer.bytes
  }

  #begin(kind: number): Writer {
    this.#other.clear(kept)
    this.#other.octet(kind)
    return this.#other
  }

  decode(body: Uint8Array, receiver: Receiver): void {
    const reader = new Reader(body)
    while (!reader.atEnd) receive(reader, receiver)
  }
}

function receive(reader: Reader, receiver: Receiver): void {
  const kind = reader.octet()
  switch (kind) {
    case answer.ok:
      return receiver.answered(reader.count(), undefined)
    case answer.value:
      return receiver.answered(reader.count(), readValue(reader))
    case answer.failed:
      return receiver.failed(reader.count(), readFailure(reader))
    case answer.hello:
      return receiver.received({ kind: 'hello', runtime: reader.text(), processId: reader.count() })
    case answer.ready:
      return receiver.received({ kind: 'init', id: reader.count(), reply: readReply(reader) })
    default:
      throw new Error(`an answer of a kind that nobody knows: ${kind}, before byte ${reader.position}`)
  }
}

function readFailure(reader: Reader): Failure {
  const type = reader.text()
  const text = reader.text()
  const traceback = reader.text()
  const place = reader.text()
  return { type, text, traceback, ...(place === '' ? {} : { place }) }
}

function readReply(reader: Reader): InitReply {
  const style = reader.text()
  if (style !== 'compatible' && style !== 'modern') throw new Error(`a style that nobody knows: ${style}`)
  const warnings = readTexts(reader)
  const callbacks: CallbackSpec[] = []
  for (let left = reader.count(); left > 0; left--)
    callbacks.push({
      hook: reader.text(),
      target: reader.text(),
      topics: readTexts(reader),
      observe: reader.octet() === 1,
    })
  return { style, callbacks, ordered: true, givesUp: true, warnings }
}

function readTexts(reader: Reader): string[] {
  const texts: string[] = []
  for (let left = reader.count(); left > 0; left--) texts.push(reader.text())
  return texts
}
