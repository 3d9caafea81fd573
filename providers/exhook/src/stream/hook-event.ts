import { type HookPointName, Later, type Message, type ProviderCall } from '@hookmq/api'
import { GrpcError } from '../unary/grpc-status.ts'
import type { Exchange, ExchangeEvent, ExchangeFailure } from './exchange.ts'
import type { FrameWriter } from './frame-writer.ts'
import type { RequestWriter } from './hot-requests.ts'

/** What the events of one provider have in common. */
export interface EventSource {
  readonly requests: RequestWriter
  /** Makes a call of its own for an event that never left. */
  instead(point: HookPointName, args: unknown, accumulator: unknown, call: ProviderCall): unknown
  /** What an answer means: a verdict. Throws when it cannot be carried out. */
  verdict(
    point: HookPointName,
    response: Uint8Array,
    metadata: (name: string) => string | undefined,
    accumulator: unknown,
    call: ProviderCall,
  ): unknown
}

/** One event on its way: what the broker waits for, and what the stream calls back, in one. */
export class HookEvent extends Later implements ExchangeEvent {
  readonly call: number
  readonly lane: number
  id = 0
  readonly #source: EventSource
  readonly #point: HookPointName
  readonly #args: unknown
  readonly #accumulator: unknown
  readonly #ticket: ProviderCall
  #exchange: Exchange | undefined

  constructor(
    source: EventSource,
    point: HookPointName,
    call: number,
    lane: number,
    args: unknown,
    accumulator: unknown,
    ticket: ProviderCall,
  ) {
    super()
    this.#source = source
    this.#point = point
    this.call = call
    this.lane = lane
    this.#args = args
    this.#accumulator = accumulator
    this.#ticket = ticket
  }

  get unattended(): boolean {
    return this.#ticket.ahead
  }

  override answer(verdict: unknown): void {
    if (this.#ticket.ahead) this.#ticket.handled()
    else super.answer(verdict)
  }

  override fail(error: unknown): void {
    if (this.#ticket.ahead) this.#ticket.handled(error)
    else super.fail(error)
  }

  send(exchange: Exchange): this {
    this.#exchange = exchange
    this.#ticket.onAbandoned = this
    exchange.send(this)
    return this
  }

  abandoned(): void {
    this.#exchange?.cancel(this)
  }

  get fresh(): boolean {
    return true
  }

  get remaining(): number {
    return this.#ticket.remaining
  }

  get size(): number {
    const message = messageOf(this.#args, this.#accumulator)
    return message === undefined ? 300 : message.payload.length + message.topic.length + 200
  }

  write(writer: FrameWriter): void {
    this.#source.requests.write(writer, this.#point, this.#args, this.#accumulator)
  }

  done(): void {
    this.answer(undefined)
  }

  answered(response: Buffer, metadata: ReadonlyMap<string, string> | undefined): void {
    try {
      const read = (name: string) => metadata?.get(name)
      this.answer(this.#source.verdict(this.#point, response, read, this.#accumulator, this.#ticket))
    } catch (error) {
      this.fail(error)
    }
  }

  failed(failure: ExchangeFailure): void {
    if (failure.sent) return this.fail(new GrpcError(failure.code, failure.message, failure.fromProvider))
    this.#ticket.onAbandoned = undefined
    const asked = async () => this.#source.instead(this.#point, this.#args, this.#accumulator, this.#ticket)
    asked().then(
      (verdict) => this.answer(verdict),
      (error) => this.fail(error),
    )
  }
}

/** The message that an event is about. */
export function messageOf(args: unknown, accumulator: unknown): Message | undefined {
  const { message } = args as { readonly message?: Message }
  if (message !== undefined) return message
  const other = accumulator as Partial<Message> | undefined
  return other?.payload !== undefined && other.topic !== undefined ? (other as Message) : undefined
}
