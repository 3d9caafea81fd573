import { readFileSync } from 'node:fs'
import type {
  HookAccumulator,
  HookArgs,
  HookPointName,
  HookProvider,
  HookSpec,
  Later,
  Logger,
  ProviderCall,
} from '@hookmq/api'
import { type ExHookVersion, exhookCallOf, exhookHookNames, exhookPath, v3 } from '@hookmq/exhook-proto'
import type { EncodeContext } from '../map/index.ts'
import {
  ClientInfoCache,
  encode,
  encodeRequest,
  isUnusable,
  isValued,
  keyOf,
  requestMeta,
  verdictOf,
} from '../map/index.ts'
import { type ServerSettings, urlProblem } from '../settings.ts'
import type { EventSource } from '../stream/hook-event.ts'
import { RequestWriter } from '../stream/hot-requests.ts'
import { notSent } from '../stream/not-sent.ts'
import type { StreamCounters } from '../stream/stream-transport.ts'
import { readServerUrl } from '../url.ts'
import { Http2Transport } from './http2-transport.ts'
import { type BrokerIdentity, introduce, product, readHooks } from './introduction.ts'
import { cacheMetadata, fullMessagesMetadata, readCacheTime } from './metadata.ts'
import { socketOpener } from './sockets.ts'
import { Succession } from './succession.ts'
import type { TransportCounters, UnaryReply, UnaryTransport } from './transport.ts'

/** Carries events in another way than one call for each, over the same connections. */
export interface EventCarrier extends UnaryTransport {
  /** Tries to: false when the server does not have it. Calls go one by one until it works, and whenever it does not. */
  start(): Promise<boolean>
  /** Takes an event as it is. `notSent`: no provider gets it. undefined: a call has to be made for it. */
  event(
    source: EventSource,
    point: HookPointName,
    args: unknown,
    accumulator: unknown,
    call: ProviderCall,
  ): Later | typeof notSent | undefined
  /** What is under way may still be answered. */
  stop(): void
  readonly streams: StreamCounters
  /** The same for a notification. `notSent` also when it is on its way and need not be waited for. */
  tell: EventCarrier['event']
}

export type CarrierFactory = (transport: Http2Transport, meta: Uint8Array, settings: ServerSettings) => EventCarrier

export interface UnaryProviderOptions {
  readonly settings: ServerSettings
  readonly broker: BrokerIdentity
  readonly log: Logger
  /** Asked when a server that speaks v3 has been loaded, and `stream` is not off. */
  readonly carrier?: CarrierFactory
}

/** What holds from one load to the next. */
interface Loaded {
  readonly version: ExHookVersion
  readonly context: EncodeContext
  readonly paths: ReadonlyMap<string, string>
  readonly hooks: readonly HookSpec[]
  readonly calls: UnaryTransport
  /** Takes events, while it can. */
  readonly carrier: EventCarrier | undefined
  readonly source: EventSource
}

const unloadTimeout = 5000
/** Milliseconds that a successor waits until the one before it has its answers, and as many until that one has confirmed that it is unloaded. */
const handOverPatience = 1000

/** One ExHook server as a source of hooks: one gRPC call for each event. */
export class UnaryProvider implements HookProvider {
  readonly name: string
  readonly #options: UnaryProviderOptions
  readonly #meta: EncodeContext['meta'] & object
  readonly #complained = new Set<string>()
  #open: (() => ReturnType<ReturnType<typeof socketOpener>>) | undefined
  #transport: Http2Transport | undefined
  #carrier: EventCarrier | undefined
  #loaded: Loaded | undefined
  #predecessor: UnaryProvider | undefined
  #succession: Succession | undefined
  #unusable = 0

  constructor(options: UnaryProviderOptions) {
    this.#options = options
    this.name = options.settings.name
    const { node, version, clusterName } = options.broker
    this.#meta = requestMeta({ node, version, sysdescr: product, clusterName })
  }

  /** As it was found out at the last load. */
  get version(): ExHookVersion | undefined {
    return this.#loaded?.version
  }

  /** As the server registered them, in its order. */
  get hooks(): readonly HookSpec[] {
    return this.#loaded?.hooks ?? []
  }

