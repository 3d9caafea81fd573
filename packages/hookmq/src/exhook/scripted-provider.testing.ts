import { once } from 'node:events'
import {
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { AddressInfo } from 'node:net'
import {
  create,
  type ExHookVersion,
  exhookCallOf,
  exhookCalls,
  exhookHookNames,
  exhookPath,
  toBinary,
  v3,
} from '@hookmq/provider-exhook/client'

/** What comes back for one call. Nothing given: OK with an empty message. */
export interface Reply {
  readonly message?: Uint8Array
  /** A gRPC status instead. */
  readonly status?: number
  readonly details?: string
  /** Milliseconds before it comes; Infinity: never. */
  readonly delay?: number
  /** The first byte of the frame; 1: compressed. */
  readonly flag?: number
  /** Ends the whole connection instead. */
  readonly destroy?: boolean
}

export interface ProviderScript {
  /** Default: v3 alone. */
  readonly versions?: readonly string[]
  /** Default: all 19. */
  readonly hooks?: readonly HookSpec[] | ((version: string) => readonly HookSpec[])
  /** undefined: the default, which is IGNORE for calls that decide. */
  readonly answer?: (call: string, request: Buffer, version: string) => Reply | undefined
  /** One call at a time, as with a pool of one thread. */
  readonly serial?: boolean
  /** GOAWAY with ENHANCE_YOUR_CALM comes after so many pings; 0: at the first one. */
  readonly pings?: number
  /** Everything that is no call of a HookProvider; default UNIMPLEMENTED. */
  readonly other?: (stream: ServerHttp2Stream, path: string) => void
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer }
  readonly port?: number
}

export interface HookSpec {
  readonly name: string
  readonly topics?: string[]
}

interface Scope {
  after(run: () => void): void
}

/** A provider of HTTP/2 frames and nothing else, so that it can do everything wrong. */
export class ScriptedProvider {
  readonly calls: { readonly version: string; readonly call: string; readonly request: Buffer }[] = []
  readonly #server: Http2Server
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #script: ProviderScript
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(script: ProviderScript) {
    this.#script = script
    const { tls } = script
    this.#server =
      tls === undefined
        ? createServer()
        : createSecureServer({
            ...tls,
            ...(tls.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }),
          })
    this.#server.on('session', (session) => this.#met(session))
    this.#server.on('stream', (stream, headers) => void this.#serve(stream, String(headers[':path'])))
    this.#server.on('sessionError', () => {})
  }

  static async start(scope: Scope, script: ProviderScript = {}): Promise<ScriptedProvider> {
    const provider = new ScriptedProvider(script)
    provider.#server.listen(script.port ?? 0, '127.0.0.1')
    await once(provider.#server, 'listening')
    scope.after(() => {
      for (const session of provider.#sessions) session.destroy()
      provider.#server.close()
    })
    return provider
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url(): string {
    return `${this.#script.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.port}`
  }

  #met(session: ServerHttp2Session): void {
    const { pings: allowed } = this.#script
    let pings = 0
    this.#sessions.add(session)
    session.on('close', () => this.#sessions.delete(session))
    session.on('error', () => {})
    if (allowed !== undefined)
      session.on('ping', () => {
        if (pings++ >= allowed) session.goaway(11, 0, Buffer.from('too_many_pings'))
      })
  }

  async #serve(stream: ServerHttp2Stream, path: string): Promise<void> {
    stream.on('error', () => {})
    const { versions = ['v3'], other } = this.#script
    const found = versions
      .flatMap((version) => exhookCalls.map(({ name }) => ({ version, name })))
      .find(({ version, name }) => exhookPath(version as ExHookVersion, name) === path)
    if (found === undefined) {
      if (other === undefined) respond(stream, { status: 12, details: `no ${path}` })
      else other(stream, path)
      return
    }
    const chunks: Buffer[] = []
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
    const request = Buffer.concat(chunks).subarray(5)
    this.calls.push({ version: found.version, call: found.name, request })
    const reply = this.#script.answer?.(found.name, request, found.version) ?? this.#usual(found.name, found.version)
    if (reply.destroy === true) return stream.session?.destroy()
    const wait = async (): Promise<void> => {
      if (reply.delay !== undefined) await pause(reply.delay)
    }
    if (this.#script.serial === true) {
      this.#turn = this.#turn.then(wait)
      await this.#turn
    } else await wait()
    if (!stream.destroyed) respond(stream, reply)
  }

  #usual(call: string, version: string): Reply {
    const { hooks = exhookHookNames.map((name) => ({ name })) } = this.#script
    if (call === 'OnProviderLoaded') return { message: loaded(typeof hooks === 'function' ? hooks(version) : hooks) }
    return exhookCalls.find(({ name }) => name === call)?.valued === true ? answers.ignore : {}
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    if (Number.isFinite(milliseconds)) setTimeout(resolve, milliseconds)
  })
}

export function respond(
  stream: ServerHttp2Stream,
  { message = new Uint8Array(), status = 0, details = '', flag = 0 }: Reply,
): void {
  const outcome = { 'grpc-status': String(status), 'grpc-message': encodeURIComponent(details) }
  const headers = { ':status': 200, 'content-type': 'application/grpc' }
  if (status !== 0) return stream.respond({ ...headers, ...outcome }, { endStream: true })
  stream.respond(headers, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(outcome))
  const frame = Buffer.alloc(5 + message.length)
  frame[0] = flag
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, 5)
  stream.end(frame)
}

export function loaded(hooks: readonly HookSpec[]): Uint8Array {
  const response = create(v3.LoadedResponseSchema, { hooks: hooks.map(({ name, topics = [] }) => ({ name, topics })) })
  return toBinary(v3.LoadedResponseSchema, response)
}

const { CONTINUE, IGNORE, STOP_AND_RETURN } = v3.ValuedResponse_ResponsedType
type Fields = Parameters<typeof create<typeof v3.ValuedResponseSchema>>[1]

function valued(fields: Fields): Reply {
  return { message: toBinary(v3.ValuedResponseSchema, create(v3.ValuedResponseSchema, fields)) }
}

export const answers = {
  ignore: valued({ type: IGNORE }),
  nothing: valued({}),
  go: (value: boolean): Reply => valued({ type: CONTINUE, value: { case: 'boolResult', value } }),
  stop: (value: boolean): Reply => valued({ type: STOP_AND_RETURN, value: { case: 'boolResult', value } }),
  stopEmpty: valued({ type: STOP_AND_RETURN }),
  unknown: valued({ type: 7 as typeof IGNORE, value: { case: 'boolResult', value: true } }),
  message: (fields: Parameters<typeof create<typeof v3.MessageSchema>>[1]): Reply =>
    valued({ type: STOP_AND_RETURN, value: { case: 'message', value: create(v3.MessageSchema, fields) } }),
}

/** The name of a hook's call. */
export function callOf(hook: string): string {
  return exhookCallOf(hook)?.name ?? ''
}
