import type { Socket } from 'node:net'
import type { ClusterHost, ClusterMember, ForwardedMessage, RetainedChange, SharedTarget, Tally } from '@hookmq/api'
import { FrameReader } from './frame-reader.ts'
import * as F from './frame-types.ts'
import type { Hello } from './hello.ts'
import { type Bounds, Outgoing } from './outgoing.ts'

/** Milliseconds that a member has to answer. */
const requestPatience = 10_000

/** Retained messages that are sent in one turn of the event loop. */
const retainedBatch = 500

/** Bytes of a message beside its topic and payload, roughly. */
const overhead = 64

interface LinkOwner {
  readonly host: ClusterHost
  /** Writes all that this member has announced. */
  announceAll(out: Outgoing): void
  helloOf(): Hello
  relieved(): void
  away(link: Link): void
  ready(link: Link): void
}

/** One other member, and the connection to it while there is one. */
export class Link implements ClusterMember {
  readonly name: string
  readonly out: Outgoing
  /** Its hello came, and it has announced everything. */
  ready = false
  /** It serves clients: what it has retained is complete. */
  serving = false
  /** It has been there, and not been away for too long: it is kept what it misses. */
  known = false
  received = 0
  readonly #owner: LinkOwner
  readonly #requests = new Map<number, { settle(answer: Answer): void; timer: NodeJS.Timeout }>()
  #requestNumber = 0
  #socket: Socket | undefined
  #acknowledging: Promise<void> | undefined
  /** The run of the member whose numbers these are, and the last of them that was taken. */
  #run = ''
  #taken = 0
  /** The number of the next message. */
  #next = 1
  #moved = false
  /** Receivers of the counted messages that came since the last SYNC. */
  #counts: number[] = []
  #retainedEnd: (() => void) | undefined

  constructor(name: string, bounds: Bounds, owner: LinkOwner) {
    this.name = name
    this.#owner = owner
    this.out = new Outgoing(bounds, () => owner.relieved())
  }

  get connected(): boolean {
    return this.#socket !== undefined && this.ready
  }

  get hasSocket(): boolean {
    return this.#socket !== undefined
  }

  // --- to the member -------------------------------------------------------------------------------------------------

  forward(message: ForwardedMessage, to?: SharedTarget, tally?: Tally): void {
    if (!this.out.admit(overhead + message.topic.length + message.payload.length)) return
    this.out.writer.message(message, to, tally !== undefined)
    if (tally !== undefined) this.out.count(tally)
    this.out.written()
  }

  retain(change: RetainedChange, tally: Tally | undefined): void {
    const { topic, message } = change
    // One that never was there gets all that is retained when it comes.
    if (!this.known || !this.out.admit(overhead + topic.length + (message?.payload.length ?? 0))) return
    const counted = tally !== undefined && message !== undefined
    this.out.writer.retain(change, counted)
    if (counted) this.out.count(tally)
    this.out.written()
  }

  forwardFrame(frame: Uint8Array, start: number, end: number, version: 4 | 5, from: string): void {
    if (!this.out.admit(end - start)) return
    this.out.writer.packet(frame, start, end, version, from)
    this.out.written()
  }

  value(type: number, value: unknown): void {
    this.out.writer.value(type, value)
    this.out.written()
  }

  request(subject: string, value: unknown): Promise<unknown> {
    if (!this.connected) return Promise.reject(new Error(`${this.name} is not there`))
    const id = ++this.#requestNumber
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const settle = (answer: Answer): void => {
      clearTimeout(timer)
      this.#requests.delete(id)
      if ('error' in answer) reject(new Error(answer.error))
      else resolve(answer.value)
    }
    const timer = setTimeout(
      () => settle({ error: `${this.name} did not answer '${subject}' within ${requestPatience / 1000} s` }),
      requestPatience,
    )
    this.#requests.set(id, { settle, timer })
    this.value(F.REQUEST, { id, subject, value })
    return promise
  }

  /** Resolves when all retained messages of the member have come, or it is gone. */
  wantRetained(): Promise<void> {
    return new Promise((resolve) => {
      this.#retainedEnd = resolve
      this.out.writer.text(F.WANT_RETAINED, '')
      this.out.written()
    })
  }

  // --- the connection --------------------------------------------------------------------------------------------------

