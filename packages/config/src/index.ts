export { parseConf, type ReadIncluded, type Setting } from './conf.ts'
export type { KeyDefinition } from './definition.ts'
export { ConfigError, describeOrigin, type Origin } from './error.ts'
export { type Config, type LoadConfigInit, loadConfig } from './load.ts'
export {
  type ConfigurablePlugin,
  declaresKey,
  type PluginConfig,
  type PluginConfigInit,
  pluginConfigFile,
  readPluginConfig,
} from './plugin-config.ts'
export { configReference } from './reference.ts'
export { safetyProblems } from './safety.ts'
export { brokerSchema } from './schema.ts'
export type * from './settings.ts'
export type { ValueType } from './types.ts'
