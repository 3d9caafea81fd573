import { create, fromBinary, stream, toBinary } from '@hookmq/exhook-proto'
import {
  Exchange,
  type ExchangeEvent,
  type ExchangeFailure,
  type ExchangeOptions,
  type FrameCall,
  frameRoom,
} from './exchange.ts'
import type { FrameWriter } from './frame-writer.ts'

type FrameInit = NonNullable<Parameters<typeof create<typeof stream.ProviderFrameSchema>>[1]>

/** The far end of one Exchange, in this process: what it reads and writes is encoded by @bufbuild/protobuf. */
export class FarEnd implements FrameCall {
  readonly frames: stream.BrokerFrame[] = []
  readonly exchange: Exchange
  halfClosed = false
  cancelled = false
  congested = false
  opened = 0
  closed: { readonly code: number; readonly details: string } | undefined

  constructor(options: Partial<ExchangeOptions> = {}) {
    this.exchange = new Exchange(
      {
        meta: new Uint8Array(),
        timeout: 5000,
        maxWaiting: 100,
        maxWaitingBytes: 1_000_000,
        maxFrameBytes: 65_536,
        ...options,
      },
      {
        opened: () => void this.opened++,
        closed: (code, details) => {
          this.closed = { code, details }
        },
      },
    )
    this.exchange.begin(this)
  }

  write(frame: Buffer): boolean {
    this.frames.push(fromBinary(stream.BrokerFrameSchema, frame.subarray(frameRoom)))
    return !this.congested
  }

  end(): void {
    this.halfClosed = true
  }

  cancel(): void {
    this.cancelled = true
  }

  say(init: FrameInit): void {
    const bytes = toBinary(stream.ProviderFrameSchema, create(stream.ProviderFrameSchema, init))
    this.exchange.frame(Buffer.from(bytes))
  }

  hello(grant: number, limits: { readonly maxFrameBytes?: number; readonly maxFrameEvents?: number } = {}): void {
    this.say({ hello: { version: 1, grant, ...limits } })
  }

  /** Ids and lanes of all events that came. */
  get received(): { readonly id: number; readonly lane: number; readonly event: stream.Event }[] {
    return this.frames.flatMap(({ first, events }) =>
      events.map((event, index) => ({ id: Number(first) + index, lane: event.lane, event })),
    )
  }

  get cancelledIds(): number[] {
    return this.frames.flatMap(({ cancelled }) => cancelled.map(Number))
  }
}

export class TestEvent implements ExchangeEvent {
  id = 0
  readonly fresh = false
  unattended = false
  readonly call: number
  readonly lane: number
  remaining: number
  readonly size: number
  readonly request: Uint8Array
  /** How often it was called back, and with what. */
  readonly outcomes: ('done' | Buffer | ExchangeFailure)[] = []

  constructor(lane: number, request: Uint8Array = new Uint8Array(), call = 18, remaining = 5000) {
    this.call = call
    this.lane = lane
    this.remaining = remaining
    this.request = request
    this.size = request.length
  }

  write(writer: FrameWriter): void {
    writer.raw(this.request)
  }

  done(): void {
    this.outcomes.push('done')
  }

  answered(response: Buffer): void {
    this.outcomes.push(response)
  }

  failed(failure: ExchangeFailure): void {
    this.outcomes.push(failure)
  }
}

export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
