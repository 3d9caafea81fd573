import { FrameWriter, varintSize } from './frame-writer.ts'
import { type ProviderFrameSink, readProviderFrame } from './provider-frame.ts'
import { Unfinished } from './unfinished.ts'

/** The version of hookmq.exhook.v1 that is spoken here. */
const protocolVersion = 1
/** What gRPC libraries take as long as nobody tells them otherwise. */
const usualFrameBytes = 4 * 1024 * 1024
/** A frame is written when it has so many bytes, not only at the end of the turn. */
const fullFrame = 256 * 1024
/** Milliseconds that a frame with nothing but notifications waits for more of them: nobody waits for it, and half of what they cost is the write. */
const gathering = 2
/** Milliseconds between two looks for events whose time is over and for which nobody waits. */
const sweepInterval = 500
/** Beside the request: tags, lane, timeout, lengths. */
const eventOverhead = 32

/** gRPC status codes. */
const code = { unknown: 2, deadlineExceeded: 4, resourceExhausted: 8, internal: 13, unavailable: 14 } as const

/** For the prefix that gRPC puts before each message. */
export const frameRoom = 5

/** A gRPC call that carries frames both ways. */
export interface FrameCall {
  /** Writes a frame that has `frameRoom` bytes free at its front. false: no more, please, before `drained`. */
  write(frame: Buffer): boolean
  /** Half-closes. */
  end(): void
  cancel(): void
}

export interface FrameCallEvents {
  frame(bytes: Buffer): void
  drained(): void
  /** Once, at the end. `code` is the gRPC status. */
  ended(code: number, details: string): void
}

/** Why an event was not answered. */
export class ExchangeFailure extends Error {
  readonly code: number
  /** false: it never left, and may be sent in another way. */
  readonly sent: boolean
  /** The provider itself said that the event failed; false: by this side, because of what became of the stream. */
  readonly fromProvider: boolean

  constructor(code: number, message: string, sent: boolean, fromProvider = false) {
    super(message)
    this.code = code
    this.sent = sent
    this.fromProvider = fromProvider
  }
}

/** One event and what becomes of it. The exchange calls back at most once. */
export interface ExchangeEvent {
  /** Set by the exchange: 0 = not on its way. */
  id: number
  /** The number of the call: client.connect is 3. */
  readonly call: number
  readonly lane: number
  /** Milliseconds that it may still take; Infinity: for ever. */
  readonly remaining: number
  /** It has just begun: `remaining` is all that an event has. */
  readonly fresh: boolean
  /** Nobody waits for it, and so nobody gives it up: the exchange does when its time is over. */
  readonly unattended: boolean
  /** About how many bytes `write` will write. */
  readonly size: number
  /** Writes the request. Called when the event leaves, once more when it does not fit into the frame any more. */
  write(writer: FrameWriter): void
  /** IGNORE, or a notification that was handled. */
  done(): void
  /** A ValuedResponse; a view on a buffer that nobody else uses. */
  answered(response: Buffer, metadata: ReadonlyMap<string, string> | undefined): void
  failed(failure: ExchangeFailure): void
}

export interface ExchangeOptions {
  /** RequestMeta, encoded. */
  readonly meta: Uint8Array
  /** Milliseconds: what an event takes at most if nothing else is said. */
  readonly timeout: number
  /** Events that may wait for credit; one more fails. */
  readonly maxWaiting: number
  /** Bytes of requests that may wait for credit. */
  readonly maxWaitingBytes: number
  /** Bytes of the largest ProviderFrame. */
  readonly maxFrameBytes: number
}

export interface ExchangeObserver {
  /** The provider has said hello: events may be sent. */
  opened(): void
  /** No more events may be sent: it shuts down, or the call is over. */
  closed(code: number, details: string): void
}

/** Which came too late, or twice: nobody waited any more. */
interface ExchangeCounters {
  readonly late: number
  /** Sent, and not answered when the stream ended. */
  readonly lost: number
  readonly unfinished: number
  readonly waiting: number
}

/**
 * One Exchange of HookStream, the broker's side: what is sent in one turn of the event loop leaves in one frame; never more than the
 * provider granted. What waits for credit is bounded.
 */
