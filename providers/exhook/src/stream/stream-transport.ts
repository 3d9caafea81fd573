import type { HookPointName, Later, ProviderCall } from '@hookmq/api'
import { exhookCalls } from '@hookmq/exhook-proto'
import { keyOf } from '../map/index.ts'
import { GrpcError, GrpcStatus } from '../unary/grpc-status.ts'
import type { TransportCounters, UnaryCall, UnaryOptions, UnaryReply, UnaryTransport } from '../unary/transport.ts'
import {
  Exchange,
  type ExchangeEvent,
  type ExchangeFailure,
  type FrameCall,
  type FrameCallEvents,
  laneOf,
} from './exchange.ts'
import type { FrameWriter } from './frame-writer.ts'
import { type EventSource, HookEvent, messageOf } from './hook-event.ts'
import { notSent } from './not-sent.ts'

export const exchangePath = '/hookmq.exhook.v1.HookStream/Exchange'

/** Milliseconds after which a stream that broke is opened again: doubled each time that it does not last. */
const firstBackOff = 100
const longestBackOff = 30_000
/** A stream that was open for so long counts as one that works. */
const lasting = 10_000
/** Milliseconds in which a provider says hello. */
const helloPatience = 5000

/** Unary calls that can also carry frames, over the same connections. */
export interface FrameCarrier extends UnaryTransport {
  /** Opens a bidirectional call on the connection of this place. Throws when it cannot be begun. */
  frames(place: number, path: string, maxFrameBytes: number, events: FrameCallEvents): FrameCall
}

export interface StreamTransportOptions {
  /** Streams, each on a connection of its own. */
  readonly streams: number
  /** RequestMeta, encoded. */
  readonly meta: Uint8Array
  /** Milliseconds that a call may take; 0: for ever. */
  readonly timeout: number
  /** Events of one stream that may wait for credit. */
  readonly maxWaiting: number
  /** Bytes of them. */
  readonly maxWaitingBytes: number
  /** So many events may be unfinished before notifications wait for each other again; 0: they always do. */
  readonly ahead: number
  /** Bytes of the largest frame that the provider may send. */
  readonly maxFrameBytes: number
  /** Told when a stream opens, when it closes, and when the provider turns out not to have one. */
  readonly observe: (what: StreamNews) => void
}

type StreamNews =
  | { readonly what: 'open'; readonly place: number }
  | { readonly what: 'unimplemented'; readonly place: number }
  | { readonly what: 'closed'; readonly place: number; readonly code: number; readonly details: string }

export interface StreamCounters {
  /** Streams that are open now. */
  readonly open: number
  readonly opened: number
  readonly broken: number
  /** Events that left in frames, and calls that were made one by one because no stream was open. */
  readonly events: number
  readonly unary: number
  /** Answers for which nobody waited any more. */
  readonly late: number
  /** Events that had left on a stream that ended before they were answered. */
  readonly lost: number
  readonly unfinished: number
  /** Events that wait for credit. */
  readonly waiting: number
}

const numberOfHook: ReadonlyMap<string, number> = new Map(exhookCalls.map(({ hook }, index) => [hook ?? '', index + 1]))
const numbers: ReadonlyMap<string, { readonly number: number; readonly valued: boolean }> = new Map(
  exhookCalls.map(({ name, valued }, index) => [name, { number: index + 1, valued }]),
)

/**
 * Carries calls as events of a stream while one is open, and one by one while none is. What has left on a stream that breaks has failed; what had
 * not left yet goes as a unary call.
 */
export class StreamTransport implements UnaryTransport {
  readonly #carrier: FrameCarrier
  readonly #options: StreamTransportOptions
  #seats: readonly Seat[] = []
  #events = 0
  #unary = 0
  #past = { opened: 0, broken: 0, late: 0, lost: 0 }

  constructor(carrier: FrameCarrier, options: StreamTransportOptions) {
    this.#carrier = carrier
    this.#options = options
  }

  get counters(): TransportCounters {
    return this.#carrier.counters
  }

  get connections(): number {
    return this.#carrier.connections
  }

  get streams(): StreamCounters {
    const sum = (field: 'opened' | 'broken' | 'late' | 'lost' | 'unfinished' | 'waiting' | 'openNow') =>
      this.#seats.reduce((total, seat) => total + seat[field], 0)
    return {
      open: sum('openNow'),
      opened: sum('opened') + this.#past.opened,
      broken: sum('broken') + this.#past.broken,
      events: this.#events,
      unary: this.#unary,
      late: sum('late') + this.#past.late,
      lost: sum('lost') + this.#past.lost,
      unfinished: sum('unfinished'),
      waiting: sum('waiting'),
    }
  }

  probe(timeout: number): Promise<boolean> {
    return this.#carrier.probe(timeout)
  }

