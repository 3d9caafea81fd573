import { deserialize } from 'node:v8'
import { HELLO } from './frame-types.ts'

/** What a worker says of itself first. */
export interface Hello {
  readonly name: string
  /** It serves clients already: its retained messages are complete. */
  readonly serving: boolean
  /** Of the process that sends: what it numbers begins anew with each. */
  readonly run: string
}

/** Longest that is believed. */
const longest = 4096

/** Who sent these first bytes; undefined: there must be more. Throws when they are no hello. */
export function readHello(bytes: Buffer): Hello | undefined {
  if (bytes.length < 5) return undefined
  const size = bytes.readUInt32BE(0)
  if (size > longest || bytes[4] !== HELLO) throw new Error('expected a hello')
  return bytes.length < 4 + size ? undefined : (deserialize(bytes.subarray(5, 4 + size)) as Hello)
}
