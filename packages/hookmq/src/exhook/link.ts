import {
  type ExHookVersion,
  encode,
  exhookPath,
  Http2Transport,
  localTime,
  type RequestMeta,
  readServer,
  readServerUrl,
  requestMeta,
  type ServerAddress,
  type ServerSettings,
  SettingsError,
  StreamTransport,
  socketOpener,
  type UnaryReply,
  v3,
} from '@hookmq/provider-exhook/client'
import { HookmqError } from '../errors.ts'
import { version } from '../version.ts'

/** What servers are told about the broker that asks: the words of one that was just started. */
export const identity = {
  node: 'hookmq@127.0.0.1',
  version,
  sysdescr: 'HookMQ',
  clusterName: 'emqxcl',
}

export const meta: RequestMeta = requestMeta(identity)

export interface ServerPlace {
  readonly address: ServerAddress
  readonly settings: ServerSettings
}

/**
 * Where a server is and how it is spoken to. `pairs`: settings as they would stand in exhook.conf, without `exhook.server.NAME.`.
 * @throws HookmqError
 */
export function placeOf(url: string, pairs: readonly string[]): ServerPlace {
  const texts: Record<string, string> = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw new HookmqError('USAGE', `--set ${pair}: expected KEY=VALUE, such as request_timeout=2s`)
    texts[pair.slice(0, at).trim()] = pair.slice(at + 1).trim()
  }
  const address = readServerUrl(url)
  if (address === undefined) throw new HookmqError('USAGE', `${JSON.stringify(url)}: ${urlProblem(url)}`)
  try {
    return { address, settings: readServer('it', { ...texts, url }) }
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error
    throw new HookmqError('USAGE', error.problems.join('; ').replaceAll('exhook.server.it.', '--set '))
  }
}

/** What keeps this from being the address of a server. */
function urlProblem(url: string): string {
  const found = /^([a-z][a-z0-9+.-]*):\/\/(\[[^\]]*\]|[^/:?#]*)(?::(\d*))?(.*)$/i.exec(url)
  if (found === null) return 'expected http://HOST:PORT or https://HOST:PORT'
  const [, scheme, host, port, rest] = found
  const known = /^https?$/i.test(scheme)
  if (!known) return `the scheme ${scheme}:// is none of http:// and https://; gRPC without TLS is http://HOST:PORT`
  if (host === '') return 'the host is missing: expected http://HOST:PORT'
  if (port === undefined || port === '')
    return `the port is missing, and there is no usual one: ${scheme}://${host}:9000`
  if (Number(port) < 1 || Number(port) > 65_535) return `${port} is no port: expected a number from 1 to 65535`
  return `nothing may stand behind the port, got ${JSON.stringify(rest)}`
}

/** Calls to one server, over connections like the broker's. */
export class ServerLink {
  readonly place: ServerPlace
  readonly transport: Http2Transport
  #stream: StreamTransport | undefined
  /** The broker's connections keep no program alive; this one would end while it waits for a stream. */
  readonly #alive = setInterval(() => {}, 60_000)

  /** `connections`: default as configured. Throws when certificates cannot be read. */
  constructor(place: ServerPlace, connections = place.settings.poolSize) {
    this.place = place
    const { address, settings } = place
    this.transport = new Http2Transport({
      scheme: address.scheme,
      host: address.authority,
      size: connections,
      open: socketOpener(settings, address),
      userAgent: `grpc-node-hookmq/${version}`,
      maxReply: settings.maxReplySize,
      window: settings.socket.receiveBuffer,
    })
  }

  /** Rejects with a GrpcError. `timeout`: milliseconds, default as configured. */
  call(
    version: string,
    name: string,
    request: Uint8Array,
    { key = '', timeout = this.place.settings.requestTimeout }: { key?: string; timeout?: number } = {},
  ): Promise<UnaryReply> {
    const path = exhookPath(version as ExHookVersion, name)
    return (this.#stream ?? this.transport).call(path, request, { key, deadline: timeout, timeout }).reply
  }

  /** Lets events go over the batched stream from here on, where the server has it. Resolves to whether it has. */
  async openStream(): Promise<boolean> {
    const { settings } = this.place
    const stream = new StreamTransport(this.transport, {
      streams: Math.min(settings.streamConnections, settings.poolSize),
      meta: meta.bytes,
      timeout: settings.requestTimeout,
      maxWaiting: settings.streamMaxWaiting,
      maxWaitingBytes: settings.streamMaxWaitingSize,
      ahead: 0,
      maxFrameBytes: settings.maxReplySize,
      observe: () => {},
    })
    if (await stream.start()) {
      this.#stream = stream
      return true
    }
    stream.stop()
    return false
  }

  /** OnProviderLoaded. */
  introduce(version: string, timeout?: number): Promise<UnaryReply> {
    const request = encode(v3.ProviderLoadedRequestSchema, {
      broker: {
        version: identity.version,
        sysdescr: identity.sysdescr,
        uptime: BigInt(Math.trunc(process.uptime() * 1000)),
        datetime: localTime(new Date()),
      },
      meta: meta.fields,
    })
    return this.call(version, 'OnProviderLoaded', request, { timeout })
  }

  /** OnProviderUnloaded. */
  leave(version: string): Promise<UnaryReply> {
    return this.call(version, 'OnProviderUnloaded', encode(v3.ProviderUnloadedRequestSchema, { meta: meta.fields }))
  }

  close(): void {
    clearInterval(this.#alive)
    this.#stream?.stop()
    this.transport.close()
  }
}
