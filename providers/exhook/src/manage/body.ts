import type { PluginConfigKey } from '@hookmq/api'
import { KeyTable, readSetting, splitKey } from '@hookmq/kit'
import { globalOf, serverKeys } from '../keys.ts'
import type { ServerSettings, SettingTexts } from '../settings.ts'

/** Instead of a password. Given back, it means the one that there is. */
const hidden = '******'

/** What EMQX's servers have and nothing here depends on: taken, and shown as EMQX has it. */
const forEmqx = {
  ssl: {
    reuse_sessions: true,
    secure_renegotiate: true,
    log_level: 'notice',
    hibernate_after: '5s',
    middlebox_comp_mode: true,
  },
} as const
const ignored = new Set([
  ...Object.keys(forEmqx.ssl).map((key) => `ssl.${key}`),
  'ssl.honor_cipher_order',
  'ssl.client_renegotiation',
  'ssl.partial_chain',
  'ssl.verify_peer_ext_key_usage',
  'ssl.user_lookup_fun',
])

const table = new KeyTable(Object.entries(serverKeys).map(([key, definition]) => ({ ...definition, key })))

export class BodyError extends Error {}

/**
 * A ServerConfig as texts by key. `before`: the server that it is to replace.
 * @throws BodyError
 */
export function textsOfBody(
  body: unknown,
  before?: SettingTexts,
): { readonly name: string | undefined; readonly texts: SettingTexts } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new BodyError('expected a JSON object')
  const { name, ...rest } = body as Record<string, unknown>
  if (name !== undefined && typeof name !== 'string') throw new BodyError('name must be text')
  const texts: Record<string, string> = {}
  flatten('', withoutViews(rest), texts)
  for (const key of Object.keys(texts)) if (ignored.has(key)) delete texts[key]
  if (texts['ssl.password'] === hidden) {
    delete texts['ssl.password']
    const known = before?.['ssl.password']
    if (known !== undefined) texts['ssl.password'] = known
  }
  return { name, texts }
}

/** What GET shows beside the configuration: clients send it back as they got it. */
function withoutViews(body: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([key]) => !views.has(key)))
}

const views = new Set([
  'metrics',
  'node_metrics',
  'node_status',
  'hooks',
  'breaker_state',
  'transport',
  'latency',
  'counters',
  'error',
])

function flatten(prefix: string, value: object, texts: Record<string, string>): void {
  for (const [name, one] of Object.entries(value)) {
    const key = prefix === '' ? name : `${prefix}.${name}`
    if (one === null || one === undefined) continue
    if (Array.isArray(one)) {
      if (one.length > 0) texts[key] = one.map(String).join(',')
    } else if (typeof one === 'object') flatten(key, one, texts)
    else if (typeof one === 'number') texts[key] = numberText(key, one)
    else if (typeof one === 'string' || typeof one === 'boolean') {
      // EMQX's clients send an empty text for what is not set.
      if (one !== '' || key === 'url') texts[key] = String(one)
    } else throw new BodyError(`${key}: expected text, a number, true or false`)
  }
}

/** A number is milliseconds where a duration is wanted. */
function numberText(key: string, value: number): string {
  const type = key === 'auto_reconnect' ? 'duration' : definitionOf(key)?.type
  if (type === 'duration') return `${value}ms`
  return type === 'percent' ? `${value * 100}%` : String(value)
}

function definitionOf(key: string): PluginConfigKey | undefined {
  return table.find(splitKey(key))?.definition
}

/** A server's configuration as EMQX shows it, and with the keys that EMQX does not have. */
export function bodyOf(settings: ServerSettings, own: SettingTexts, globals: SettingTexts): Record<string, unknown> {
  const shown: Record<string, unknown> = { name: settings.name }
  for (const [key, definition] of Object.entries(serverKeys) as [string, PluginConfigKey][]) {
    if (key.includes('$')) continue
    const text = own[key] ?? globals[globalOf[key] ?? ''] ?? definition.default
    if (text !== undefined) put(shown, splitKey(key), shownValue(key, definition, text))
  }
  for (const [key, text] of Object.entries(own)) {
    const [first, family, event, last] = splitKey(key)
    if (first === 'hook') put(shown, ['hook', `${family}.${event}`, last], text)
  }
  shown.failed_action = settings.failedAction ?? 'deny'
  shown.armed = settings.policy.armed ?? settings.failedAction === 'deny'
  Object.assign(shown.ssl as object, {
    ...forEmqx.ssl,
    enable: settings.url.startsWith('https:'),
    versions: settings.ssl.versions,
    ciphers: settings.ssl.ciphers?.split(':') ?? [],
  })
  return shown
}

function shownValue(key: string, definition: PluginConfigKey, text: string): unknown {
  if (definition.type === 'secret') return hidden
  if (key === 'auto_reconnect') return /^(?:false|off|0)$/.test(text) ? false : text
  if (definition.type === 'flag' || definition.type === 'integer') return readSetting(definition, text) ?? text
  return text
}

function put(target: Record<string, unknown>, words: readonly string[], value: unknown): void {
  const [first, ...rest] = words
  if (rest.length === 0) {
    target[first] = value
    return
  }
  // `stream` is a key, and so is `stream.connections`.
  if (typeof target[first] === 'string') {
    target[words.join('.')] = value
    return
  }
  target[first] ??= {}
  put(target[first] as Record<string, unknown>, rest, value)
}
