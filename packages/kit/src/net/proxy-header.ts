import { isIPv4, isIPv6 } from 'node:net'
import { normalizeAddress } from './address.ts'
import type { Endpoints } from './socket-transport.ts'

/** The longest version 1 line, its line end included. */
const V1_MAX = 107
const V1_START = Buffer.from('PROXY ')
const V2_START = Buffer.from([0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a])
const V2_FIXED = 16
/** What is taken of the 65,535 bytes that a version 2 header could announce: ours has to fit into memory before anybody is known. */
const V2_MAX = 16384

const TYPE_SSL = 0x20
const SUBTYPE_SSL_COMMON_NAME = 0x22
/** Bits of the SSL record: a certificate came with this connection, or with the TLS session that it resumes. */
const CLIENT_CERTIFICATE = 0x02 | 0x04

export type ProxyHeader =
  | { readonly state: 'incomplete' }
  | { readonly state: 'invalid'; readonly problem: string }
  | ProxyPreamble

export interface ProxyPreamble {
  readonly state: 'complete'
  /** Bytes of the header. */
  readonly length: number
  /** Left out when the proxy speaks for itself (LOCAL) or does not know: the addresses of the socket hold. */
  readonly endpoints?: Endpoints
  /** Common name of the client's certificate, if the proxy has verified it. */
  readonly commonName?: string
}

const INCOMPLETE: ProxyHeader = { state: 'incomplete' }

function invalid(problem: string): ProxyHeader {
  return { state: 'invalid', problem }
}

/** Reads a PROXY protocol header, version 1 or 2, at the start of `bytes`. Says 'invalid' as soon as it can be none. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader {
  if (bytes.length === 0) return INCOMPLETE
  if (startsLike(bytes, V1_START)) return parseVersion1(bytes)
  if (startsLike(bytes, V2_START)) return parseVersion2(bytes)
  return invalid('the connection does not begin with a PROXY protocol header')
}

/** Whether the two agree as far as both go. */
function startsLike(bytes: Buffer, start: Buffer): boolean {
  const count = Math.min(bytes.length, start.length)
  return bytes.compare(start, 0, count, 0, count) === 0
}

function parseVersion1(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, V1_MAX).indexOf('\r\n')
  if (end === -1) return bytes.length < V1_MAX ? INCOMPLETE : invalid('a version 1 line has no end')
  const words = bytes.toString('latin1', 0, end).split(' ')
  const length = end + 2
  if (words[1] === 'UNKNOWN') return { state: 'complete', length }
  const isAddress = words[1] === 'TCP4' ? isIPv4 : words[1] === 'TCP6' ? isIPv6 : undefined
  if (isAddress === undefined) return invalid('a version 1 line names a protocol other than TCP4, TCP6 and UNKNOWN')
  const [, , peerhost, sockhost, peerport, sockport] = words
  if (words.length !== 6 || !isAddress(peerhost) || !isAddress(sockhost)) {
    return invalid('a version 1 line has no valid addresses')
  }
  if (!isPort(peerport) || !isPort(sockport)) return invalid('a version 1 line has no valid ports')
  return {
    state: 'complete',
    length,
    endpoints: {
      peerhost: normalizeAddress(peerhost),
      peerport: Number(peerport),
      sockhost: normalizeAddress(sockhost),
      sockport: Number(sockport),
    },
  }
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65535
}

function parseVersion2(bytes: Buffer): ProxyHeader {
  if (bytes.length < V2_FIXED) return INCOMPLETE
  const command = bytes[12]
  if (command !== 0x20 && command !== 0x21) return invalid('a version 2 header has an unknown version or command')
  const length = V2_FIXED + bytes.readUInt16BE(14)
  if (length > V2_MAX) return invalid(`a version 2 header of ${length} bytes is longer than ${V2_MAX}`)
  if (bytes.length < length) return INCOMPLETE
  if (command === 0x20) return { state: 'complete', length }
  const body = bytes.subarray(V2_FIXED, length)
  const size = addressBytes(bytes[13])
  if (size === undefined) return invalid('a version 2 header names an unknown family or protocol')
  if (body.length < size) return invalid('a version 2 header is too short for its addresses')
  const records = readRecords(body.subarray(size))
  if (records === undefined) return invalid('a version 2 header ends within a record')
  const commonName = commonNameOf(records)
  if (commonName === null) return invalid('a version 2 header has a broken SSL record')
  return { state: 'complete', length, endpoints: readEndpoints(bytes[13], body), commonName }
}

function addressBytes(family: number): number | undefined {
  switch (family) {
    case 0x00:
      return 0
    case 0x11:
    case 0x12:
      return 12
    case 0x21:
    case 0x22:
      return 36
    case 0x31:
    case 0x32:
      return 216
  }
  return undefined
}

/** Datagram and Unix addresses are valid and say nothing that we could use. */
function readEndpoints(family: number, body: Buffer): Endpoints | undefined {
  if (family === 0x11) {
    return {
      peerhost: body.subarray(0, 4).join('.'),
      sockhost: body.subarray(4, 8).join('.'),
      peerport: body.readUInt16BE(8),
      sockport: body.readUInt16BE(10),
    }
  }
  if (family === 0x21) {
    return {
      peerhost: normalizeAddress(formatIPv6(body.subarray(0, 16))),
      sockhost: normalizeAddress(formatIPv6(body.subarray(16, 32))),
      peerport: body.readUInt16BE(32),
      sockport: body.readUInt16BE(34),
    }
  }
  return undefined
}

/** The text of RFC 5952: no leading zeros, the first longest run of two or more zero groups as `::`. */
export function formatIPv6(bytes: Uint8Array): string {
  const groups: string[] = []
  for (let index = 0; index < 16; index += 2) groups.push(((bytes[index] << 8) | bytes[index + 1]).toString(16))
  let best = 0
  let length = 0
  for (let start = 0; start < 8; start += 1) {
    let end = start
    while (end < 8 && groups[end] === '0') end += 1
    if (end - start > length) {
      best = start
      length = end - start
    }
  }
  if (length < 2) return groups.join(':')
  return `${groups.slice(0, best).join(':')}::${groups.slice(best + length).join(':')}`
}

/** Type, 16-bit length, value; again and again. */
function readRecords(bytes: Buffer): Map<number, Buffer> | undefined {
  const records = new Map<number, Buffer>()
  let offset = 0
  while (offset < bytes.length) {
    if (offset + 3 > bytes.length) return undefined
    const end = offset + 3 + bytes.readUInt16BE(offset + 1)
    if (end > bytes.length) return undefined
    records.set(bytes[offset], bytes.subarray(offset + 3, end))
    offset = end
  }
  return records
}

/** @returns null when the record is broken */
function commonNameOf(records: Map<number, Buffer>): string | undefined | null {
  const ssl = records.get(TYPE_SSL)
  if (ssl === undefined) return undefined
  if (ssl.length < 5) return null
  const nested = readRecords(ssl.subarray(5))
  if (nested === undefined) return null
  const verified = (ssl[0] & CLIENT_CERTIFICATE) !== 0 && ssl.readUInt32BE(1) === 0
  return verified ? nested.get(SUBTYPE_SSL_COMMON_NAME)?.toString('utf8') : undefined
}
