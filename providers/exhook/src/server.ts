import type { HookProvider, HookProviderPolicy, Logger, ProviderHandle } from '@hookmq/api'
import { type ServerSettings, urlProblem } from './settings.ts'
import type { BrokerIdentity } from './unary/introduction.ts'
import { UnaryProvider, type UnaryProviderOptions } from './unary/provider.ts'

/**
 * - connected: loaded, and its connections were there at the last look.
 * - connecting: not loaded, and will be tried again; or its connections have just been lost.
 * - disconnected: cannot be loaded and is not tried again; or it has been away for two looks and will be loaded again when the time has come.
 * - disabled: not used.
 */
export type ServerStatus = 'connected' | 'connecting' | 'disconnected' | 'disabled'

export interface ServerEnvironment {
  readonly broker: BrokerIdentity
  readonly log: Logger
  readonly carrier?: UnaryProviderOptions['carrier']
}

/** Puts a provider under the broker's policy: `ctx.provider`, or `replace` of the handle of the one before. */
export type Attach = (provider: HookProvider, policy: HookProviderPolicy) => ProviderHandle

/** One configured server: loads it, looks after it, loads it again. */
export class ExHookServer {
  readonly settings: ServerSettings
  readonly provider: UnaryProvider
  readonly #log: Logger
  #handle: ProviderHandle | undefined
  #status: ServerStatus
  #error: string | undefined
  /** What the last load has become; between loads 'connecting' means that its connections are lost. */
  #loaded = false
  #retry: NodeJS.Timeout | undefined
  #health: NodeJS.Timeout | undefined
  #probing = false
  #stopped = false

  constructor(settings: ServerSettings, { broker, log, carrier }: ServerEnvironment) {
    this.settings = settings
    this.#log = log
    this.#status = settings.enable ? 'connecting' : 'disabled'
    this.provider = new UnaryProvider({ settings, broker, log, carrier })
  }

  get name(): string {
    return this.settings.name
  }

  get status(): ServerStatus {
    return this.#status
  }

  /** Why it is not connected; one line. */
  get error(): string | undefined {
    return this.#error
  }

  /** Its hooks with counters and latencies; undefined while it is disabled. */
  get handle(): ProviderHandle | undefined {
    return this.#handle
  }

  /** Begins to load it, unless it is disabled. Once. */
  start(attach: Attach): void {
    if (!this.settings.enable || this.#handle !== undefined) return
    const handle = attach(this.provider, this.settings.policy)
    this.#handle = handle
    void handle.ready.then((loaded) => this.#afterLoad(loaded))
    this.#health = setInterval(() => void this.#look(), this.settings.healthCheckInterval)
    this.#health.unref()
  }

  /** Takes its hooks out and unloads it. */
  async stop(): Promise<void> {
    this.retire()
    await this.#handle?.detach()
  }

  /** Looks after it no more; whoever has its handle unloads it, such as by `replace`. */
  retire(): void {
    this.#stopped = true
    clearTimeout(this.#retry)
    clearInterval(this.#health)
    if (this.settings.enable) this.#become('disconnected')
  }

  #afterLoad(loaded: boolean): void {
    if (this.#stopped) return
    this.#clearRetry()
    this.#loaded = loaded
    if (loaded) {
      this.#error = undefined
      this.#become('connected')
      return
    }
    this.#error = messageOf(this.#handle?.error)
    // A url that is none stays none.
    const hopeless = urlProblem(this.settings) !== undefined || this.settings.autoReconnect === 0
    this.#become(hopeless ? 'disconnected' : 'connecting')
    this.#log.warn(hopeless ? 'exhook server not loaded' : 'exhook server not loaded; it will be tried again', {
      server: this.name,
      url: this.settings.url,
      reason: this.#error,
      ...(hopeless ? {} : { againIn: this.settings.autoReconnect }),
    })
    if (!hopeless) this.#loadLater()
  }

  #loadLater(): void {
    if (this.#retry !== undefined || this.settings.autoReconnect === 0) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      void this.#handle?.reload().then((loaded) => this.#afterLoad(loaded))
    }, this.settings.autoReconnect)
    this.#retry.unref()
  }

  #clearRetry(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
  }

  /** A look at its connections; whether its program works is seen from the calls. */
  async #look(): Promise<void> {
    if (this.#probing || !this.#loaded || this.#status === 'disconnected') return
    this.#probing = true
    const well = await this.provider.probe(this.settings.requestTimeout)
    this.#probing = false
    if (this.#stopped || !this.#loaded) return
    if (well) {
      if (this.#status !== 'connecting') return
      // It was away for a moment only: it keeps its hooks without being asked again.
      this.#clearRetry()
      this.#error = undefined
      this.#become('connected')
      return
    }
    this.#error = 'connection lost'
    if (this.#status === 'connected' && this.settings.autoReconnect > 0) {
      this.#become('connecting')
      this.#loadLater()
    } else if (this.#status === 'connected' || this.#status === 'connecting') this.#become('disconnected')
  }

  #become(status: ServerStatus): void {
    if (this.#status === status) return
    const from = this.#status
    this.#status = status
    const fields = { server: this.name, from, to: status }
    if (status === 'connected') this.#log.info('exhook server', { ...fields, version: this.provider.version })
    else if (!this.#stopped) this.#log.warn('exhook server', { ...fields, reason: this.#error })
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
