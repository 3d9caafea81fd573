export type { PluginConfiguration } from './context.ts'
export type { PluginPatience } from './generation.ts'
export { type LoadedPlugin, PluginBusyError, PluginHost, PluginSetupTimeout, type PluginStart } from './host.ts'
export { inProcess, type PluginRunner } from './runner.ts'
