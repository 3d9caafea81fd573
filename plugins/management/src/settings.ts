import { isLoopback, readByteSize, readDuration, readFlag, readHostAndPort, readInteger, readPort } from '@hookmq/kit'

export interface ListenerSettings {
  /** The key that it comes from. */
  readonly key: string
  readonly host: string
  readonly port: number
  readonly maxClients: number
  readonly tls?: {
    readonly certFile: string
    readonly keyFile: string
    readonly caFile?: string
    /** Clients need a certificate. */
    readonly verify: boolean
  }
}

export interface Settings {
  readonly listeners: readonly ListenerSettings[]
  readonly defaultUser: { readonly name: string; readonly password: string }
  /** An API key that the file names, as EMQX 4 has it. */
  readonly defaultKey?: { readonly key: string; readonly secret: string }
  /** Milliseconds. */
  readonly tokenLifetime: number
  /** Bytes. */
  readonly bodyLimit: number
  /** Milliseconds. */
  readonly requestTimeout: number
  readonly origins: readonly string[]
  readonly prometheusAuth: boolean
}

/** The password that the whole world knows. */
export const DEFAULT_PASSWORD = 'public'

type Read<T> = (text: string) => T | undefined

/** Reads the settings of the plugin. Throws a TypeError that names the key, what it is and what was expected. */
export function readSettings(config: Readonly<Record<string, string>>): Settings {
  const get = <T>(key: string, fallback: string, read: Read<T>, expected: string): T => {
    const text = config[key] ?? fallback
    const value = read(text)
    if (value === undefined) throw new TypeError(`${key}: expected ${expected}, got '${text}'`)
    return value
  }
  const flag = (key: string, fallback: string): boolean => get(key, fallback, readFlag, 'on or off')
  const text = (key: string, fallback: string): string => {
    const value = config[key] ?? fallback
    if (value === '') throw new TypeError(`${key}: expected a text that is not empty`)
    return value
  }
  const duration = (key: string, fallback: string): number =>
    get(key, fallback, (given) => positive(readDuration(given)), 'a duration above 0, such as 60m')
  const maxClients = (kind: string): number =>
    get(`${kind}.max_clients`, '512', (given) => positive(readInteger(given)), 'a number above 0')

  for (const [key, value] of Object.entries(config)) {
    // Who wrote a rule that keeps somebody out must learn that it does not.
    if (/\.listener\.https?\.access\./.test(key) && !/^allow\s+all$/.test(value)) {
      throw new TypeError(
        `${key}: addresses are not filtered here: expected 'allow all', got '${value}'; use a firewall`,
      )
    }
  }
  const listeners: ListenerSettings[] = []
  const listen = (key: string, fallback: string, secure: boolean): void => {
    const place = get(
      key,
      fallback,
      readPlace,
      "an address such as 127.0.0.1:18083, a port (of this machine only), or 'off'",
    )
    if (place === 'off') return
    listeners.push({ key, ...place, maxClients: maxClients(key), ...(secure ? { tls: tlsOf(config, key, flag) } : {}) })
  }
  listen('dashboard.listener.http', '127.0.0.1:18083', false)
  listen('dashboard.listener.https', 'off', true)
  listen('management.listener.http', 'off', false)
  listen('management.listener.https', 'off', true)

  const key = config['management.default_application.id']
  return {
    listeners,
    defaultUser: {
      name: text('dashboard.default_user.login', 'admin'),
      password: text('dashboard.default_user.password', DEFAULT_PASSWORD),
    },
    ...(key === undefined ? {} : { defaultKey: { key, secret: text('management.default_application.secret', '') } }),
    tokenLifetime: duration('dashboard.token_expired_time', '60m'),
    bodyLimit: get('dashboard.max_body_size', '1MB', (given) => positive(readByteSize(given)), 'a size such as 1MB'),
    requestTimeout: duration('dashboard.request_timeout', '30s'),
    origins: get(
      'dashboard.cors',
      'off',
      readOrigins,
      "'off', or origins such as https://ops.example.org, separated by commas",
    ),
    prometheusAuth: flag('prometheus.enable_basic_auth', 'off'),
  }
}

/** true: other machines reach some of it. */
export function isExposed({ listeners }: Settings): boolean {
  return listeners.some(({ host }) => !isLoopback(host))
}

function readPlace(text: string): { host: string; port: number } | 'off' | undefined {
  if (text === 'off') return 'off'
  const port = readPort(text)
  // EMQ opens a bare port to everybody; safe as shipped means that this takes an address.
  if (port !== undefined) return { host: '127.0.0.1', port }
  return readHostAndPort(text.replace(/^localhost:/, '127.0.0.1:'))
}

function readOrigins(text: string): string[] | undefined {
  if (text === 'off' || text === 'false') return []
  const origins = text.split(',').map((origin) => origin.trim())
  return origins.every((origin) => /^https?:\/\/[^/*\s]+$/.test(origin)) ? origins : undefined
}

function positive(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 ? value : undefined
}

function tlsOf(
  config: Readonly<Record<string, string>>,
  key: string,
  flag: (key: string, fallback: string) => boolean,
): ListenerSettings['tls'] {
  const file = (name: string): string => {
    const path = config[`${key}.${name}`]
    if (path === undefined || path === '') throw new TypeError(`${key} needs ${key}.${name}: the path of a PEM file`)
    return path
  }
  const verify = config[`${key}.verify`] ?? 'verify_none'
  if (verify !== 'verify_none' && verify !== 'verify_peer') {
    throw new TypeError(`${key}.verify: expected verify_peer or verify_none, got '${verify}'`)
  }
  const required = verify === 'verify_peer' && flag(`${key}.fail_if_no_peer_cert`, 'on')
  return {
    certFile: file('certfile'),
    keyFile: file('keyfile'),
    ...(required || config[`${key}.cacertfile`] !== undefined ? { caFile: file('cacertfile') } : {}),
    verify: required,
  }
}
