import type { Value } from './value.ts'

/** How a handler wants to be called, as it says in its answer to `init`. */
export type Style =
  /** The hooks and arguments of EMQX 4.1: `compatible/`. */
  | 'compatible'
  /** All that the broker's own hooks have: `modern/`. */
  | 'modern'

/** One callback that the handler has named. Calls refer to it by its place in the list. */
export interface CallbackSpec {
  /** compatible: `client_check_acl`; modern: `client.authorize`. Not checked yet. */
  readonly hook: string
  /** For messages and logs: `hooks:emqx_hook.on_client_connect`. */
  readonly target: string
  /** Empty: all. */
  readonly topics: readonly string[]
  /** Nobody waits for what it returns, also where it could decide. */
  readonly observe?: boolean
}

export interface InitRequest {
  readonly id: number
  /** Module or class with init and deinit. */
  readonly module: string
}

export interface InitReply {
  readonly style: Style
  readonly callbacks: readonly CallbackSpec[]
  /**
   * The process itself handles the calls of one client in the order in which they were sent. Then the broker need not wait for the end of a
   * notification before it sends the next event of the same client.
   */
  readonly ordered: boolean
  /** The process wants to know which calls nobody waits for any more. */
  readonly givesUp: boolean
  /** What is wrong with the answer but does not matter enough to refuse it; one line each. */
  readonly warnings: readonly string[]
}

export interface Call {
  readonly id: number
  /** Place in `InitReply.callbacks`. */
  readonly callback: number
  /** The hook of that callback: a codec that leaves out what the other side knows about it looks here. */
  readonly hook: string
  /** Client id, or who else the event is about. Calls with the same key are handled in order. */
  readonly key: string
  readonly args: readonly Value[]
}

export interface Failure {
  /** `ValueError`, `java.lang.IllegalStateException`. */
  readonly type: string
  readonly text: string
  /** As the language prints it, newest call last or first as is its custom. May be empty. */
  readonly traceback: string
  /** One line that names the place, such as `data/extension/hooks.py line 7`; absent when it is not known. */
  readonly place?: string
}

/** What the process sends beside answers. */
export type Incoming =
  /** First of all, before any answer. */
  | { readonly kind: 'hello'; readonly runtime: string; readonly processId: number }
  | { readonly kind: 'init'; readonly id: number; readonly reply: InitReply }
  /** Beside what it prints. */
  | { readonly kind: 'log'; readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly text: string }

/** Gets what the process sends, in order. */
export interface Receiver {
  answered(id: number, value: Value): void
  failed(id: number, failure: Failure): void
  received(incoming: Incoming): void
}

/**
 * Writes and reads the bodies of frames; the frames themselves (4 bytes of length, big-endian, then the body) are not its business. One codec serves
 * one process, so it may remember what it has sent.
 *
 * `init` is answered by `received` with its id, or by `failed`; `deinit` and calls by `answered` or `failed`, in any order. Ids are positive and less
 * than 2^30. Bodies may be reused by whatever is written next.
 */
export interface Codec {
  init(request: InitRequest): Uint8Array
  deinit(id: number): Uint8Array
  /** Writes one more call into the frame that is being made; returns the bytes that it has now. Throws when it cannot, and has not begun it then. */
  addCall(call: Call): number
  /** That frame, with one call at least. The next call begins another one. */
  takeCalls(): Uint8Array
  /** Nobody waits for these any more. They may still be answered. */
  abandon(ids: readonly number[]): Uint8Array
  /** Throws an Error that says what is wrong with the body: the process is ended then. */
  decode(body: Uint8Array, receiver: Receiver): void
}
