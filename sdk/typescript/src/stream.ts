import { type ServerDuplexStream, type ServiceDefinition, status } from '@grpc/grpc-js'
import { create, fromBinary, v3 } from '@hookmq/exhook-proto'
import type { CompiledHook, HookTable } from './compile.ts'
import type { FailureLog } from './logger.ts'
import { Reader, Writer } from './wire.ts'

/** The version of hookmq.exhook.v1 that is spoken here. */
const protocolVersion = 1
const asIs = (bytes: Buffer): Buffer => bytes

export const streamService: ServiceDefinition = {
  exchange: {
    path: '/hookmq.exhook.v1.HookStream/Exchange',
    requestStream: true,
    responseStream: true,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  },
}

export interface StreamOptions {
  readonly table: HookTable
  readonly failures: FailureLog
  /** Events that may be unfinished at once. */
  readonly window: number
  /** Bytes of the largest frame that is taken. */
  readonly maxFrameBytes: number
}

interface WaitingEvent {
  readonly hook: CompiledHook
  readonly id: number
  readonly buffer: Buffer
  readonly start: number
  readonly end: number
}

/** One Exchange: events in, verdicts out, a frame of answers for each frame of events, and one per turn for what is answered later. */
export class Exchange {
  readonly #call: ServerDuplexStream<Buffer, Buffer>
  readonly #options: StreamOptions
  readonly #out = new Writer(16_384)
  readonly #entry = new Writer(1024)
  /** Notifications that wait for earlier ones of their lane, by lane. A lane is here while one of its notifications is being handled. */
  readonly #lanes = new Map<number, WaitingEvent[]>()
  /** The notifications that are being handled, by id, and the lanes that they hold up. */
  readonly #running = new Map<number, number>()
  #meta: v3.RequestMeta = create(v3.RequestMetaSchema)
  #unfinished = 0
  /** Finished since the last grant. */
  #finished = 0
  #doneFirst = 0
  #doneCount = 0
  #expectedId = 1
  #handling = false
  #flushScheduled = false
  #halfClosed = false
  #over = false
  readonly #events: number[] = []

  constructor(call: ServerDuplexStream<Buffer, Buffer>, options: StreamOptions, onOver: (exchange: Exchange) => void) {
    this.#call = call
    this.#options = options
    const over = (): void => {
      if (this.#over) return
      this.#over = true
      this.#lanes.clear()
      onOver(this)
    }
    call.on('data', (bytes: Buffer) => this.#received(bytes))
    call.on('end', () => {
      this.#halfClosed = true
      this.#endWhenDone()
    })
    call.on('error', over)
    call.on('cancelled', over)
    call.on('close', over)
    call.on('finish', over)
    this.#entry.varint(0x08).varint(protocolVersion).varint(0x10).varint(options.window)
    this.#entry.varint(0x18).varint(options.maxFrameBytes)
    this.#call.write(this.#out.present(0x0a, this.#entry.take()).take())
  }

  get unfinished(): number {
    return this.#unfinished
  }

  /** Asks the broker for no more events. */
  close(): void {
    if (this.#over || this.#halfClosed) return
    this.#out.varint(0x28).varint(1)
    this.#flush()
  }

  #received(bytes: Buffer): void {
    if (this.#over) return
    this.#handling = true
    try {
      this.#read(bytes)
    } catch (error) {
      this.#over = true
      this.#lanes.clear()
      const details = `BrokerFrame: ${error instanceof Error ? error.message : String(error)}`
      this.#call.emit('error', { code: status.INVALID_ARGUMENT, details })
      return
    } finally {
      this.#handling = false
    }
    this.#flush()
    this.#endWhenDone()
  }

  #read(bytes: Buffer): void {
    const reader = new Reader(bytes)
    const events = this.#events
    events.length = 0
    let first = 0
    while (reader.more) {
      const tag = reader.varint()
      if (tag === 0x1a) {
        const length = reader.length()
        events.push(reader.position, reader.position + length)
        reader.position += length
      } else if (tag === 0x10) first = reader.varint()
      else if (tag === 0x22) this.#cancelled(reader)
      else if (tag === 0x0a) {
        const length = reader.length()
        this.#hello(new Reader(bytes, reader.position, reader.position + length))
        reader.position += length
      } else reader.skip(tag)
    }
    if (events.length === 0) return
    if (first !== this.#expectedId) throw new Error(`expected the event ${this.#expectedId} next, got ${first}`)
    const count = events.length >> 1
    this.#expectedId += count
    this.#unfinished += count
    for (let index = 0; index < count; index++)
      this.#event(first + index, new Reader(bytes, events[2 * index], events[2 * index + 1]))
  }

  /** Nobody waits for these any more: they hold up nothing, and those that have not begun are left out. */
  #cancelled(reader: Reader): void {
    const end = reader.length() + reader.position
    while (reader.position < end) {
      const id = reader.varint()
      const lane = this.#running.get(id)
      if (lane !== undefined) {
        this.#running.delete(id)
        this.#proceed(lane)
        continue
      }
      for (const waiting of this.#lanes.values()) {
        const index = waiting.findIndex((one) => one.id === id)
        if (index === -1) continue
        waiting.splice(index, 1)
        this.#done(id)
      }
    }
  }

  #hello(reader: Reader): void {
    while (reader.more) {
      const tag = reader.varint()
      if (tag === 0x12) {
        const length = reader.length()
        const meta = reader.buffer.subarray(reader.position, reader.position + length)
        reader.position += length
        this.#meta = fromBinary(v3.RequestMetaSchema, meta)
      } else reader.skip(tag)
    }
  }

  #event(id: number, reader: Reader): void {
    let lane = 0
    let number = 0
    let start = 0
    let end = 0
    while (reader.more) {
      const tag = reader.varint()
      if (tag === 0x0d) lane = reader.fixed32()
      else if ((tag & 7) === 2 && tag > 0x10) {
        const length = reader.length()
        number = tag >>> 3
        start = reader.position
        end = start + length
        reader.position = end
      } else reader.skip(tag)
    }
    const hook = this.#options.table[number]
    // A hook that nobody asked for, or one of a later protocol: left to others.
    if (hook === undefined) return this.#done(id)
    if (hook.valued) return this.#run(hook, id, reader.buffer, start, end)
    const waiting = this.#lanes.get(lane)
    if (waiting === undefined) this.#notify(lane, hook, id, reader.buffer, start, end)
    else waiting.push({ hook, id, buffer: reader.buffer, start, end })
  }

