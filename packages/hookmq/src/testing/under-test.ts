import type { Plugin } from '@hookmq/api'
import { type PluginConfig, parseConf, readPluginConfig } from '@hookmq/config'
import { splitKey } from '@hookmq/kit'

/** A plugin and its settings, read and checked as the broker does when it starts. */
export interface PluginUnderTest {
  readonly plugin: Plugin
  /** The lines of a configuration file, or its keys and values. They win over what `folder` has. */
  readonly conf?: string | Readonly<Record<string, string>>
  /** A folder with the plugin's NAME.conf or NAME.config. */
  readonly folder?: string
  /** What relative paths in settings begin at. Default: the working directory. */
  readonly home?: string
}

/** @throws ConfigError what is wrong with the settings */
export function readUnderTest({ plugin, conf = {}, folder, home = process.cwd() }: PluginUnderTest): PluginConfig {
  const name = `${plugin.name}.conf`
  const settings =
    typeof conf === 'string'
      ? parseConf(conf, name)
      : Object.entries(conf).map(([key, value], index) => ({
          words: splitKey(key),
          value,
          file: name,
          line: index + 1,
        }))
  return readPluginConfig(plugin, {
    folders: folder === undefined ? [] : [folder],
    overrides: settings.map(({ words, value, file, line }) => ({
      words: ['plugin', plugin.name, ...words],
      value,
      origin: { kind: 'file', file, line },
      unknown: undefined,
    })),
    home,
  })
}