  /** Takes a connection to the member; what comes on it goes to the reader. */
  attach(socket: Socket): FrameReader {
    const { host } = this.#owner
    this.#socket = socket
    this.#counts = []
    this.ready = false
    if (this.known) host.forgotten(this)
    this.known = true
    host.joined(this)
    this.out.connected(socket, (writer) => {
      writer.value(F.HELLO, this.#owner.helloOf())
      this.#owner.announceAll(this.out)
      writer.text(F.READY, '')
    })
    return new FrameReader((type, reader) => this.#take(type, reader))
  }

  /** The connection is gone. */
  detach(socket: Socket): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    this.ready = false
    this.serving = false
    this.out.disconnected()
    for (const { settle } of [...this.#requests.values()]) settle({ error: `${this.name} is gone` })
    this.#retainedEnd?.()
    this.#owner.host.left(this)
    this.#owner.away(this)
  }

  /** Nobody waits for it any more, and what it announced is void. Returns the number of bytes that are lost. */
  giveUp(): number {
    this.#owner.host.forgotten(this)
    this.known = false
    return this.out.giveUp()
  }

  close(): void {
    this.#socket?.end()
    for (const { settle } of [...this.#requests.values()]) settle({ error: 'the broker stops' })
    this.#retainedEnd?.()
  }

  destroy(): void {
    this.#socket?.destroy()
  }

  #take(type: number, reader: FrameReader): void {
    const { host } = this.#owner
    switch (type) {
      case F.HELLO:
        return this.#met(reader.value() as Hello)
      case F.NUMBER:
        this.#next = reader.double()
        return
      case F.PACKET: {
        this.received++
        const flags = reader.byte()
        const from = reader.sender((flags & 2) !== 0)
        return host.receivedFrame(this, reader.buffer, reader.at, reader.end, (flags & 1) === 0 ? 4 : 5, from)
      }
      case F.MESSAGE: {
        this.received++
        const { message, to, counted } = reader.message()
        const receivers = this.#isNew() ? host.received(this, message, to) : 1
        if (counted) this.#counts.push(receivers)
        return
      }
      case F.RETAIN: {
        this.received++
        const { change, counted } = reader.retained()
        const receivers = this.#isNew() ? host.retained(this, change) : 1
        if (counted) this.#counts.push(receivers)
        return
      }
      case F.ANNOUNCE:
        return host.announced(this, { filter: reader.rest().toString() })
      case F.ANNOUNCE_SHARED:
        return host.announced(this, reader.value() as Parameters<ClusterHost['announced']>[1])
      case F.WITHDRAW:
        return host.withdrawn(this, reader.rest().toString())
      case F.WITHDRAW_SHARED: {
        const { filter, clientId } = reader.value() as { filter: string; clientId: string }
        return host.withdrawn(this, filter, clientId)
      }
      case F.SYNC:
        return this.#acknowledge(reader.double())
      case F.ACK:
        return this.out.acknowledged(reader.double(), reader.counts())
      case F.TELL: {
        const { subject, value } = reader.value() as { subject: string; value: unknown }
        return host.told(this, subject, value)
      }
      case F.REQUEST:
        return this.#answer(reader.value() as { id: number; subject: string; value: unknown })
      case F.RESPONSE: {
        const { id, ...answer } = reader.value() as Answer & { id: number }
        return this.#requests.get(id)?.settle(answer as Answer)
      }
      case F.READY:
        this.ready = true
        return this.#owner.ready(this)
      case F.WANT_RETAINED:
        return this.#sendRetained(host.retainedMessages())
      case F.RETAINED_END:
        return this.#retainedEnd?.()
    }
  }

  #met({ serving, run }: Hello): void {
    this.serving = serving
    if (run === this.#run) return
    const [before, number] = (this.#owner.host.position(this) ?? '').split(' ')
    this.#run = run
    this.#taken = before === run ? Number(number) : 0
  }

  /** false: it came before, and was taken; the member has not heard of that. */
  #isNew(): boolean {
    const number = this.#next++
    if (number <= this.#taken) return false
    this.#taken = number
    this.#moved = true
    return true
  }

  /** All that came in one piece was taken. */
  reached(): void {
    if (!this.#moved) return
    this.#moved = false
    this.#owner.host.reached(this, `${this.#run} ${this.#taken}`)
  }

  /** When what came is safe; one after the other, because the other side counts on the order. */
  #acknowledge(token: number): void {
    const { host } = this.#owner
    const socket = this.#socket
    const counts = this.#counts
    this.#counts = []
    const send = (): void => {
      if (this.#socket !== socket) return
      this.out.writer.acknowledge(token, counts)
      this.out.schedule()
    }
    const settled = host.settled()
    if (settled === undefined && this.#acknowledging === undefined) return send()
    const before = this.#acknowledging
    const work: Promise<void> = Promise.all([before, settled]).then(() => {
      send()
      if (this.#acknowledging === work) this.#acknowledging = undefined
    })
    this.#acknowledging = work
  }

  #answer({ id, subject, value }: { id: number; subject: string; value: unknown }): void {
    const socket = this.#socket
    const respond = (answer: Answer): void => {
      if (this.#socket !== socket) return
      try {
        this.value(F.RESPONSE, { id, ...answer })
      } catch (error) {
        // Functions and the like cannot be copied.
        this.value(F.RESPONSE, { id, error: messageOf(error) })
      }
    }
    const failed = (error: unknown): void => respond({ error: messageOf(error) })
    try {
      const answer = this.#owner.host.requested(this, subject, value)
      if (answer instanceof Promise) answer.then((settled) => respond({ value: settled }), failed)
      else respond({ value: answer })
    } catch (error) {
      failed(error)
    }
  }

  /** A batch in each turn, and only as fast as the member takes them. */
  #sendRetained(messages: ReturnType<ClusterHost['retainedMessages']>): void {
    const socket = this.#socket
    const step = (): void => {
      if (socket === undefined || this.#socket !== socket) return
      for (let count = 0; count < retainedBatch; count++) {
        const next = messages.next()
        if (next.done === true) {
          this.out.writer.text(F.RETAINED_END, '')
          return this.out.written()
        }
        if (next.value === undefined) continue
        const { id, ...message } = next.value
        this.out.writer.retain(
          { topic: message.topic, message: { ...message, seenId: id }, stamp: 0, route: false },
          false,
        )
        this.out.written()
        if (this.out.congested) break
      }
      if (this.out.congested) socket.once('drain', step)
      else setImmediate(step)
    }
    step()
  }
}

type Answer = { readonly value: unknown } | { readonly error: string }

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
