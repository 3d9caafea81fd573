import { resolve } from 'node:path'
import { type Config, loadConfig } from '@hookmq/config'
import type { LogLevel } from '../log/levels.ts'
import type { LoggerOptions } from '../log/logger.ts'
import { type ConfigPlace, findConfig } from './files.ts'

/** What the command line says about settings. */
export interface SettingFlags {
  config?: string
  set?: readonly string[]
  dataDir?: string
  logLevel?: LogLevel
}

export interface EffectiveConfig extends Config {
  readonly place: ConfigPlace
}

/** Defaults, file, environment, command line, in this order. Throws ConfigError, whose `all` has every fault. */
export function readConfig(flags: SettingFlags): EffectiveConfig {
  const place = findConfig(flags.config)
  const set = [...(flags.set ?? [])]
  if (flags.dataDir !== undefined) set.push(`node.data_dir=${resolve(flags.dataDir)}`)
  if (flags.logLevel !== undefined)
    set.push(
      flags.logLevel === 'silent'
        ? 'log.to=off'
        : `log.level=${flags.logLevel === 'warn' ? 'warning' : flags.logLevel}`,
    )
  const config = loadConfig({ file: place.file, home: place.home, set, environment: process.env, pluginKeys: 'keep' })
  if (place.shipped) {
    // The program's own folder may be read-only, and is gone with the next version.
    const decided = (key: string): boolean => !['default', 'file'].includes(config.sources.get(key)?.kind ?? 'default')
    if (!decided('node.data_dir')) config.dataDir = resolve('data')
    if (!decided('log.file')) config.log.file = resolve('log', 'hookmq.log')
  }
  return { ...config, place }
}

export function loggerOptions({ log }: Config): LoggerOptions {
  return {
    level: log.level,
    format: log.format,
    fd: log.to === 'console' || log.to === 'both' ? 2 : false,
    file: log.to === 'file' || log.to === 'both' ? log.file : undefined,
  }
}
