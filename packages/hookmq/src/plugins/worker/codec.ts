import { deserialize, serialize } from 'node:v8'
import type { Message, MessageHeaders } from '@hookmq/api'
import type { Properties } from '@hookmq/mqtt'
import { carriedError, describedError } from './errors.ts'
import { CarriedMessage, isMessage } from './message.ts'
import type { FrameReader } from './reader.ts'
import type { FrameWriter } from './writer.ts'

const UNDEFINED = 0
const NULL = 1
const TRUE = 2
const FALSE = 3
const INT32 = 4
const FLOAT64 = 5
const BIGINT = 6
const LATIN1 = 7
const UTF16 = 8
const BYTES = 9
const ARRAY = 10
const OBJECT = 11
const MAP = 12
const SET = 13
const ERROR = 14
const MESSAGE = 15
/** Functions and symbols do not travel: what arrives is one without content, so that whoever checks it says the same on both sides. */
const FUNCTION = 16
const SYMBOL = 17
/** Anything else that structured clone knows. */
const CLONED = 18
const NEW_STRING = 19
const KNOWN_STRING = 20
const NEW_OBJECT = 21
const KNOWN_OBJECT = 22
const FORGET = 23

/** Strings and objects that both ends remember. When a table is full, both forget all of it. */
const tableLimit = 8192
const longestRemembered = 256
const deepest = 100

/** Objects under these keys are the same ones for every event of a client. */
const remembered = new Set(['client', 'connInfo', 'headers'])

const noProperties: Properties = Object.freeze({})
const noHeaders: MessageHeaders = Object.freeze({})

/** Puts values into frames. What it has put there once it may refer to, so that the other end must decode every frame, in order. */
export class Encoder {
  readonly writer: FrameWriter
  readonly #remembers: boolean
  readonly #strings = new Map<string, number>()
  #objects = new WeakMap<object, number>()
  #objectCount = 0
  #lastObject: object | undefined
  #lastId = 0
  #depth = 0
  #mustForget = false

  /** `remembers: false`: each value stands for itself, for frames that do not come in order. */
  constructor(writer: FrameWriter, remembers = true) {
    this.writer = writer
    this.#remembers = remembers
  }

  /** Before the values of each record. */
  begin(): void {
    this.#depth = 0
    if (this.#mustForget || this.#strings.size >= tableLimit) this.#forget()
  }

  /** What was written since `begin` will not be sent: the other end would not know what it defined. */
  abandon(): void {
    this.#mustForget = true
  }

  /** Throws a TypeError for what cannot be sent. */
  value(value: unknown): void {
    const { writer } = this
    switch (typeof value) {
      case 'undefined':
        return writer.byte(UNDEFINED)
      case 'boolean':
        return writer.byte(value ? TRUE : FALSE)
      case 'number':
        if ((value | 0) === value && !Object.is(value, -0)) {
          writer.byte(INT32)
          return writer.int32(value)
        }
        writer.byte(FLOAT64)
        return writer.float64(value)
      case 'string':
        return this.#string(value)
      case 'bigint':
        writer.byte(BIGINT)
        return writer.latin1(String(value))
      case 'function':
        return writer.byte(FUNCTION)
      case 'symbol':
        return writer.byte(SYMBOL)
      default:
        return value === null ? writer.byte(NULL) : this.#nested(value as object)
    }
  }

  /** Both ends forget what they remember. Only where a value may stand. */
  #forget(): void {
    this.writer.byte(FORGET)
    this.#mustForget = false
    this.#strings.clear()
    this.#objects = new WeakMap()
    this.#objectCount = 0
    this.#lastObject = undefined
  }

  #nested(value: object): void {
    if (++this.#depth > deepest) throw new TypeError('a value is nested too deeply, or refers to itself')
    this.#object(value)
    this.#depth--
  }

