export type {
  HookHandler,
  HookName,
  Hooks,
  MessageDroppedRequest,
  MessagePublishRequest,
  MessageReceivedRequest,
} from './hooks.ts'
export { consoleLogger, type Logger, silentLogger } from './logger.ts'
export type { Message } from './message.ts'
export { type ProviderServer, type ServeOptions, serve } from './serve.ts'
export { drop, ignore, type MessageChange, ok, stop, type Verdict } from './verdict.ts'
