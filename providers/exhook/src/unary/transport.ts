/** What carries unary calls to one server: HTTP/2 in practice. */
export interface UnaryTransport {
  /**
   * Begins a call. Those with the same `key` leave in the order in which they were begun, over one connection. Never throws; the reply rejects with a
   * `GrpcError`. No request is sent twice, except one of which the server said that it has not looked at it.
   */
  call(path: string, request: Uint8Array, options: UnaryOptions): UnaryCall
  /** Whether every connection is up, or can be within so many milliseconds. */
  probe(timeout: number): Promise<boolean>
  readonly counters: TransportCounters
  /** Connections that are up. */
  readonly connections: number
  /** Ends connections; calls in flight fail. */
  close(): void
}

export interface UnaryOptions {
  /** Whose call it is: its client id. */
  readonly key: string
  /** What the server is told, milliseconds; Infinity: nothing. */
  readonly deadline: number
  /** Milliseconds after which this side gives up; 0: the caller cancels in time. */
  readonly timeout: number
}

export interface UnaryCall {
  readonly reply: Promise<UnaryReply>
  /** Nobody waits any more: the server is told to stop. */
  cancel(): void
}

export interface UnaryReply {
  readonly message: Uint8Array
  /** Response headers and trailers, trailers first. */
  metadata(name: string): string | undefined
}

export interface TransportCounters {
  /** Connections that were made, and those that broke or could not be made. */
  readonly connected: number
  readonly broken: number
  /** Calls that were cancelled because nobody waited any more. */
  readonly cancelled: number
  /** Calls sent once more, because the server had refused them unseen. */
  readonly resent: number
}