  /** Opens the streams. Resolves when it is known of each whether the provider has it: true when all are open. */
  async start(): Promise<boolean> {
    this.stop()
    const seats = Array.from({ length: this.#options.streams }, (_, place) => {
      const seat = new Seat(this.#carrier, this.#options, place)
      seat.open()
      return seat
    })
    this.#seats = seats
    return (await Promise.all(seats.map((seat) => seat.known))).every((open) => open)
  }

  /** Half-closes the streams: what is under way may still be answered. Calls go one by one from here on. */
  stop(): void {
    for (const seat of this.#seats) {
      seat.stop()
      this.#past.opened += seat.opened
      this.#past.broken += seat.broken
      this.#past.late += seat.late
      this.#past.lost += seat.lost
    }
    this.#seats = []
  }

  close(): void {
    const seats = this.#seats
    this.stop()
    for (const seat of seats) seat.abort()
    this.#carrier.close()
  }

  /** The stream that takes the events of this client, if it is open. */
  exchangeOf(lane: number): Exchange | undefined {
    const seats = this.#seats
    if (seats.length === 0) return undefined
    return seats[seats.length === 1 ? 0 : lane % seats.length].exchange
  }

  /**
   * As `event`, for notifications. `notSent` also when it is on its way and nobody need wait for it: the provider handles those of one client one after
   * the other, so that they may follow each other closely, as far as there is room.
   */
  tell(
    source: EventSource,
    point: HookPointName,
    args: unknown,
    accumulator: unknown,
    call: ProviderCall,
  ): Later | typeof notSent | undefined {
    const lane = laneOf(keyOf(args, accumulator))
    const exchange = this.exchangeOf(lane)
    if (exchange === undefined || !exchange.hasRoom || exchange.unfinished >= this.#options.ahead)
      return this.event(source, point, args, accumulator, call)
    if (this.#isHidden(point, args, accumulator)) return notSent
    this.#events++
    call.ahead = true
    exchange.send(new HookEvent(source, point, numberOfHook.get(point) ?? 0, lane, args, accumulator, call))
    return notSent
  }

  #isHidden(point: HookPointName, args: unknown, accumulator: unknown): boolean {
    return point.startsWith('message.') && messageOf(args, accumulator)?.topic.startsWith('$SYS/') !== false
  }

  /** Takes an event as it is, without the detour over bytes and promises. undefined: no stream is open, a call has to be made. */
  event(
    source: EventSource,
    point: HookPointName,
    args: unknown,
    accumulator: unknown,
    call: ProviderCall,
  ): Later | typeof notSent | undefined {
    const lane = laneOf(keyOf(args, accumulator))
    const exchange = this.exchangeOf(lane)
    const number = numberOfHook.get(point)
    if (exchange === undefined || number === undefined) {
      this.#unary++
      return undefined
    }
    // The broker's own messages are none of a provider's business.
    if (this.#isHidden(point, args, accumulator)) return notSent
    this.#events++
    return new HookEvent(source, point, number, lane, args, accumulator, call).send(exchange)
  }

  call(path: string, request: Uint8Array, options: UnaryOptions): UnaryCall {
    const kind = numbers.get(path.slice(path.lastIndexOf('/') + 1))
    const lane = laneOf(options.key)
    const exchange = this.exchangeOf(lane)
    if (exchange === undefined || kind === undefined || kind.number <= 2) {
      this.#unary++
      return this.#carrier.call(path, request, options)
    }
    this.#events++
    return new EventCall(this.#carrier, exchange, path, request, options, kind, lane)
  }
}

/** One place for a stream: opens it, and opens it again when it broke. */
class Seat {
  readonly #carrier: FrameCarrier
  readonly #options: StreamTransportOptions
  readonly #place: number
  readonly #known = Promise.withResolvers<boolean>()
  /** The stream, from the provider's hello on. */
  exchange: Exchange | undefined
  #current: Exchange | undefined
  #timer: NodeJS.Timeout | undefined
  #backOff = 0
  #openedAt = 0
  #lateBefore = 0
  #lostBefore = 0
  #stopped = false
  opened = 0
  broken = 0

  constructor(carrier: FrameCarrier, options: StreamTransportOptions, place: number) {
    this.#carrier = carrier
    this.#options = options
    this.#place = place
  }

  /** Whether the first attempt has led to an open stream. */
  get known(): Promise<boolean> {
    return this.#known.promise
  }

  get openNow(): number {
    return this.exchange === undefined ? 0 : 1
  }

  get late(): number {
    return this.#lateBefore + (this.#current?.late ?? 0)
  }

  get lost(): number {
    return this.#lostBefore + (this.#current?.lost ?? 0)
  }

  get unfinished(): number {
    return this.#current?.unfinished ?? 0
  }

  get waiting(): number {
    return this.#current?.waiting ?? 0
  }

  open(): void {
    const { meta, timeout, maxWaiting, maxWaitingBytes, maxFrameBytes } = this.#options
    const exchange: Exchange = new Exchange(
      { meta, timeout, maxWaiting, maxWaitingBytes, maxFrameBytes },
      {
        opened: () => this.#opened(exchange),
        closed: (code, details) => this.#closed(exchange, code, details),
      },
    )
    this.#lateBefore = this.late
    this.#lostBefore = this.lost
    this.#current = exchange
    this.#timer = setTimeout(() => exchange.abort('the provider did not say hello'), helloPatience)
    this.#timer.unref()
    try {
      exchange.begin(this.#carrier.frames(this.#place, exchangePath, maxFrameBytes, exchange))
    } catch (error) {
      exchange.abort(error instanceof Error ? error.message : String(error))
    }
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.exchange = undefined
    this.#current?.close()
    this.#known.resolve(false)
  }

  abort(): void {
    this.#current?.abort('the provider is being unloaded')
  }

  #opened(exchange: Exchange): void {
    clearTimeout(this.#timer)
    if (this.#stopped) return
    this.exchange = exchange
    this.opened++
    this.#openedAt = performance.now()
    this.#options.observe({ what: 'open', place: this.#place })
    this.#known.resolve(true)
  }

  #closed(exchange: Exchange, code: number, details: string): void {
    clearTimeout(this.#timer)
    const wasOpen = this.exchange === exchange
    this.exchange = undefined
    if (this.#stopped) return
    this.#known.resolve(false)
    if (!wasOpen && code === GrpcStatus.UNIMPLEMENTED) {
      this.#options.observe({ what: 'unimplemented', place: this.#place })
      return
    }
    if (code !== 0) this.broken++
    if (wasOpen && performance.now() - this.#openedAt >= lasting) this.#backOff = 0
    this.#backOff = Math.min(longestBackOff, this.#backOff * 2 || firstBackOff)
    this.#options.observe({ what: 'closed', place: this.#place, code, details })
    this.#timer = setTimeout(() => this.open(), this.#backOff)
    this.#timer.unref()
  }
}

const ignored = Buffer.from([0x08, 0x01])
const handled = Buffer.alloc(0)

/** A call whose request is known in bytes, as an event. */
class EventCall implements UnaryCall, ExchangeEvent {
  readonly reply: Promise<UnaryReply>
  readonly call: number
  readonly lane: number
  readonly size: number
  readonly fresh = false
  readonly unattended = false
  id = 0
  readonly #carrier: FrameCarrier
  readonly #exchange: Exchange
  readonly #path: string
  readonly #request: Uint8Array
  readonly #options: UnaryOptions
  readonly #valued: boolean
  readonly #due: number
  #timer: NodeJS.Timeout | undefined
  #instead: UnaryCall | undefined
  #over = false
  #resolve: (reply: UnaryReply | PromiseLike<UnaryReply>) => void = () => {}
  #reject: (error: GrpcError) => void = () => {}

  constructor(
    carrier: FrameCarrier,
    exchange: Exchange,
    path: string,
    request: Uint8Array,
    options: UnaryOptions,
    kind: { readonly number: number; readonly valued: boolean },
    lane: number,
  ) {
    this.#carrier = carrier
    this.#exchange = exchange
    this.#path = path
    this.#request = request
    this.#options = options
    this.#valued = kind.valued
    this.call = kind.number
    this.lane = lane
    this.size = request.length
    this.reply = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#due = performance.now() + options.deadline
    if (options.timeout > 0) this.#timer = setTimeout(() => this.#giveUp(), options.timeout)
    exchange.send(this)
  }

  get remaining(): number {
    return this.#due - performance.now()
  }

  write(writer: FrameWriter): void {
    writer.raw(this.#request)
  }

  cancel(): void {
    if (this.#over) return
    this.#abandon(new GrpcError(GrpcStatus.CANCELLED, 'nobody waits for the answer any more'))
  }

  done(): void {
    this.#settle(this.#valued ? ignored : handled, undefined)
  }

  answered(response: Buffer, metadata: ReadonlyMap<string, string> | undefined): void {
    this.#settle(response, metadata)
  }

  failed(failure: ExchangeFailure): void {
    if (this.#over) return
    if (failure.sent || failure.code === GrpcStatus.RESOURCE_EXHAUSTED) {
      this.#finish()
      this.#reject(new GrpcError(failure.code, failure.message, failure.fromProvider))
      return
    }
    this.#instead = this.#carrier.call(this.#path, this.#request, { ...this.#options, deadline: this.remaining })
    this.#resolve(this.#instead.reply)
  }

  #settle(message: Uint8Array, metadata: ReadonlyMap<string, string> | undefined): void {
    if (this.#over) return
    this.#finish()
    this.#resolve({ message, metadata: (name) => metadata?.get(name) })
  }

  #giveUp(): void {
    if (!this.#over) this.#abandon(new GrpcError(GrpcStatus.DEADLINE_EXCEEDED, 'no answer in time'))
  }

  #abandon(error: GrpcError): void {
    this.#finish()
    this.#exchange.cancel(this)
    this.#instead?.cancel()
    this.#reject(error)
  }

  #finish(): void {
    this.#over = true
    clearTimeout(this.#timer)
  }
}
