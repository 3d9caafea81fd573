import type { HookPointName, HookProviderPolicy, PluginConfigKey, ProviderHookPolicy } from '@hookmq/api'
import { isHookPoint } from '@hookmq/api'
import { exhookCallOf } from '@hookmq/exhook-proto'
import { expectedSetting, joinKey, KeyTable, readSetting, splitKey } from '@hookmq/kit'
import { globalOf, readReconnect, serverKeys } from './keys.ts'
import { readServerUrl } from './url.ts'

/** One configured server. Times in milliseconds, sizes in bytes. */
export interface ServerSettings {
  readonly name: string
  readonly enable: boolean
  readonly url: string
  readonly version: 'auto' | 'v2' | 'v3'
  readonly requestTimeout: number
  /** undefined: not written, so that it holds only once the server has answered, as in EMQX. */
  readonly failedAction: 'deny' | 'ignore' | undefined
  /** 0: never. */
  readonly autoReconnect: number
  readonly poolSize: number
  readonly healthCheckInterval: number
  readonly fullMessages: 'auto' | 'on' | 'off'
  readonly stream: 'auto' | 'on' | 'off'
  readonly streamConnections: number
  readonly streamNotificationsAhead: number
  /** Events of one stream, and their bytes. */
  readonly streamMaxWaiting: number
  readonly streamMaxWaitingSize: number
  readonly maxReplySize: number
  readonly ssl: SslSettings
  readonly socket: SocketSettings
  /** What the broker's policy layer makes of it. */
  readonly policy: HookProviderPolicy
}

export interface SslSettings {
  /** Paths, or the PEM text itself. */
  readonly cacertfile: string | undefined
  readonly certfile: string | undefined
  readonly keyfile: string | undefined
  readonly password: string | undefined
  readonly verify: 'verify_none' | 'verify_peer'
  readonly serverNameIndication: string | undefined
  readonly versions: readonly string[]
  readonly ciphers: string | undefined
  readonly depth: number
}

interface SocketSettings {
  readonly keepalive: boolean
  readonly nodelay: boolean
  /** HTTP/2 window. */
  readonly receiveBuffer: number
}

/** Settings that cannot be used: one line for each thing that is wrong. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('; '))
    this.problems = problems
  }
}

const table = new KeyTable(Object.entries(serverKeys).map(([key, definition]) => ({ ...definition, key })))
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,255}$/

/** Texts by the server's own keys, such as `ssl.verify`, and by the global ones. */
export type SettingTexts = Readonly<Record<string, string>>

/**
 * One server, from texts as they stand in a file. A url that is none is no error here: the server is `disconnected` then, and what its policy
 * says holds.
 * @throws SettingsError
 */
export function readServer(name: string, own: SettingTexts, globals: SettingTexts = {}): ServerSettings {
  const reader = new Reader(name, own, globals)
  const settings = reader.server()
  if (reader.problems.length > 0) throw new SettingsError(reader.problems)
  return settings
}

/** The keys of each server, in the order in which their first keys stand there. */
export function serversOf(config: SettingTexts): ReadonlyMap<string, SettingTexts> {
  const servers = new Map<string, Record<string, string>>()
  for (const [key, text] of Object.entries(config)) {
    const [first, second, name, ...rest] = splitKey(key)
    if (first !== 'exhook' || second !== 'server' || rest.length === 0) continue
    const texts = servers.get(name) ?? {}
    texts[joinKey(rest)] = text
    servers.set(name, texts)
  }
  return servers
}

/** Why a server cannot be asked at all; undefined: it can. */
export function urlProblem({ name, url }: ServerSettings): string | undefined {
  if (readServerUrl(url) !== undefined) return undefined
  const got = url === '' ? 'it is not set' : `got ${JSON.stringify(url)}`
  return `bad_server_url: exhook.server.${name}.url must be http://HOST:PORT or https://HOST:PORT, ${got}`
}

class Reader {
  readonly problems: string[] = []
  readonly #name: string
  readonly #texts: Map<string, string>
  readonly #globals: SettingTexts

