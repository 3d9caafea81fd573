/** For tools that talk to ExHook servers as the broker does: its connections, its requests, and how it reads answers. */
export {
  create,
  type ExHookVersion,
  exhookCallOf,
  exhookCalls,
  exhookHookNames,
  exhookPath,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
  v3,
} from '@hookmq/exhook-proto'
export {
  ClientInfoCache,
  type EncodeContext,
  type ExHookPoint,
  encode,
  encodeRequest,
  isExHookPoint,
  isValued,
  keyOf,
  propertyNames,
  type RequestMeta,
  requestMeta,
  type ValuedPoint,
} from './map/index.ts'
export { readServer, type ServerSettings, SettingsError, type SettingTexts } from './settings.ts'
export { exchangePath, StreamTransport } from './stream/stream-transport.ts'
export { GrpcError, GrpcStatus } from './unary/grpc-status.ts'
export { Http2Transport } from './unary/http2-transport.ts'
export { localTime } from './unary/introduction.ts'
export { socketOpener } from './unary/sockets.ts'
export type { UnaryReply } from './unary/transport.ts'
export { readServerUrl, type ServerAddress } from './url.ts'
