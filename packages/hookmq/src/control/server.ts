import { chmodSync, lstatSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { BrokerAdmin, Logger } from '@hookmq/api'
import { HookmqError, messageOf } from '../errors.ts'
import { complete } from './complete.ts'
import type { ControlProfile } from './layout.ts'
import { controlSocket, type SocketAddress } from './path.ts'
import {
  type ControlAnswer,
  commandTimeout,
  exitCodes,
  maxRequestBytes,
  parseRequest,
  portion,
  requestTimeout,
} from './protocol.ts'
import { type Ran, runWords } from './run.ts'

export interface ControlOptions {
  readonly admin: BrokerAdmin
  readonly dataDir: string
  readonly profile: ControlProfile
  readonly log: Logger
  /** Milliseconds; defaults as in protocol.ts. */
  readonly requestTimeout?: number
  readonly commandTimeout?: number
}

const maxConnections = 32

/** Runs the command line's commands for whoever may open the socket: the user that the broker runs as. */
export class ControlServer {
  readonly path: string
  readonly #address: SocketAddress
  readonly #options: ControlOptions
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #closed = false

  private constructor(options: ControlOptions, address: SocketAddress) {
    this.#options = options
    this.#address = address
    this.path = address.path
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket))
    this.#server.maxConnections = maxConnections
  }

  /**
   * Opens `hookmq.sock` in the data folder. Whoever calls holds the folder's lock, so a socket that is there already belongs to a broker that is
   * gone, and is replaced. Rejects with a HookmqError.
   */
  static async open(options: ControlOptions): Promise<ControlServer> {
    const address = controlSocket(options.dataDir)
    try {
      removeStale(address.path)
      const server = new ControlServer(options, address)
      await server.#listen()
      return server
    } catch (error) {
      address.release()
      if (error instanceof HookmqError) throw error
      throw new HookmqError('CONTROL_SOCKET', `${address.path}: cannot be opened: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  async #listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#server.once('error', reject)
    // Bound within the call: between the two lines nobody else can create a file, and the socket never is open to others.
    const mask = process.umask(0o177)
    try {
      this.#server.listen({ path: this.#address.address }, resolve)
    } finally {
      process.umask(mask)
    }
    await promise
    this.#server.off('error', reject)
    this.#server.on('error', (error) => this.#options.log.error('control socket failed', { error }))
    chmodSync(this.#address.address, 0o600)
  }

  /** Stops at once; what runs for a client goes on without it. Safe in an exit handler, and to call again. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    // Node removes the file with the server, but only if the event loop still turns.
    rmSync(this.#address.path, { force: true })
    this.#server.close(() => this.#address.release())
    for (const socket of this.#sockets) socket.destroy()
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.setTimeout(this.#options.requestTimeout ?? requestTimeout, () => socket.destroy())
    const chunks: Buffer[] = []
    let length = 0
    const read = (chunk: Buffer): void => {
      const end = chunk.indexOf(10)
      chunks.push(end === -1 ? chunk : chunk.subarray(0, end))
      length += chunk.length
      if (end === -1 && length <= maxRequestBytes) return
      socket.off('data', read)
      // What comes after the line is not ours, but must be read for the end of the connection to be seen.
      socket.resume()
      socket.setTimeout(0)
      if (length > maxRequestBytes) answer(socket, refusal(`the request is longer than ${maxRequestBytes} bytes`))
      else void this.#answer(socket, Buffer.concat(chunks).toString('utf8'))
    }
    socket.on('data', read)
    socket.on('end', () => {
      if (socket.listeners('data').includes(read)) socket.destroy()
    })
  }

  async #answer(socket: Socket, line: string): Promise<void> {
    const { admin, profile, log } = this.#options
    let ran: Ran
    let json = false
    try {
      const request = parseRequest(line)
      json = request.json
      ran = request.complete
        ? { lines: complete(admin, request.args), json: undefined, exitCode: exitCodes.ok }
        : await this.#inTime(runWords(admin, profile, request.args))
    } catch (error) {
      // Commands report their own failures: this is a bad request, or a bug in what looks for completions.
      if (!(error instanceof HookmqError)) log.error('control request failed', { error })
      ran = refusal(messageOf(error))
    }
    if (!socket.destroyed) answer(socket, ran, json)
  }

  #inTime(work: Promise<Ran>): Promise<Ran> {
    const limit = this.#options.commandTimeout ?? commandTimeout
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => resolve(refusal(`the command has not ended within ${limit / 1000} s; it may still do so`)),
        limit,
      )
      work.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }
}

function removeStale(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket())
    throw new HookmqError(
      'CONTROL_SOCKET',
      `${path}: the control socket belongs here, but something else is there; move it away`,
    )
  rmSync(path, { force: true })
}

function refusal(text: string): Ran {
  return { lines: [`Error: ${text}`], json: { error: text }, exitCode: exitCodes.failed }
}

function answer(socket: Socket, ran: Ran, json = false): void {
  const write = (part: ControlAnswer): boolean => socket.write(`${JSON.stringify(part)}\n`)
  if (!json) {
    for (let at = 0; at < ran.lines.length; at += portion) write({ lines: ran.lines.slice(at, at + portion) })
  }
  write({ exitCode: ran.exitCode, ...(json ? { json: ran.json } : {}) })
  socket.end()
}