  constructor(name: string, own: SettingTexts, globals: SettingTexts) {
    this.#name = name
    this.#texts = new Map(Object.entries(own))
    this.#globals = globals
    if (!namePattern.test(name))
      this.problems.push(
        `exhook.server.${name}: a name begins with a letter or digit and goes on with letters, digits, - and _; at most 256 characters`,
      )
    for (const key of this.#texts.keys())
      if (table.find(splitKey(key)) === undefined)
        this.problems.push(`exhook.server.${name}.${key}: there is no such key`)
  }

  server(): ServerSettings {
    const requestTimeout = this.#number('request_timeout')
    const failedAction = this.#text('failed_action') as ServerSettings['failedAction']
    return {
      name: this.#name,
      enable: this.#flag('enable'),
      url: this.#text('url') ?? '',
      version: this.#word('version'),
      requestTimeout,
      failedAction,
      autoReconnect: this.#reconnect(),
      poolSize: this.#number('pool_size'),
      healthCheckInterval: this.#number('health_check_interval'),
      fullMessages: this.#word('full_messages'),
      stream: this.#word('stream'),
      streamConnections: this.#number('stream.connections'),
      streamNotificationsAhead: this.#number('stream.notifications_ahead'),
      streamMaxWaiting: this.#number('stream.max_waiting'),
      streamMaxWaitingSize: this.#number('stream.max_waiting_size'),
      maxReplySize: this.#number('max_reply_size'),
      ssl: {
        cacertfile: this.#text('ssl.cacertfile'),
        certfile: this.#text('ssl.certfile'),
        keyfile: this.#text('ssl.keyfile'),
        password: this.#text('ssl.password'),
        verify: this.#word('ssl.verify'),
        serverNameIndication: this.#text('ssl.server_name_indication'),
        versions: this.#versions(),
        ciphers: this.#text('ssl.ciphers')?.replaceAll(/\s*[,:]\s*/g, ':'),
        depth: this.#number('ssl.depth'),
      },
      socket: {
        keepalive: this.#flag('socket_options.keepalive'),
        nodelay: this.#flag('socket_options.nodelay'),
        receiveBuffer: this.#has('socket_options.recbuf') ? this.#number('socket_options.recbuf') : 1_048_576,
      },
      policy: {
        timeout: requestTimeout,
        ...(failedAction === undefined ? {} : { failedAction }),
        ...(this.#has('armed') ? { armed: this.#flag('armed') } : {}),
        hooks: this.#hooks(),
        notify: this.#word('notify'),
        queueLimit: this.#number('queue.limit'),
        queueDrop: this.#word('queue.drop'),
        maxInFlight: this.#number('max_in_flight'),
        maxWaiting: this.#number('max_waiting'),
        breaker: {
          failures: this.#number('breaker.failures'),
          failureRate: this.#number('breaker.failure_rate'),
          window: this.#number('breaker.window'),
          openFor: this.#number('breaker.open_for'),
        },
        cache: {
          ttl: this.#number('cache.ttl'),
          ...(this.#has('cache.negative_ttl') ? { negativeTtl: this.#number('cache.negative_ttl') } : {}),
          size: this.#number('cache.size'),
        },
      },
    }
  }

  #hooks(): Partial<Record<HookPointName, ProviderHookPolicy>> {
    const hooks: Partial<Record<HookPointName, { -readonly [K in keyof ProviderHookPolicy]: ProviderHookPolicy[K] }>> =
      {}
    for (const key of this.#texts.keys()) {
      const words = splitKey(key)
      if (words[0] !== 'hook' || words.length !== 4) continue
      const point = `${words[1]}.${words[2]}`
      if (exhookCallOf(point) === undefined || !isHookPoint(point)) {
        this.problems.push(`exhook.server.${this.#name}.${key}: there is no hook ${point}`)
        continue
      }
      hooks[point] ??= {}
      if (words[3] === 'failed_action') hooks[point].failedAction = this.#text(key) === 'deny' ? 'deny' : 'ignore'
      if (words[3] === 'request_timeout') hooks[point].timeout = this.#number(key)
    }
    return hooks
  }

  #reconnect(): number {
    const key = 'auto_reconnect'
    const text = this.#raw(key) ?? serverKeys.auto_reconnect.default
    const definition = { ...serverKeys.auto_reconnect, type: 'duration', unit: 'ms', maximum: 2_147_483_647 } as const
    const value = readReconnect(text, (duration) => readSetting(definition, duration) as number | undefined)
    if (value !== undefined) return value
    this.#expected(key, `false, or ${expectedSetting(definition)}`, text)
    return 0
  }

  #versions(): string[] {
    const key = 'ssl.versions'
    const words = (this.#raw(key) ?? serverKeys['ssl.versions'].default)
      .toLowerCase()
      .split(/[\s,]+/)
      .filter((word) => word !== '')
    const known = ['tlsv1.3', 'tlsv1.2', 'tlsv1.1', 'tlsv1']
    if (words.length === 0 || words.some((word) => !known.includes(word)))
      this.#expected(key, `a list of ${known.join(', ')}`, words.join(','))
    return words
  }

  #has(key: string): boolean {
    return this.#raw(key) !== undefined
  }

  #raw(key: string): string | undefined {
    return this.#texts.get(key) ?? this.#globals[globalOf[key] ?? '']
  }

  #value(key: string): unknown {
    const definition: PluginConfigKey | undefined = table.find(splitKey(key))?.definition
    const text = this.#raw(key) ?? definition?.default
    if (definition === undefined || text === undefined) return undefined
    const value = readSetting(definition, text)
    if (value === undefined) this.#expected(key, expectedSetting(definition), definition.type === 'secret' ? '…' : text)
    return value
  }

  #expected(key: string, expected: string, got: string): void {
    this.problems.push(`exhook.server.${this.#name}.${key}: expected ${expected}, got ${JSON.stringify(got)}`)
  }

  #text(key: string): string | undefined {
    const value = this.#value(key)
    return typeof value === 'string' ? value : undefined
  }

  /** One of the words that the key takes; the table says which. */
  #word<W extends string>(key: string): W {
    return this.#value(key) as W
  }

  #number(key: string): number {
    const value = this.#value(key)
    return typeof value === 'number' ? value : 0
  }

  #flag(key: string): boolean {
    return this.#value(key) === true
  }
}
