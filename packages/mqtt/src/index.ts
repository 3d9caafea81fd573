export { decodeTopic, isUtf8Payload } from './decode-publish.ts'
export { type EncodeOptions, encodePacket, encodeToBuffer } from './encode.ts'
export { publishSize, writePublish } from './encode-publish.ts'
export { MqttError } from './error.ts'
export type * from './frame.ts'
export type * from './packets.ts'
export { PacketParser, type PacketSink, type ParserOptions } from './parser.ts'
export { decodeProperties } from './property-decode.ts'
export { encodeProperties, propertiesSize } from './property-encode.ts'
export { isPropertyAllowed, noProperties, type PropertyHolder } from './property-table.ts'
export {
  connackReturnCode,
  fitReasonCode,
  isReasonCodeAllowed,
  ReasonCode,
  reasonCodeName,
  reasonCodeOfReturnCode,
} from './reason-codes.ts'
export {
  filterCovers,
  parseShared,
  type SharedFilter,
  type TopicError,
  type TopicLimits,
  topicFilterError,
  topicMatches,
  topicNameError,
} from './topics.ts'
export { ByteWriter, variableIntegerSize } from './writer.ts'