  #run(hook: CompiledHook, id: number, buffer: Buffer, start: number, end: number): void {
    try {
      const answer = hook.run(buffer, start, end, this.#meta)
      if (answer === undefined) this.#done(id)
      else if (answer instanceof Promise)
        answer.then(
          (bytes) => (bytes === undefined ? this.#done(id) : this.#verdict(id, bytes)),
          (error) => this.#failed(hook, id, error),
        )
      else this.#verdict(id, answer)
    } catch (error) {
      this.#failed(hook, id, error)
    }
  }

  /** Handles a notification; its lane is taken while it has not been handled. */
  #notify(lane: number, hook: CompiledHook, id: number, buffer: Buffer, start: number, end: number): void {
    try {
      const answer = hook.run(buffer, start, end, this.#meta)
      if (!(answer instanceof Promise)) return this.#done(id)
      if (!this.#lanes.has(lane)) this.#lanes.set(lane, [])
      this.#running.set(id, lane)
      answer.then(
        () => {
          this.#done(id)
          if (this.#running.delete(id)) this.#proceed(lane)
        },
        (error) => {
          this.#failed(hook, id, error)
          if (this.#running.delete(id)) this.#proceed(lane)
        },
      )
    } catch (error) {
      this.#failed(hook, id, error)
    }
  }

  #proceed(lane: number): void {
    const waiting = this.#lanes.get(lane)
    this.#lanes.delete(lane)
    while (waiting !== undefined) {
      const next = waiting.shift()
      if (next === undefined) return
      this.#notify(lane, next.hook, next.id, next.buffer, next.start, next.end)
      // Taken again: the rest goes on waiting.
      if (this.#lanes.has(lane)) {
        this.#lanes.set(lane, waiting)
        return
      }
    }
  }

  #done(id: number): void {
    if (this.#over) return
    if (this.#doneCount > 0 && id !== this.#doneFirst + this.#doneCount) this.#writeDone()
    if (this.#doneCount++ === 0) this.#doneFirst = id
    this.#finish()
  }

  #writeDone(): void {
    if (this.#doneCount === 0) return
    this.#entry.varint(0x08).varint(this.#doneFirst)
    if (this.#doneCount > 1) this.#entry.varint(0x10).varint(this.#doneCount)
    this.#out.present(0x12, this.#entry.take())
    this.#doneCount = 0
  }

  #verdict(id: number, response: Buffer): void {
    if (this.#over) return
    this.#out.present(0x1a, this.#entry.varint(0x08).varint(id).present(0x12, response).take())
    this.#finish()
  }

  #failed(hook: CompiledHook, id: number, error: unknown): void {
    this.#options.failures.failed(hook.name, error)
    if (this.#over) return
    const message = error instanceof Error ? error.message : String(error)
    const details = new Writer(256).varint(0x08).varint(status.UNKNOWN).string(0x12, message).take()
    this.#out.present(0x1a, this.#entry.varint(0x08).varint(id).present(0x1a, details).take())
    this.#finish()
  }

  #finish(): void {
    this.#unfinished--
    this.#finished++
    if (this.#handling || this.#flushScheduled) return
    this.#flushScheduled = true
    setImmediate(() => {
      this.#flushScheduled = false
      this.#flush()
      this.#endWhenDone()
    })
  }

  #flush(): void {
    if (this.#over) return
    this.#writeDone()
    if (this.#finished > 0) this.#out.varint(0x20).varint(this.#finished)
    this.#finished = 0
    if (this.#out.length > 0) this.#call.write(this.#out.take())
  }

  #endWhenDone(): void {
    if (!this.#halfClosed || this.#unfinished > 0 || this.#over) return
    this.#flush()
    this.#call.end()
  }
}
