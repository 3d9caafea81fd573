import type { MemberAnswer } from '@hookmq/api'
import type { RecordedEvent, RecordHeader } from './format.ts'
import type { Fetched, Recorder, RecordingOptions } from './recorder.ts'

/** What one process asks the recorders of the others. */
export interface RecorderQuestion {
  readonly start?: RecordingOptions
  readonly fetch?: number
  readonly stop?: true
}

/** Where the events of one process have come to. */
interface Source {
  /** Milliseconds between the start of its recording and that of this one. */
  readonly offset: number
  /** Fetched, and not yet handed out; `at` counts from the start of this one. */
  events: RecordedEvent[]
  /** Nothing that happened before can come any more. */
  upTo: number
  dropped: number
  waiting: number
}

/** Milliseconds by which the clocks of two processes may be apart. */
const drift = 5

/** The name of this process among the sources. */
const own = ''

/** Records what happens in all processes of a broker: one after the other in the order of time. */
export class WholeRecorder {
  readonly #recorder: Recorder
  readonly #ask: (question: RecorderQuestion) => Promise<readonly MemberAnswer[]>
  #sources = new Map<string, Source>()
  #began = 0
  #seq = 0
  /** Of the last event that was handed out. */
  #at = 0

  constructor(recorder: Recorder, ask: (question: RecorderQuestion) => Promise<readonly MemberAnswer[]>) {
    this.#recorder = recorder
    this.#ask = ask
  }

  /** undefined: there is a recording already. */
  async start(options: RecordingOptions): Promise<RecordHeader | undefined> {
    const header = this.#recorder.start(options)
    if (header === undefined) return undefined
    this.#began = performance.now()
    this.#seq = 0
    this.#at = 0
    this.#sources = new Map([[own, newSource(0)]])
    for (const { member, answer } of await this.#ask({ start: options })) {
      const { started } = (answer ?? {}) as Partial<RecordHeader>
      if (started !== undefined) this.#sources.set(member, newSource(Date.parse(started) - Date.parse(header.started)))
    }
    const processes = this.#sources.size
    return processes === 1 ? header : { ...header, processes }
  }

  /** About `most` events of each process, the oldest first. undefined: nothing is being recorded. */
  async fetch(most: number): Promise<Fetched | undefined> {
    if (this.#sources.size <= 1) return this.#recorder.fetch(most)
    const now = performance.now() - this.#began
    // One that is ahead of the others waits for them.
    const wanted = [...this.#sources].some(([name, { events }]) => name !== own && events.length < most)
    const answers = wanted ? await this.#ask({ fetch: most }) : []
    const fetched = this.#recorder.fetch(most)
    if (fetched === undefined) return undefined
    this.#take(own, fetched, now)
    if (wanted) this.#takeAll(answers, now)
    return this.#handOut(Math.min(...[...this.#sources.values()].map(({ upTo }) => upTo)))
  }

  async stop(): Promise<Fetched | undefined> {
    if (this.#sources.size <= 1) return this.#recorder.stop()
    const answers = await this.#ask({ stop: true })
    const fetched = this.#recorder.stop()
    if (fetched === undefined) return undefined
    this.#take(own, fetched, Number.POSITIVE_INFINITY)
    this.#takeAll(answers, Number.POSITIVE_INFINITY)
    return this.#handOut(Number.POSITIVE_INFINITY)
  }

  #takeAll(answers: readonly MemberAnswer[], now: number): void {
    for (const { member, answer } of answers) if (answer !== undefined) this.#take(member, answer as Fetched, now)
    // One that is gone, or was started again, holds the others up no longer.
    const there = new Set(answers.filter(({ answer }) => answer !== undefined).map(({ member }) => member))
    for (const [name, source] of this.#sources)
      if (name !== own && !there.has(name)) source.upTo = Number.POSITIVE_INFINITY
  }

  #take(name: string, { events, dropped, waiting }: Fetched, now: number): void {
    const source = this.#sources.get(name)
    if (source === undefined) return
    for (const event of events) source.events.push({ ...event, at: Math.max(0, event.at + source.offset) })
    source.dropped = dropped
    source.waiting = waiting
    const last = source.events.at(-1)?.at ?? source.upTo
    // What has been noted when it was asked has come, unless there was more of it than wanted.
    source.upTo = waiting === 0 ? Math.max(now - drift, last) : last
  }

  #handOut(upTo: number): Fetched {
    const sources = [...this.#sources.values()]
    const ready: RecordedEvent[] = []
    for (const source of sources) {
      const end = source.events.findIndex(({ at }) => at > upTo)
      ready.push(...source.events.splice(0, end === -1 ? source.events.length : end))
    }
    ready.sort((one, other) => one.at - other.at)
    return {
      events: ready.map((event) => {
        this.#at = Math.max(this.#at, event.at)
        return { ...event, seq: ++this.#seq, at: this.#at }
      }),
      dropped: sources.reduce((sum, { dropped }) => sum + dropped, 0),
      waiting: sources.reduce((sum, { waiting, events }) => sum + waiting + events.length, 0),
    }
  }
}

/** What another process asks this one's recorder. undefined: it cannot. */
export function answerOf(recorder: Recorder, question: RecorderQuestion): RecordHeader | Fetched | undefined {
  const { start, fetch } = question
  if (start !== undefined) return recorder.start(start)
  return fetch === undefined ? recorder.stop() : recorder.fetch(fetch)
}

function newSource(offset: number): Source {
  return { offset, events: [], upTo: 0, dropped: 0, waiting: 0 }
}
