import type { Packet, ProtocolVersion } from '../packets.ts'
import { connectCases } from './cases-connect.ts'
import { controlCases } from './cases-control.ts'
import { propertyCases } from './cases-property.ts'
import { publishCases } from './cases-publish.ts'

export { bytes } from './notation.ts'

/** One packet on the wire, and what it means or why it is refused. The table that every test of packets runs over. */
export interface PacketCase {
  name: string
  version: ProtocolVersion
  /** Who sends it. */
  from: 'client' | 'server'
  /** See `bytes`. */
  wire: string
  /** What it means… */
  packet?: Packet
  /** …but written again it looks different: not the form that the encoder chooses. */
  oneWay?: boolean
  /** …or the reason code with which it is refused. */
  error?: number
  /** Sent instead of after the opening CONNECT or CONNACK. */
  opening?: boolean
  /** The statements of the specification that it stands for. */
  clause?: string
}

export const packetCases: readonly PacketCase[] = [...connectCases, ...publishCases, ...controlCases, ...propertyCases]

/** The packet that has to come before a case that is not `opening`. */
export const openings: {
  readonly [V in ProtocolVersion]: { readonly client: string; readonly server: string }
} = {
  3: { client: '10 | "MQIsdp" 03 02 003c "c"', server: '20 | 00 00' },
  4: { client: '10 | "MQTT" 04 02 003c "c"', server: '20 | 00 00' },
  5: { client: '10 | "MQTT" 05 02 003c {} "c"', server: '20 | 00 00 {}' },
}
