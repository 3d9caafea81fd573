import type { Call, CallbackSpec, Codec, Failure, Incoming, InitReply, InitRequest } from '../codec.ts'
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
 * with the length of the arguments, the arguments. So the thread that reads can hand calls on without looking into them. From it: answers one
 * after the other, each beginning with its kind.
 */
export class JavaCodec implements Codec {
  readonly #calls = new Writer(usual)
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

  calls(calls: readonly Call[]): Uint8Array {
    const writer = this.#calls
    writer.clear(kept)
    writer.octet(request.calls)
    writer.octet(0)
    writer.octet(0)
    const start = writer.length
    writer.count(calls.length)
    for (const { id, callback, key, args } of calls) {
      writer.count(id)
      writer.count(callback)
      writer.text(key)
      writer.count(args.length)
      const sizeAt = writer.length
      writer.integer(0)
      for (let index = 0; index < args.length; index++) writeValue(writer, args[index], this.#vocabulary)
      writer.putInteger(sizeAt, writer.length - sizeAt - 4)
    }
    return this.#vocabulary.hasNews ? this.#withNews(writer.bytes.subarray(start)) : writer.bytes
  }

  /** Rare: only the first calls use atoms and shapes that the other side does not know yet. */
  #withNews(calls: Uint8Array): Uint8Array {
    const writer = this.#begin(request.calls)
    this.#vocabulary.writeNews(writer)
    writer.raw(calls)
    return writer.bytes
  }

  #begin(kind: number): Writer {
    this.#other.clear(kept)
    this.#other.octet(kind)
    return this.#other
  }

  decode(body: Uint8Array, receive: (incoming: Incoming) => void): void {
    const reader = new Reader(body)
    while (!reader.atEnd) receive(readIncoming(reader))
  }
}

function readIncoming(reader: Reader): Incoming {
  const kind = reader.octet()
  switch (kind) {
    case answer.ok:
      return { kind: 'ok', id: reader.count(), value: undefined }
    case answer.value:
      return { kind: 'ok', id: reader.count(), value: readValue(reader) }
    case answer.failed:
      return { kind: 'error', id: reader.count(), failure: readFailure(reader) }
    case answer.hello:
      return { kind: 'hello', runtime: reader.text(), processId: reader.count() }
    case answer.ready:
      return { kind: 'init', id: reader.count(), reply: readReply(reader) }
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
  return { style, callbacks, ordered: true, warnings }
}

function readTexts(reader: Reader): string[] {
  const texts: string[] = []
  for (let left = reader.count(); left > 0; left--) texts.push(reader.text())
  return texts
}
