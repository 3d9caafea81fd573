export { PacketCollector, startParser } from './collect.ts'
export { bytes, openings, type PacketCase, packetCases } from './packet-cases.ts'
