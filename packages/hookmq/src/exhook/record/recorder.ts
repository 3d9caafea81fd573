import type { HookHandle, HookHandler, HookOptions, HookPointName, Message } from '@hookmq/api'
import type { ExHookPoint } from '@hookmq/provider-exhook/client'
import { exhookHookNames, isExHookPoint } from '@hookmq/provider-exhook/client'
import { version } from '../../version.ts'
import { formatName, formatVersion, type RecordedEvent, type RecordHeader } from './format.ts'
import { type Masking, recordContext, requestFields } from './request-fields.ts'
import { type ChainResult, chainVerdict } from './verdict.ts'

/** What a recorder needs of the broker's hooks. */
export interface RecordedHooks {
  add<P extends HookPointName>(point: P, handler: HookHandler<P>, options: HookOptions): HookHandle
  /** `watcher` is told of each run of the point's chain, and returns what is told its result; undefined: no more. */
  watch(point: HookPointName, watcher: ((args: object) => (result: unknown) => void) | undefined): void
}

export interface RecordingOptions extends Masking {
  /** Default: all that providers can ask for. */
  readonly hooks?: readonly ExHookPoint[]
  /** Events that wait to be fetched; one more is dropped, and counted. */
  readonly limit: number
  /** Bytes of their payloads. */
  readonly limitBytes: number
  /** Milliseconds after which a recording ends from which nobody has fetched. Default 15,000. */
  readonly abandonedAfter?: number
}

export interface Fetched {
  readonly events: readonly RecordedEvent[]
  /** So far. */
  readonly dropped: number
  /** Still to be fetched. */
  readonly waiting: number
}

/** Providers have 100: what they would be asked is what is written down. */
const priority = 101
/** A call that has no answer after so many milliseconds holds those behind it up no longer. */
const answerPatience = 10_000
const abandonedAfter = 15_000

const decided: readonly HookPointName[] = ['client.authenticate', 'client.authorize', 'message.publish']

interface Noted {
  readonly seq: number
  readonly point: ExHookPoint
  readonly args: unknown
  readonly accumulator: unknown
  /** Milliseconds since the start. */
  readonly at: number
  readonly bytes: number
  result?: ChainResult
}

/**
 * Notes what hooks are asked, as references: making lines of it is left to whoever fetches them. Changes nothing, and is in no chain while nothing is
 * recorded. One recording at a time.
 */
export class Recorder {
  readonly #hooks: RecordedHooks
  readonly #node: string
  #recording: Recording | undefined

  constructor(hooks: RecordedHooks, node: string) {
    this.#hooks = hooks
    this.#node = node
  }

  get running(): boolean {
    return this.#recording !== undefined
  }

