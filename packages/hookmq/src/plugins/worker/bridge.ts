import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { Decoder } from './codec.ts'
import type { Piece } from './cursors.ts'
import type { Peer } from './peer.ts'
import { ASK, ASK_AND_WAIT, type WaitedAnswer, type WorkerStart } from './protocol.ts'
import { FrameReader } from './reader.ts'
import { type SharedNumbers, seenFrames, waitForAnswer } from './shared.ts'

/** Frames on their way to the broker beyond which what nobody waits for is left out. */
const mostUnseen = 512

/** The worker's end of what it asks of the broker. */
export class Bridge {
  readonly peer: Peer
  readonly #answers: MessagePort
  readonly #shared: SharedNumbers
  readonly #patience: number
  readonly #decoder = new Decoder()
  #number = 0
  /** Log lines and the like that were left out. */
  left = 0

  constructor(peer: Peer, { answers, shared, patience }: WorkerStart) {
    this.peer = peer
    this.#answers = answers
    this.#shared = shared
    this.#patience = patience
  }

  /** Resolves to what the broker's method gives. */
  ask(method: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.peer.call(ASK, method, args)
  }

  /** Nobody waits for it, and nothing is said when it fails. Left out while the broker is far behind. */
  tell(method: string, ...args: readonly unknown[]): boolean {
    if (this.peer.sent - seenFrames(this.#shared) > mostUnseen) {
      this.left++
      return false
    }
    this.peer.tell(ASK, method, args)
    return true
  }

  /**
   * Waits for the answer with the whole thread, for interfaces that answer at once. The broker itself never waits. Throws what the
   * method threw, or an Error when the broker does not answer in time.
   */
  get<T>(method: string, ...args: readonly unknown[]): T {
    const number = ++this.#number
    const end = performance.now() + this.#patience
    const send = (): void => {
      this.peer.tell(ASK_AND_WAIT, number, [method, ...args])
      this.peer.flush()
    }
    let ask = send
    for (;;) {
      const left = end - performance.now()
      if (left <= 0 || !waitForAnswer(this.#shared, ask, left))
        throw new Error(`${method}: the broker did not answer within ${this.#patience} ms`)
      // What was woken for may have been the late answer to an earlier question.
      ask = () => {}
      for (;;) {
        const received = receiveMessageOnPort(this.#answers) as { readonly message: WaitedAnswer } | undefined
        if (received === undefined) break
        const { number: answered, frame } = received.message
        if (answered !== number) continue
        const [failed, value] = this.#decoder.value(new FrameReader(frame)) as [boolean, unknown]
        if (failed) throw value
        return value as T
      }
    }
  }

  /** Goes through a list of the broker, piece by piece. What it was when `method` was called, where the broker promises that. */
  list<T>(method: string, ...args: readonly unknown[]): IterableIterator<T> {
    return this.#through(this.get<Piece>(method, ...args)) as IterableIterator<T>
  }

  *#through(first: Piece): Generator {
    let piece = first
    try {
      for (;;) {
        yield* piece.values
        if (piece.cursor === undefined) return
        piece = this.get<Piece>('next', piece.cursor)
      }
    } finally {
      if (piece.cursor !== undefined) this.tell('close', piece.cursor)
    }
  }
}
