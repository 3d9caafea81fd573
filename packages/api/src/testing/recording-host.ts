import type { ListenerHost, Logger, Transport, TransportHandler } from '../listener.ts'

/** Stands in for the broker in tests of a listener: keeps what it is told. */
export class RecordingHost implements ListenerHost {
  readonly connections: RecordedConnection[] = []
  /** Every log line as 'level message'. */
  readonly lines: string[] = []
  readonly log: Logger
  /** Called with every chunk, which is only borrowed. */
  react: (connection: RecordedConnection, chunk: Buffer) => void

  constructor(react: (connection: RecordedConnection, chunk: Buffer) => void = echo) {
    this.react = react
    const log: Logger = {
      debug: (message) => this.lines.push(`debug ${message}`),
      info: (message) => this.lines.push(`info ${message}`),
      warn: (message) => this.lines.push(`warn ${message}`),
      error: (message) => this.lines.push(`error ${message}`),
      child: () => log,
    }
    this.log = log
  }

  accept(transport: Transport): TransportHandler {
    const connection = new RecordedConnection(transport, this)
    this.connections.push(connection)
    return connection
  }

  /** Closes what is open. */
  destroy(): void {
    for (const connection of this.connections) connection.transport.destroy()
  }
}

export class RecordedConnection implements TransportHandler {
  readonly transport: Transport
  readonly reasons: string[] = []
  text = ''
  private readonly host: RecordingHost

  constructor(transport: Transport, host: RecordingHost) {
    this.transport = transport
    this.host = host
  }

  data(chunk: Buffer): void {
    this.text += chunk.toString('latin1')
    this.host.react(this, chunk)
  }

  drain(): void {}

  closed(reason: string): void {
    this.reasons.push(reason)
  }
}

function echo(connection: RecordedConnection, chunk: Buffer): void {
  connection.transport.write(Buffer.from(chunk))
}

/** Waits as long as a very slow machine may need; a failure says for what. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 30_000
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain until: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}