export class Exchange implements FrameCallEvents, ProviderFrameSink, ExchangeCounters {
  readonly #options: ExchangeOptions
  readonly #observer: ExchangeObserver
  readonly #writer = new FrameWriter(65_536, frameRoom)
  readonly #unfinished = new Unfinished<ExchangeEvent>()
  #call: FrameCall | undefined
  #state: 'opening' | 'open' | 'closing' | 'closed' = 'opening'
  #nextId = 1
  /** The id of the first event of the frame that is being written. */
  #frameFirst = 1
  #frameEvents = 0
  #credit = 0
  #maxFrameBytes = usualFrameBytes
  #maxFrameEvents = Number.POSITIVE_INFINITY
  #waiting: (ExchangeEvent | undefined)[] = []
  #waitingFrom = 0
  #waitingCount = 0
  #waitingBytes = 0
  #cancelled: number[] = []
  #congested = false
  #flushScheduled = false
  #gatherer: NodeJS.Timeout | undefined
  #gathers = false
  /** When the first event left after the last frame that came; 0: none has. */
  #silentSince = 0
  #sweep: NodeJS.Timeout | undefined
  late = 0
  lost = 0

  constructor(options: ExchangeOptions, observer: ExchangeObserver) {
    this.#options = options
    this.#observer = observer
  }