  /** undefined: there is a recording already. */
  start(options: RecordingOptions): RecordHeader | undefined {
    if (this.#recording !== undefined) return undefined
    const recording = new Recording(this.#hooks, this.#node, options, () => this.stop())
    this.#recording = recording
    return recording.header
  }

  /** At most `most` events, the oldest first. undefined: nothing is being recorded. */
  fetch(most: number): Fetched | undefined {
    return this.#recording?.fetch(most)
  }

  /** Takes the hooks out. What waits can still be fetched, until the next call. */
  stop(): Fetched | undefined {
    const recording = this.#recording
    this.#recording = undefined
    return recording?.end()
  }
}

class Recording {
  readonly header: RecordHeader
  readonly #options: RecordingOptions
  readonly #hooks: RecordedHooks
  readonly #points: readonly ExHookPoint[]
  readonly #context: ReturnType<typeof recordContext>
  readonly #handles: HookHandle[]
  readonly #runs = new WeakMap<object, Noted>()
  readonly #began = performance.now()
  readonly #abandoned: NodeJS.Timeout
  #noted: Noted[] = []
  #bytes = 0
  #seq = 0
  #dropped = 0

  constructor(hooks: RecordedHooks, node: string, options: RecordingOptions, abandon: () => void) {
    const points = options.hooks ?? exhookHookNames.filter(isPoint)
    this.#options = options
    this.#hooks = hooks
    this.#points = points
    this.#context = recordContext(node)
    this.header = {
      format: formatName,
      version: formatVersion,
      source: 'broker',
      started: new Date().toISOString(),
      node,
      hookmq: version,
      hooks: points,
      payloads: options.payloads ? 'kept' : 'masked',
      passwords: options.passwords ? 'kept' : 'masked',
    }
    for (const point of points) if (decided.includes(point)) hooks.watch(point, (args) => this.#watch(args))
    this.#handles = points.map((point) =>
      hooks.add(
        point,
        ((args: unknown, accumulator: unknown) => this.#note(point, args, accumulator)) as HookHandler<typeof point>,
        { priority, name: 'record', failedAction: 'ignore' },
      ),
    )
    this.#abandoned = setTimeout(abandon, options.abandonedAfter ?? abandonedAfter)
    this.#abandoned.unref()
  }

  #note(point: ExHookPoint, args: unknown, accumulator: unknown): undefined {
    const message = messageOf(args, accumulator)
    // What is the broker's own is sent to no provider.
    if (message?.topic.startsWith('$SYS/') === true) return
    const seq = ++this.#seq
    const bytes = message?.payload.length ?? 0
    const { limit, limitBytes } = this.#options
    if (this.#noted.length >= limit || this.#bytes + bytes > limitBytes) {
      this.#dropped++
      return
    }
    const noted: Noted = { seq, point, args, accumulator, at: performance.now() - this.#began, bytes }
    this.#bytes += bytes
    this.#noted.push(noted)
    if (decided.includes(point)) this.#runs.set(args as object, noted)
  }

  #watch(args: object): (result: unknown) => void {
    return (result) => {
      const noted = this.#runs.get(args)
      // Decided by somebody in front of the providers: they are not asked.
      if (noted !== undefined) noted.result = { result, took: performance.now() - this.#began - noted.at }
    }
  }

  fetch(most: number, patience = answerPatience): Fetched {
    this.#abandoned.refresh()
    const events: RecordedEvent[] = []
    const now = performance.now() - this.#began
    let taken = 0
    while (taken < this.#noted.length && events.length < most) {
      const noted = this.#noted[taken]
      const open = decided.includes(noted.point) && noted.result === undefined
      if (open && now - noted.at < patience) break
      taken++
      this.#bytes -= noted.bytes
      const event = this.#event(noted)
      if (event !== undefined) events.push(event)
    }
    this.#noted = this.#noted.slice(taken)
    return { events, dropped: this.#dropped, waiting: this.#noted.length }
  }

  #event({ seq, point, args, accumulator, at, result }: Noted): RecordedEvent | undefined {
    const found = requestFields(this.#context, point, args, accumulator, this.#options)
    if (found === undefined) return undefined
    const verdict = decided.includes(point)
      ? chainVerdict(point, accumulator, result, this.#options.payloads)
      : undefined
    return {
      seq,
      at: round(at),
      hook: point,
      ...found,
      ...(verdict === undefined ? {} : { verdict }),
      ...(result === undefined ? {} : { took: round(result.took) }),
    }
  }

  end(): Fetched {
    clearTimeout(this.#abandoned)
    for (const handle of this.#handles) handle.remove()
    for (const point of this.#points) if (decided.includes(point)) this.#hooks.watch(point, undefined)
    return this.fetch(Number.POSITIVE_INFINITY, 0)
  }
}

function isPoint(name: string): name is ExHookPoint {
  return isExHookPoint(name as HookPointName)
}

function messageOf(args: unknown, accumulator: unknown): Message | undefined {
  const { message = accumulator } = args as { readonly message?: unknown }
  return typeof message === 'object' && message !== null && 'payload' in message ? (message as Message) : undefined
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
