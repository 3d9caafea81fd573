/** Subject of a TLS client certificate. */
export interface PeerCertificate {
  readonly commonName?: string
  /** RFC 2253 text, such as 'CN=device-1,O=Acme'. */
  readonly subject: string
}

/**
 * One accepted connection, as a listener hands it to the broker: bytes and an address. The core owns it from then on.
 */
export interface Transport {
  /** 'tcp', 'ssl', 'ws', 'wss', 'unix', 'link'. */
  readonly socketType: string
  /** Listener id, such as 'tcp:external'. */
  readonly listener: string
  /** 'mqtt', or a gateway's protocol. */
  readonly protocol: string
  readonly peerhost: string
  readonly peerport: number
  readonly sockhost: string
  readonly sockport: number
  readonly peerCertificate?: PeerCertificate
  /** Prefix for the topics of its clients, %c and %u allowed. */
  readonly mountpoint?: string
  /** Bytes handed to `write` that the kernel has not taken yet. */
  readonly bufferedBytes: number
  /**
   * Queues bytes. The buffer belongs to the transport until `bufferedBytes` is 0 again: the caller may reuse it at once when
   * that is so right after the call. Dropped without a word when the connection is gone or ending.
   */
  write(bytes: Uint8Array): void
  /** Stop and restart reading: this is how back-pressure reaches the client. Between the two the handler gets no data. */
  pause(): void
  resume(): void
  /**
   * Sends what is queued, then closes; gives up and destroys after `timeout` milliseconds (5000 when left out). The handler gets
   * no data and no drain any more, only `closed`.
   */
  end(timeout?: number): void
  /** Closes at once. */
  destroy(): void
}

/** What the broker gives back for a transport: the listener calls these, never after `closed`. */
export interface TransportHandler {
  /**
   * Bytes from the client. The buffer is only borrowed: it may be overwritten after the call returns.
   */
  data(chunk: Buffer): void
  /** `bufferedBytes` went back to 0. */
  drain(): void
  /**
   * The connection is gone; exactly once, never from within a call of `destroy` or `end`. `reason`: 'tcp_closed', 'ssl_closed',
   * 'ws_closed' (either side closed), 'econnreset', 'epipe', 'etimedout' … (the system's error in lower case), 'tcp_error',
   * 'ssl_error', 'ws_error' (any other), 'internal_error' (the handler threw).
   */
  closed(reason: string): void
}

/** What a listener needs of the broker. The handler may be called as soon as `accept` has returned, not before. */
export interface ListenerHost {
  /** @param admission what came with a connection that another member of the broker handed over, see `Cluster.handOver` */
  accept(transport: Transport, admission?: unknown): TransportHandler
  readonly log: Logger
}

export interface Listener {
  /** 'tcp:external' */
  readonly id: string
  /** Where it listens, once started: '127.0.0.1:1883', or a path. A port 0 is resolved. */
  readonly address: string
  readonly currentConnections: number
  /** 0 = no limit. */
  readonly maxConnections: number
  /** Connections turned away, by cause. */
  readonly refused?: Readonly<Record<string, number>>
  /** Binds. Rejects with an Error whose message is one line to show: what is wrong, where, what to do. */
  start(host: ListenerHost): Promise<void>
  /** Stops accepting, and frees the address; open connections stay. It can be started again. */
  stop(): Promise<void>
}

export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
  child(fields: Record<string, unknown>): Logger
}
