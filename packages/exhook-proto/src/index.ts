/**
 * The messages of ExHook as types, with their schemas. Encode with `toBinary(v3.MessageSchema, create(v3.MessageSchema, {…}))` and decode with
 * `fromBinary`, both re-exported from @bufbuild/protobuf.
 */
export {
  create,
  type DescMessage,
  fromBinary,
  fromJson,
  type JsonValue,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  toJson,
} from '@bufbuild/protobuf'
export * from './calls.ts'
export * as v2 from './generated/emqx/exhook/v2/exhook_pb.ts'
export * as v3 from './generated/emqx/exhook/v3/exhook_pb.ts'
export * as stream from './generated/hookmq/exhook/v1/stream_pb.ts'