  get counters(): TransportCounters & { readonly connections: number; readonly unusable: number } {
    const none = { connected: 0, broken: 0, cancelled: 0, resent: 0 }
    return {
      ...(this.#transport?.counters ?? none),
      connections: this.#transport?.connections ?? 0,
      unusable: this.#unusable,
    }
  }

  /** How events go to it now. */
  get transport(): 'stream' | 'unary' {
    return (this.#carrier?.streams.open ?? 0) > 0 ? 'stream' : 'unary'
  }

  get numbers(): Readonly<Record<string, number>> {
    const { connections, connected, broken, cancelled, resent, unusable } = this.counters
    const streams = this.#carrier?.streams
    return {
      connections,
      connections_made: connected,
      connections_broken: broken,
      cancelled,
      resent,
      unusable_answers: unusable,
      streams: streams?.open ?? 0,
      streams_made: streams?.opened ?? 0,
      streams_broken: streams?.broken ?? 0,
      stream_events: streams?.events ?? 0,
      stream_unfinished: streams?.unfinished ?? 0,
      stream_waiting: streams?.waiting ?? 0,
      stream_lost: streams?.lost ?? 0,
      stream_late: streams?.late ?? 0,
    }
  }

  /** Whether all its connections are up, or can be within so many milliseconds. */
  probe(timeout: number): Promise<boolean> {
    return this.#transport?.probe(timeout) ?? Promise.resolve(false)
  }

  /** To be loaded in the place of another one, which is unloaded before and whose events it answers from then on. */
  follow(predecessor: UnaryProvider): void {
    this.#predecessor = predecessor
  }

  async load(): Promise<readonly HookSpec[]> {
    const predecessor = this.#predecessor
    if (predecessor === undefined) return this.#load()
    this.#predecessor = undefined
    const succession = await predecessor.#handOver()
    try {
      const hooks = await this.#load()
      succession.end(this)
      return hooks
    } catch (error) {
      succession.end(undefined)
      throw error
    }
  }

  /** Takes no more events, and is unloaded once it has answered those that it has. */
  async #handOver(): Promise<Succession> {
    const succession = new Succession()
    this.#succession = succession
    // One that goes on working on what it has is unloaded later, and one that is away need not be told.
    if ((await this.#idle()) && this.#transport !== undefined && this.#transport.connections > 0) {
      const patience = Promise.withResolvers<void>()
      const timer = setTimeout(patience.resolve, handOverPatience)
      await Promise.race([this.unload(), patience.promise])
      clearTimeout(timer)
    }
    return succession
  }

  async #idle(): Promise<boolean> {
    const end = performance.now() + handOverPatience
    for (;;) {
      const { unfinished = 0, waiting = 0 } = this.#carrier?.streams ?? {}
      if (unfinished + waiting + (this.#transport?.unfinished ?? 0) === 0) return true
      if (performance.now() > end) return false
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }

  async #load(): Promise<readonly HookSpec[]> {
    const { settings } = this.#options
    const address = readServerUrl(settings.url)
    if (address === undefined) throw new Error(urlProblem(settings))
    // Read again at each load: certificates may have been renewed.
    const open = socketOpener(settings, address)
    this.#open = open
    this.#transport ??= new Http2Transport({
      scheme: address.scheme,
      host: address.authority,
      size: settings.poolSize,
      open: () => (this.#open ?? open)(),
      userAgent,
      maxReply: settings.maxReplySize,
      window: settings.socket.receiveBuffer,
    })
    const transport = this.#transport
    try {
      const { version, reply } = await introduce(transport, settings, this.#options.broker, this.#meta)
      const hooks = readHooks(reply.message)
      const { fullMessages } = settings
      const full = fullMessages === 'on' || (fullMessages === 'auto' && reply.metadata(fullMessagesMetadata) === 'full')
      const calls = await this.#carry(transport, version)
      this.#loaded = this.#keep(version, hooks, full, calls)
      this.#complained.clear()
      return hooks
    } catch (error) {
      if (this.#loaded === undefined) this.#close()
      throw error
    }
  }

  call<P extends HookPointName>(
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P>,
    call: ProviderCall,
  ): unknown {
    if (this.#succession !== undefined) return this.#succession.take(point, args, accumulator, call)
    const loaded = this.#need()
    const event = loaded.carrier?.event(loaded.source, point, args, accumulator, call)
    if (event === undefined) return this.#ask(loaded, point, args, accumulator, call)
    return event === notSent ? undefined : event
  }

  #ask<P extends HookPointName>(
    loaded: Loaded,
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P>,
    call: ProviderCall,
  ): unknown {
    const request = encodeRequest(loaded.context, point, args, accumulator)
    const path = loaded.paths.get(point)
    if (request === undefined || path === undefined) return undefined
    const { remaining } = call
    const pending = loaded.calls.call(path, request, { key: keyOf(args, accumulator), deadline: remaining, timeout: 0 })
    call.onAbandoned = () => pending.cancel()
    return pending.reply.then(({ message, metadata }) =>
      this.#verdict(loaded.context, point, message, metadata, accumulator, call),
    )
  }

  tell<P extends HookPointName>(
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P> | undefined,
    call: ProviderCall,
  ): undefined | Promise<void> {
    if (this.#succession !== undefined)
      return this.#succession.take(point, args, accumulator, call) as undefined | Promise<void>
    const loaded = this.#need()
    const event = loaded.carrier?.tell(loaded.source, point, args, accumulator, call)
    if (event === undefined) return this.#inform(loaded, point, args, accumulator, call)
    // A Later is a thenable; the type of a notification's answer says only that it is waited for.
    return event === notSent ? undefined : (event as unknown as Promise<void>)
  }

  #inform<P extends HookPointName>(
    loaded: Loaded,
    point: P,
    args: HookArgs<P>,
    accumulator: HookAccumulator<P> | undefined,
    call: ProviderCall,
  ): undefined | Promise<void> {
    const request = encodeRequest(loaded.context, point, args, accumulator)
    const path = loaded.paths.get(point)
    if (request === undefined || path === undefined) return undefined
    const pending = loaded.calls.call(path, request, {
      key: keyOf(args, accumulator),
      deadline: call.remaining,
      // What goes ahead is given up by nobody else.
      timeout: call.ahead && call.remaining !== Number.POSITIVE_INFINITY ? Math.max(1, call.remaining) : 0,
    })
    call.onAbandoned = () => pending.cancel()
    return pending.reply.then(nothing)
  }

  async unload(): Promise<void> {
    const loaded = this.#loaded
    const transport = this.#transport
    this.#loaded = undefined
    try {
      if (loaded === undefined || transport === undefined) return
      this.#carrier?.stop()
      const request = encode(v3.ProviderUnloadedRequestSchema, { meta: this.#meta.fields })
      const options = { key: '', deadline: unloadTimeout, timeout: unloadTimeout }
      await transport.call(exhookPath(loaded.version, 'OnProviderUnloaded'), request, options).reply
    } catch (error) {
      this.#options.log.info('exhook server did not confirm that it is unloaded', {
        server: this.name,
        reason: error instanceof Error ? error.message : String(error),
      })
    } finally {
      this.#close()
    }
  }

  async #carry(transport: Http2Transport, version: ExHookVersion): Promise<UnaryTransport> {
    const { carrier, settings } = this.#options
    if (carrier === undefined || version !== 'v3' || settings.stream === 'off') {
      this.#carrier?.stop()
      this.#carrier = undefined
      return transport
    }
    this.#carrier ??= carrier(transport, this.#meta.bytes, settings)
    if (!(await this.#carrier.start()) && settings.stream === 'on')
      throw new Error(`${settings.url} has no hookmq.exhook.v1.HookStream, and exhook.server.${this.name}.stream is on`)
    return this.#carrier
  }

  #keep(version: ExHookVersion, hooks: readonly HookSpec[], full: boolean, calls: UnaryTransport): Loaded {
    const fields = { version, node: this.#options.broker.node, meta: this.#meta, full }
    const clients = new ClientInfoCache(fields)
    const context = { ...fields, clients }
    const loaded: Loaded = {
      version,
      context,
      carrier: this.#carrier,
      source: {
        requests: new RequestWriter({ ...context, meta: undefined }),
        instead: (point, args, accumulator, call) =>
          isValued(point)
            ? this.#ask(loaded, point, args as never, accumulator as never, call)
            : this.#inform(loaded, point, args as never, accumulator as never, call),
        verdict: (point, response, metadata, accumulator, call) =>
          this.#verdict(context, point, response, metadata, accumulator, call),
      },
      paths: new Map(
        exhookHookNames.map((hook) => [hook, exhookPath(version, exhookCallOf(hook)?.name ?? '')] as const),
      ),
      hooks,
      calls,
    }
    return loaded
  }

  #need(): Loaded {
    if (this.#loaded === undefined) throw new Error(`exhook server '${this.name}' is not loaded`)
    return this.#loaded
  }

  #verdict(
    context: EncodeContext,
    point: HookPointName,
    response: Uint8Array,
    metadata: UnaryReply['metadata'],
    accumulator: unknown,
    call: ProviderCall,
  ): unknown {
    if (!isValued(point)) return undefined
    const verdict = verdictOf(context, point, response, accumulator)
    if (isUnusable(verdict)) {
      this.#complain(point, verdict.unusable)
      return undefined
    }
    if (point !== 'message.publish') {
      const time = readCacheTime(metadata(cacheMetadata))
      if (time !== undefined) call.cacheFor(time)
    }
    return verdict
  }

  /** Once for each hook and load: what a server does wrong, it does with every event. */
  #complain(point: HookPointName, problem: string): void {
    this.#unusable++
    if (this.#complained.has(point)) return
    this.#complained.add(point)
    this.#options.log.warn('exhook server gave an answer that cannot be used; it counts as IGNORE', {
      server: this.name,
      hook: point,
      problem,
    })
  }

  #close(): void {
    this.#carrier?.close()
    this.#transport?.close()
    this.#carrier = undefined
    this.#transport = undefined
  }
}

const userAgent = `grpc-node-hookmq/${ownVersion()}`

function ownVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : ''
  return String(version)
}

function nothing(): void {}
