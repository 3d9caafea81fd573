import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js'
import { compileHooks, type HookTable } from './compile.ts'
import { Health, healthService } from './health.ts'
import type { Hooks } from './hooks.ts'
import { consoleLogger, FailureLog, type Logger } from './logger.ts'
import { Exchange, streamService } from './stream.ts'
import { hookProviderHandlers, hookProviderService } from './unary.ts'

export interface ServeOptions {
  /** 'host:port', or a port on 127.0.0.1; port 0: a free one. Default '127.0.0.1:9000'. */
  readonly listen?: string | number
  /** For TLS: `ServerCredentials.createSsl(…)` of @grpc/grpc-js. Default: none. */
  readonly credentials?: ServerCredentials
  /** Default: the console. */
  readonly logger?: Logger
  /** SIGTERM and SIGINT close the server, after which the process ends if nothing else holds it. Default true. */
  readonly signals?: boolean
  /** Milliseconds that `close` waits for calls that run. Default 5000. */
  readonly grace?: number
  /** false: unary calls only. Default true. */
  readonly stream?: boolean
  /** Events of one stream that may be unfinished at once: what bounds the memory of slow hooks. Default 4096. */
  readonly window?: number
  /** Bytes of the largest request, and of the largest frame of the stream. Default 4 MiB. */
  readonly maxRequestBytes?: number
}

export interface ProviderServer {
  readonly port: number
  /** 'host:port'. */
  readonly address: string
  /** Lets what runs come to its end, for as long as `grace`, and takes nothing new. */
  close(): Promise<void>
}

/**
 * Serves hooks to brokers: emqx.exhook.v2, emqx.exhook.v3, the batched stream of HookMQ and grpc.health.v1, all on one port. Rejects when a
 * hook's name is unknown or the address cannot be listened on.
 */
export async function serve(hooks: Hooks, options: ServeOptions = {}): Promise<ProviderServer> {
  const table = compileHooks(hooks)
  const log = options.logger ?? consoleLogger
  const { window = 4096, grace = 5000, maxRequestBytes = 4 * 1024 * 1024 } = options
  if (!Number.isSafeInteger(window) || window < 1) throw new TypeError(`window must be 1 or more, got ${window}`)
  const failures = new FailureLog(log)
  const server = new Server({ 'grpc.max_receive_message_length': maxRequestBytes, 'grpc.max_send_message_length': -1 })
  const handlers = hookProviderHandlers({
    table,
    failures,
    onLoaded: ({ broker, meta }) =>
      log.info(
        `${brokerName(meta)} (${broker?.sysdescr || 'unknown'} ${broker?.version ?? ''}) loaded this provider: ${names(table)}`,
      ),
    onUnloaded: ({ meta }) => log.info(`${brokerName(meta)} unloaded this provider`),
  })
  server.addService(hookProviderService('v2'), handlers)
  server.addService(hookProviderService('v3'), handlers)
  const exchanges = new Set<Exchange>()
  let closing: Promise<void> | undefined
  if (options.stream !== false)
    server.addService(streamService, {
      exchange: (call: ServerDuplexStream<Buffer, Buffer>) => {
        const streamOptions = { table, failures, window, maxFrameBytes: maxRequestBytes }
        const exchange = new Exchange(call, streamOptions, (one) => exchanges.delete(one))
        exchanges.add(exchange)
        if (closing !== undefined) exchange.close()
      },
    })
  const health = new Health()
  server.addService(healthService, health.handlers)

  const { host, port: wanted } = readAddress(options.listen ?? '127.0.0.1:9000')
  const port = await bind(server, `${host}:${wanted}`, options.credentials ?? ServerCredentials.createInsecure())
  const address = `${host}:${port}`

  const onSignal = (): void => void close()
  async function shutDown(): Promise<void> {
    process.off('SIGTERM', onSignal)
    process.off('SIGINT', onSignal)
    health.stop()
    for (const exchange of exchanges) exchange.close()
    const timer = setTimeout(() => server.forceShutdown(), grace)
    await new Promise<void>((resolve) => server.tryShutdown(() => resolve()))
    clearTimeout(timer)
    log.info(`no longer serving hooks on ${address}`)
  }
  function close(): Promise<void> {
    closing ??= shutDown()
    return closing
  }
  if (options.signals !== false) {
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  }
  log.info(`serving hooks on ${address}: ${names(table)}`)
  return { port, address, close }
}

function names(table: HookTable): string {
  return table.flatMap((hook) => (hook === undefined ? [] : [hook.name])).join(', ') || 'no hooks'
}

function brokerName(meta: { readonly node: string } | undefined): string {
  return `broker ${meta?.node || 'without a name'}`
}

function readAddress(listen: string | number): { host: string; port: number } {
  const text = typeof listen === 'number' ? `127.0.0.1:${listen}` : listen
  const match = /^(.+):(\d{1,5})$/.exec(text)
  if (match === null || Number(match[2]) > 65_535)
    throw new TypeError(`listen: expected a port or 'host:port', got ${JSON.stringify(listen)}`)
  return { host: match[1], port: Number(match[2]) }
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) =>
      error === null ? resolve(port) : reject(new Error(`cannot listen on ${address}: ${error.message}`)),
    )
  })
}
