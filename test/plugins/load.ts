import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Plugin } from '@hookmq/api'
import { readPluginConfig } from '@hookmq/config'
import type { TestBroker } from '../support/broker.ts'

/** Reads the text as the plugin's file, as the broker does, and loads the plugin. `extension`: of the file. */
export async function loadPlugin(
  { broker }: TestBroker,
  plugin: Plugin,
  text = '',
  extension: 'conf' | 'config' = 'conf',
): Promise<{ readonly warnings: readonly string[] }> {
  const { config, terms, warnings } = readText(plugin, text, extension)
  await broker.plugins.load(plugin, { config, terms })
  return { warnings }
}

export function readText(plugin: Plugin, text: string, extension: 'conf' | 'config' = 'conf') {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-plugin-'))
  try {
    writeFileSync(join(folder, `${plugin.name}.${extension}`), text)
    return readPluginConfig(plugin, { folders: [folder], home: folder })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
