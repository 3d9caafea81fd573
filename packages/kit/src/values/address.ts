import { isIP, isIPv6 } from 'node:net'

export interface HostAndPort {
  readonly host: string
  readonly port: number
}

/** `127.0.0.1:3306`, `[::1]:3306`, `::1:3306`: a numeric address and a port, split at the last colon. */
export function readHostAndPort(text: string): HostAndPort | undefined {
  const split = text.lastIndexOf(':')
  const port = readPort(text.slice(split + 1))
  if (split < 1 || port === undefined) return undefined
  const before = text.slice(0, split)
  const bracketed = before.startsWith('[') && before.endsWith(']')
  const host = bracketed ? before.slice(1, -1) : before
  return isIP(host) !== 0 && (!bracketed || isIPv6(host)) ? { host, port } : undefined
}

/** 0 to 65535; 0 means any free port. */
export function readPort(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined
}

/** An address that only this machine reaches. */
export function isLoopback(address: string): boolean {
  const v4 = readIPv4(address)
  if (v4 !== -1) return v4 >>> 24 === 127
  const v6 = readIPv6(address)
  if (v6 === undefined) return false
  return mappedIPv4(v6) >>> 24 === 127 ? isMapped(v6) : v6.every((part, index) => part === (index === 7 ? 1 : 0))
}

/** A set of addresses of one family. An IPv4 address that arrives mapped into IPv6 counts as the IPv4 address. */
export interface AddressRange {
  contains(address: string): boolean
}

/**
 * `10.0.0.0/8`, `192.168.1.7`, `fe80::/10`, `::1`.
 * @returns undefined when the text is neither an address nor a prefix
 */
export function readAddressRange(text: string): AddressRange | undefined {
  const parts = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text)
  if (parts === null) return undefined
  const network = readIPv4(parts[1])
  if (network !== -1) {
    const length = Number(parts[2] ?? 32)
    return length > 32 ? undefined : rangeIPv4(network, length)
  }
  const wide = readIPv6(parts[1])
  const length = Number(parts[2] ?? 128)
  if (wide === undefined || length > 128) return undefined
  return isMapped(wide) && length >= 96 ? rangeIPv4(mappedIPv4(wide), length - 96) : rangeIPv6(wide, length)
}

function rangeIPv4(network: number, length: number): AddressRange {
  const mask = length === 0 ? 0 : (0xffffffff << (32 - length)) >>> 0
  const start = (network & mask) >>> 0
  return {
    contains(address) {
      let value = readIPv4(address)
      if (value === -1) {
        const wide = address.includes(':') ? readIPv6(address) : undefined
        if (wide === undefined || !isMapped(wide)) return false
        value = mappedIPv4(wide)
      }
      return (value & mask) >>> 0 === start
    },
  }
}

function rangeIPv6(network: readonly number[], length: number): AddressRange {
  const masks = network.map((_, index) => (0xffff << (16 - Math.min(16, Math.max(0, length - index * 16)))) & 0xffff)
  return {
    contains(address) {
      const value = address.includes(':') ? readIPv6(address) : undefined
      if (value === undefined || isMapped(value)) return false
      for (let index = 0; index < 8; index += 1) {
        if (((value[index] ^ network[index]) & masks[index]) !== 0) return false
      }
      return true
    },
  }
}

/** The 32 bits of a dotted address, or -1. Allocates nothing: it runs for every check of a rule with an address. */
function readIPv4(text: string): number {
  let value = 0
  let part = -1
  let dots = 0
  const { length } = text
  if (length > 15) return -1
  for (let index = 0; index < length; index += 1) {
    const code = text.charCodeAt(index)
    if (code === 46) {
      if (part === -1 || dots === 3) return -1
      value = value * 256 + part
      part = -1
      dots += 1
    } else if (code >= 48 && code <= 57) {
      // A leading zero is octal for some and decimal for others: not an address.
      if (part === 0) return -1
      part = part === -1 ? code - 48 : part * 10 + code - 48
      if (part > 255) return -1
    } else return -1
  }
  return dots === 3 && part !== -1 ? value * 256 + part : -1
}

/** Addresses that were read lately: rules ask about the same client again and again. */
const lately = new Map<string, readonly number[] | undefined>()
const MOST_REMEMBERED = 1024

function readIPv6(text: string): readonly number[] | undefined {
  let groups = lately.get(text)
  if (groups === undefined && !lately.has(text)) {
    groups = parseIPv6(text)
    if (lately.size >= MOST_REMEMBERED) lately.clear()
    // What is too long for an address is not worth its memory.
    if (text.length <= 64) lately.set(text, groups)
  }
  return groups
}

/** The eight groups of an IPv6 address; a zone (`%eth0`) is left out. */
function parseIPv6(text: string): number[] | undefined {
  const zone = text.indexOf('%')
  let address = zone === -1 ? text : text.slice(0, zone)
  if (!isIPv6(address)) return undefined
  const tail = address.slice(address.lastIndexOf(':') + 1)
  if (tail.includes('.')) {
    const value = readIPv4(tail)
    address = `${address.slice(0, -tail.length)}${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`
  }
  const [left, right] = address.split('::')
  const groups = (part: string | undefined): number[] =>
    part === undefined || part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))
  const start = groups(left)
  const end = groups(right)
  return [...start, ...new Array<number>(8 - start.length - end.length).fill(0), ...end]
}

function isMapped(groups: readonly number[]): boolean {
  for (let index = 0; index < 5; index += 1) if (groups[index] !== 0) return false
  return groups[5] === 0xffff
}

function mappedIPv4(groups: readonly number[]): number {
  return ((groups[6] << 16) | groups[7]) >>> 0
}
