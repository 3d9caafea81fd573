/** The value types of `key = value` files. Each reader returns undefined for a text that is not of its type. */

const milliseconds: Readonly<Record<string, number>> = {
  f: 14 * 86_400_000,
  w: 7 * 86_400_000,
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
}

/** Optional sign and digits, no more than a number can hold exactly. */
export function readInteger(text: string): number | undefined {
  const value = Number(text)
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(value) ? value : undefined
}

/** `on`, `off`, `true`, `false`. */
export function readFlag(text: string): boolean | undefined {
  if (text === 'on' || text === 'true') return true
  if (text === 'off' || text === 'false') return false
  return undefined
}

/**
 * `30s`, `1h30m`, `.5s`: numbers with units f (14 days), w, d, h, m, s, ms, added up; `0` for off.
 * @param unit milliseconds of the key's own unit: 1, or 1000 for a key in seconds; the result is rounded up to it
 * @param bare also take a number without unit, which is then in the key's own unit
 * @returns milliseconds
 */
export function readDuration(text: string, unit = 1, bare = false): number | undefined {
  if (/^[+-]?0+$/.test(text)) return 0
  if (bare && /^\d+$/.test(text)) return exact(Number(text) * unit)
  if (!/^(?:(?:\d+(?:\.\d+)?|\.\d+)(?:ms|[fwdhms]))+$/i.test(text)) return undefined
  let sum = 0
  for (const [, count, name] of text.matchAll(/([\d.]+)(ms|[fwdhms])/gi)) {
    sum += Number(count) * milliseconds[name.toLowerCase()]
  }
  // 1.1 s is 1100 ms, although 1.1 × 1000 is a little more in binary.
  return exact(Math.ceil(Number((sum / unit).toFixed(6))) * unit)
}

/** Bytes: `64KB`, `1MB`, `2GB`, also in lower case, powers of 1024; a bare number is bytes. */
export function readByteSize(text: string): number | undefined {
  const parts = /^(\d+)(KB|MB|GB|kb|mb|gb)?$/.exec(text)
  if (parts === null) return undefined
  const power = parts[2] === undefined ? 0 : ['kb', 'mb', 'gb'].indexOf(parts[2].toLowerCase()) + 1
  return exact(Number(parts[1]) * 1024 ** power)
}

/** `80%` is 0.8. */
export function readPercent(text: string): number | undefined {
  const parts = /^(\d{1,3})%$/.exec(text)
  return parts === null || Number(parts[1]) > 100 ? undefined : Number(parts[1]) / 100
}

export interface Rate {
  /** Per second. */
  readonly rate: number
  /** How many may come at once. */
  readonly burst: number
}

/**
 * `100,10s`: 100 in 10 seconds, as many at once. `50/s` or `50`: 50 in one second.
 * @param readAmount how the number before the comma is read; `readByteSize` for rates of bytes
 */
export function readRate(text: string, readAmount = readInteger): Rate | undefined {
  const parts = /^([^,/]+)(?:,\s*|\/)?(.*)$/.exec(text)
  if (parts === null) return undefined
  const amount = readAmount(parts[1].trim())
  const every = parts[2] === '' ? '1s' : /^\d/.test(parts[2]) ? parts[2] : `1${parts[2]}`
  const duration = readDuration(every)
  if (amount === undefined || amount < 0 || duration === undefined || duration === 0) return undefined
  return { rate: (amount * 1000) / duration, burst: amount }
}

function exact(value: number): number | undefined {
  return Number.isSafeInteger(value) ? value : undefined
}