  /** Says hello on a call that has been made. */
  begin(call: FrameCall): void {
    this.#call = call
    const writer = this.#writer
    const mark = writer.begin(0x0a, this.#options.meta.length + 20)
    writer.varint(0x08)
    writer.varint(protocolVersion)
    writer.bytes(0x12, this.#options.meta)
    if (this.#options.timeout > 0) {
      writer.varint(0x18)
      writer.varint(Math.ceil(this.#options.timeout))
    }
    writer.varint(0x20)
    writer.varint(this.#options.maxFrameBytes)
    writer.end(mark)
    call.write(writer.take())
  }

  get isOpen(): boolean {
    return this.#state === 'open'
  }

  get unfinished(): number {
    return this.#unfinished.size
  }

  get waiting(): number {
    return this.#waitingCount
  }

  /** An event that is sent now leaves at the end of this turn. */
  get hasRoom(): boolean {
    return this.#state === 'open' && this.#credit > 0 && this.#waitingCount === 0 && !this.#congested
  }

  /** Sends an event as soon as it may be sent. Fails it at once when too many wait. */
  send(event: ExchangeEvent): void {
    if (this.#state !== 'open')
      return event.failed(new ExchangeFailure(code.unavailable, 'the stream is closed', false))
    if (event.unattended && this.#sweep === undefined) this.#sweepLater()
    if (this.hasRoom) {
      this.#append(event, false)
      return
    }
    if (this.#waitingCount >= this.#options.maxWaiting || this.#waitingBytes >= this.#options.maxWaitingBytes) {
      const text = `the provider takes no more events: ${this.#waitingCount} wait already`
      return event.failed(new ExchangeFailure(code.resourceExhausted, text, false))
    }
    event.id = -1
    this.#waiting.push(event)
    this.#waitingCount++
    this.#waitingBytes += event.size
  }

  /** Nobody waits for it any more: it is not called back. */
  cancel(event: ExchangeEvent): void {
    if (event.id === -1) {
      let index = this.#waitingFrom
      while (index < this.#waiting.length && this.#waiting[index] !== event) index++
      this.#forget(index)
    } else if (this.#unfinished.delete(event.id)) {
      this.#cancelled.push(event.id)
      this.#schedule()
      this.#lookForSilence()
    }
    event.id = 0
  }

  #sweepLater(): void {
    this.#sweep = setTimeout(() => this.#giveUpOverdue(), sweepInterval)
    this.#sweep.unref()
  }

  /** So that one event that is never finished does not hold up for ever what comes behind it at the provider. */
  #giveUpOverdue(): void {
    this.#sweep = undefined
    let left = false
    for (const event of [...this.#waiting.slice(this.#waitingFrom), ...this.#unfinished.values()]) {
      if (event?.unattended !== true) continue
      if (event.remaining > 0) left = true
      else {
        this.cancel(event)
        // Not `sent: false`: it has no time left to go in another way.
        event.failed(new ExchangeFailure(code.deadlineExceeded, 'no answer in time', true))
      }
    }
    if (left && this.#state !== 'closed' && this.#sweep === undefined) this.#sweepLater()
  }

  /** A far end that is no longer there says nothing at all. Looked for only when an event was given up. */
  #lookForSilence(): void {
    const { timeout } = this.#options
    if (timeout === 0 || this.#silentSince === 0 || performance.now() - this.#silentSince < 2 * timeout) return
    this.abort(`the provider has not said anything for ${2 * timeout} ms`)
  }

  /** No more events; what was sent may still be answered. Then the call ends. */
  close(): void {
    if (this.#state === 'closed' || this.#state === 'closing') return
    const wasOpen = this.#state === 'open'
    this.#state = 'closing'
    this.#flush()
    this.#failWaiting('the stream is closing')
    this.#call?.end()
    if (wasOpen) this.#observer.closed(0, 'closing')
  }

  /** Ends the call now. What is unfinished fails. */
  abort(details: string, status: number = code.unavailable): void {
    if (this.#state === 'closed') return
    this.#call?.cancel()
    this.ended(status, details)
  }

  // What the call says

  frame(bytes: Buffer): void {
    if (this.#state === 'closed') return
    this.#silentSince = 0
    try {
      readProviderFrame(bytes, this)
    } catch (error) {
      this.abort(error instanceof Error ? error.message : String(error), code.internal)
      return
    }
    this.#sendWaiting()
  }

  drained(): void {
    this.#congested = false
    this.#sendWaiting()
  }

  ended(status: number, details: string): void {
    if (this.#state === 'closed') return
    const wasClosing = this.#state === 'closing'
    this.#state = 'closed'
    clearTimeout(this.#sweep)
    clearTimeout(this.#gatherer)
    const unsent = this.#frameEvents > 0 ? this.#frameFirst : this.#nextId
    this.#failWaiting(details)
    const unfinished = this.#unfinished.values()
    this.#unfinished.clear()
    for (const event of unfinished) {
      const sent = event.id < unsent
      if (sent) this.lost++
      event.id = 0
      event.failed(new ExchangeFailure(status === 0 ? code.unavailable : status, details || 'the stream ended', sent))
    }
    if (!wasClosing) this.#observer.closed(status, details)
  }

  // What the frames say

  hello(version: number, grant: number, maxFrameBytes: number, maxFrameEvents: number): void {
    if (this.#state !== 'opening') throw new Error('the provider said hello twice')
    if (version !== protocolVersion)
      throw new Error(`the provider speaks version ${version} of HookStream; this broker speaks ${protocolVersion}`)
    if (maxFrameBytes > 0) this.#maxFrameBytes = maxFrameBytes
    if (maxFrameEvents > 0) this.#maxFrameEvents = maxFrameEvents
    this.#credit = grant
    this.#state = 'open'
    this.#observer.opened()
  }

  done(first: number, count: number): void {
    this.#checkId(first, count)
    const unfinished = this.#unfinished
    if (count > 2 * unfinished.size + 16) {
      // More ids than there are events: looks at the events instead, so that no range costs more than they do.
      for (const event of unfinished.values())
        if (event.id >= first && event.id < first + count) this.#take(event.id)?.done()
      return
    }
    for (let id = first; id < first + count; id++) this.#take(id)?.done()
  }

  verdict(id: number, response: Buffer | undefined, metadata: ReadonlyMap<string, string> | undefined): void {
    this.#checkId(id, 1)
    const event = this.#take(id)
    if (event === undefined) return
    if (response === undefined) event.done()
    else event.answered(response, metadata)
  }

  failed(id: number, status: number, message: string): void {
    this.#checkId(id, 1)
    this.#take(id)?.failed(new ExchangeFailure(status === 0 ? code.unknown : status, message, true, true))
  }

  grant(events: number): void {
    this.#credit += events
  }

  closing(): void {
    this.close()
  }

  #checkId(first: number, count: number): void {
    // An event of the frame that is still being written has not been sent either.
    const sent = this.#frameEvents > 0 ? this.#frameFirst : this.#nextId
    if (first < 1 || first + count > sent) throw new Error(`the provider answered event ${first}, which was never sent`)
  }

  #take(id: number): ExchangeEvent | undefined {
    const event = this.#unfinished.get(id)
    if (event === undefined) {
      this.late++
      return undefined
    }
    this.#unfinished.delete(id)
    event.id = 0
    return event
  }

  /** Into the frame of this turn. false: it cannot be sent, and has failed. */
  #append(event: ExchangeEvent, waited: boolean): boolean {
    const writer = this.#writer
    const before = writer.length
    if (this.#frameEvents === 0) {
      this.#frameFirst = this.#nextId
      writer.varint(0x10)
      writer.varint(this.#nextId)
    }
    const { size } = event
    const outer = writer.begin(0x1a, size + 8)
    writer.varint(0x0d)
    writer.fixed32(event.lane)
    const remaining = waited || !event.fresh ? event.remaining : Number.POSITIVE_INFINITY
    if (remaining < this.#options.timeout * 0.9) {
      writer.varint(0x10)
      writer.varint(Math.max(1, Math.ceil(remaining)))
    }
    const inner = writer.begin(event.call * 8 + 2, size)
    event.write(writer)
    writer.end(inner)
    writer.end(outer)
    const added = writer.length - before
    if (added + eventOverhead > this.#maxFrameBytes) {
      writer.cut(before)
      const text = `the event has ${added} bytes; the provider takes frames of ${this.#maxFrameBytes}`
      event.failed(new ExchangeFailure(code.resourceExhausted, text, true))
      return false
    }
    if (writer.length + eventOverhead > this.#maxFrameBytes) {
      // Does not fit any more: once again, into a frame of its own.
      writer.cut(before)
      this.#flush()
      return this.#append(event, waited)
    }
    event.id = this.#nextId++
    this.#unfinished.add(event)
    this.#frameEvents++
    this.#credit--
    if (writer.length >= fullFrame || this.#frameEvents >= this.#maxFrameEvents) this.#flush()
    else if (event.unattended) this.#scheduleLater()
    else this.#schedule()
    return true
  }

  #sendWaiting(): void {
    while (this.#waitingCount > 0 && this.#credit > 0 && !this.#congested && this.#state === 'open') {
      const one = this.#waiting[this.#waitingFrom]
      this.#forget(this.#waitingFrom)
      if (one !== undefined) this.#append(one, true)
    }
  }

  #forget(index: number): void {
    const one = this.#waiting[index]
    if (one === undefined) return
    this.#waiting[index] = undefined
    this.#waitingCount--
    this.#waitingBytes -= one.size
    while (this.#waitingFrom < this.#waiting.length && this.#waiting[this.#waitingFrom] === undefined)
      this.#waitingFrom++
    if (this.#waitingFrom === this.#waiting.length) {
      this.#waiting = []
      this.#waitingFrom = 0
    } else if (this.#waitingFrom > 1024 && this.#waitingFrom * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#waitingFrom)
      this.#waitingFrom = 0
    }
  }

  #failWaiting(details: string): void {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingFrom = 0
    this.#waitingCount = 0
    this.#waitingBytes = 0
    for (const one of waiting) {
      if (one === undefined) continue
      one.id = 0
      one.failed(new ExchangeFailure(code.unavailable, details, false))
    }
  }

  #schedule(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    setImmediate(() => {
      this.#flushScheduled = false
      if (this.#state !== 'closed') this.#flush()
    })
  }

  #scheduleLater(): void {
    if (this.#flushScheduled || this.#gathers) return
    this.#gathers = true
    if (this.#gatherer !== undefined) {
      this.#gatherer.refresh()
      return
    }
    this.#gatherer = setTimeout(() => {
      this.#gathers = false
      if (this.#state !== 'closed') this.#flush()
    }, gathering)
    this.#gatherer.unref()
  }

  #flush(): void {
    if (this.#cancelled.length > 0) this.#writeCancelled()
    if (this.#writer.length === 0) return
    this.#frameEvents = 0
    if (this.#silentSince === 0) this.#silentSince = performance.now()
    if (this.#call?.write(this.#writer.take()) === false) this.#congested = true
  }

  #writeCancelled(): void {
    const ids = this.#cancelled
    this.#cancelled = []
    const size = ids.reduce((sum, id) => sum + varintSize(id), 0)
    const mark = this.#writer.begin(0x22, size)
    for (const id of ids) this.#writer.varint(id)
    this.#writer.end(mark)
  }
}

/** Which lane a client's events have: the same on every connection. FNV-1a. */
export function laneOf(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
