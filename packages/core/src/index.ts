export type { LogControl } from './admin.ts'
export { Broker, type BrokerParts } from './broker.ts'
export { type Clock, systemClock } from './clock.ts'
export type { ChainDescription, HookDescription, WaitingCall } from './hooks/index.ts'
export { BrokerMessage } from './message.ts'
export { type BrokerOptions, defaultOptions, type SharedStrategy } from './options.ts'
export {
  inProcess,
  type LoadedPlugin,
  PluginBusyError,
  type PluginConfiguration,
  type PluginPatience,
  type PluginRunner,
  PluginSetupTimeout,
  type PluginStart,
} from './plugins/index.ts'
export { Refusal } from './refusal.ts'
export { formatDatetime, formatUptime } from './sys/uptime.ts'