  #object(value: object): void {
    const { writer } = this
    if (value instanceof Uint8Array) {
      writer.byte(BYTES)
      return writer.bytes(value)
    }
    if (Array.isArray(value)) {
      writer.byte(ARRAY)
      writer.uint32(value.length)
      for (const element of value) this.value(element)
      return
    }
    const prototype = Object.getPrototypeOf(value) as object | null
    if (prototype === Object.prototype || prototype === null) return this.#plain(value)
    if (isMessage(value)) return this.#message(value)
    if (value instanceof Map) return this.#pairs(MAP, value)
    if (value instanceof Set) {
      writer.byte(SET)
      return this.value([...value])
    }
    if (value instanceof Error) {
      writer.byte(ERROR)
      return this.#plain(describedError(value))
    }
    if (isBuiltIn(value)) {
      writer.byte(CLONED)
      return writer.bytes(serialize(value))
    }
    this.#plain(value)
  }

  #plain(value: object): void {
    const { writer } = this
    const keys = Object.keys(value)
    writer.byte(OBJECT)
    writer.uint32(keys.length)
    for (const key of keys) {
      const field = (value as Record<string, unknown>)[key]
      this.#string(key)
      if (remembered.has(key) && typeof field === 'object' && field !== null) this.#shared(field)
      else this.value(field)
    }
  }

  #pairs(tag: number, map: ReadonlyMap<unknown, unknown>): void {
    this.writer.byte(tag)
    this.writer.uint32(map.size)
    for (const [key, value] of map) {
      this.value(key)
      this.value(value)
    }
  }

  #message(message: Message): void {
    const { writer } = this
    const { headers, properties } = message
    writer.byte(MESSAGE)
    writer.byte(message.qos | (message.retain ? 4 : 0) | (message.dup ? 8 : 0))
    writer.float64(message.timestamp)
    writer.latin1(message.id)
    this.#string(message.topic)
    this.#string(message.from)
    if (isEmpty(headers)) writer.byte(UNDEFINED)
    else this.#shared(headers)
    if (isEmpty(properties)) writer.byte(UNDEFINED)
    else this.value(properties)
    writer.bytes(message.payload)
  }

  /** An object that is likely to come again. One with a password is made for a single event. */
  #shared(value: object): void {
    if (!this.#remembers || 'step' in value) return this.#nested(value)
    const { writer } = this
    const known = value === this.#lastObject ? this.#lastId : this.#objects.get(value)
    if (known !== undefined) {
      this.#lastObject = value
      this.#lastId = known
      writer.byte(KNOWN_OBJECT)
      return writer.uint32(known)
    }
    if (this.#objectCount >= tableLimit) this.#forget()
    writer.byte(NEW_OBJECT)
    this.#objects.set(value, this.#objectCount)
    writer.uint32(this.#objectCount++)
    this.#nested(value)
  }

  #string(value: string): void {
    const { writer } = this
    if (this.#remembers && value.length <= longestRemembered) {
      const known = this.#strings.get(value)
      if (known !== undefined) {
        writer.byte(KNOWN_STRING)
        return writer.uint32(known)
      }
      // A table that is full stays as it is until the next record begins.
      if (this.#strings.size < tableLimit) {
        this.#strings.set(value, this.#strings.size)
        writer.byte(NEW_STRING)
      }
    }
    if (isLatin1(value)) {
      writer.byte(LATIN1)
      writer.latin1(value)
    } else {
      writer.byte(UTF16)
      writer.utf16(value)
    }
  }
}

/** Takes values out of frames. */
export class Decoder {
  readonly #copies: boolean
  #strings: string[] = []
  #objects: unknown[] = []

  /** `copies`: bytes get memory of their own; otherwise they are views on their frame, and keep all of it alive. */
  constructor(copies = false) {
    this.#copies = copies
  }

  value(reader: FrameReader): unknown {
    const tag = reader.byte()
    switch (tag) {
      case UNDEFINED:
        return undefined
      case NULL:
        return null
      case TRUE:
        return true
      case FALSE:
        return false
      case INT32:
        return reader.int32()
      case FLOAT64:
        return reader.float64()
      case BIGINT:
        return BigInt(reader.text('latin1'))
      case BYTES:
        return this.#copies ? Buffer.from(reader.bytes()) : reader.bytes()
      case ARRAY: {
        const list: unknown[] = []
        for (let count = reader.uint32(); count > 0; count--) list.push(this.value(reader))
        return list
      }
      case OBJECT:
        return this.#plain(reader)
      case MAP: {
        const map = new Map<unknown, unknown>()
        for (let count = reader.uint32(); count > 0; count--) map.set(this.value(reader), this.value(reader))
        return map
      }
      case SET:
        return new Set(this.value(reader) as unknown[])
      case ERROR:
        return carriedError(this.value(reader) as Record<string, unknown>)
      case MESSAGE:
        return this.#message(reader)
      case FUNCTION:
        return () => undefined
      case SYMBOL:
        return Symbol('carried')
      case CLONED:
        return deserialize(reader.bytes())
      case NEW_OBJECT: {
        const id = reader.uint32()
        const value = this.value(reader)
        this.#objects[id] = value
        return value
      }
      case KNOWN_OBJECT:
        return this.#objects[reader.uint32()]
      case FORGET:
        this.#strings = []
        this.#objects = []
        return this.value(reader)
      default:
        return this.#string(tag, reader)
    }
  }

  #string(tag: number, reader: FrameReader): string {
    switch (tag) {
      case KNOWN_STRING:
        return this.#strings[reader.uint32()]
      case NEW_STRING: {
        const value = this.#string(reader.byte(), reader)
        this.#strings.push(value)
        return value
      }
      case LATIN1:
        return reader.text('latin1')
      case UTF16:
        return reader.text('utf16le')
      default:
        throw new RangeError(`a frame has tag ${tag} at ${reader.at}`)
    }
  }

  #plain(reader: FrameReader): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (let count = reader.uint32(); count > 0; count--) {
      const key = this.#string(reader.byte(), reader)
      const field = this.value(reader)
      if (key === '__proto__') Object.defineProperty(value, key, { value: field, enumerable: true, writable: true })
      else value[key] = field
    }
    return value
  }

  #message(reader: FrameReader): CarriedMessage {
    const flags = reader.byte()
    const timestamp = reader.float64()
    const id = reader.bytes()
    const topic = this.#string(reader.byte(), reader)
    const from = this.#string(reader.byte(), reader)
    const headers = (this.value(reader) as MessageHeaders | undefined) ?? noHeaders
    const properties = (this.value(reader) as Properties | undefined) ?? noProperties
    return new CarriedMessage(topic, reader.bytes(), flags, from, timestamp, properties, headers, id)
  }
}

function isEmpty(value: object): boolean {
  for (const _ in value) return false
  return true
}

function isLatin1(value: string): boolean {
  for (let index = 0; index < value.length; index++) if (value.charCodeAt(index) > 0xff) return false
  return true
}

/** What has no fields of its own to copy. */
function isBuiltIn(value: object): boolean {
  return value instanceof Date || value instanceof RegExp || value instanceof ArrayBuffer || ArrayBuffer.isView(value)
}
