import type { Command } from 'commander'
import type { SettingFlags } from '../config/read.ts'
import { HookmqError } from '../errors.ts'
import { addSettingOptions } from './start.ts'

const examples = `
Examples:
  hookmq check-config
  hookmq check-config --config /etc/hookmq/hookmq.conf --set mqtt.max_packet_size=64KB

Prints 'ok' and every setting that is not at its default, with the place where it was made; or what is wrong, one line for
each fault. Nothing is started. Exit code: 0 when the broker would take the configuration, 1 when not.`

export function addCheckConfig(program: Command): void {
  addSettingOptions(program.command('check-config'))
    .description('check the configuration without starting')
    .addHelpText('after', examples)
    .action(async (flags: SettingFlags) => check(flags))
}

async function check(flags: SettingFlags): Promise<void> {
  const [{ describeOrigin }, { partsOfConfig }, { readConfig }, { rehearsePlugins }] = await Promise.all([
    import('@hookmq/config'),
    import('../broker/parts.ts'),
    import('../config/read.ts'),
    import('../plugins/places.ts'),
  ])
  const config = readConfig(flags)
  // Also what the files name: plugins are imported (not set up), the kinds of listeners are known.
  const home = config.place.shipped ? process.cwd() : config.place.home
  const { problems, pluginNames = [], places } = await partsOfConfig(config, home)
  const warnings = places === undefined ? [] : await rehearsePlugins(pluginNames, places)
  // Which plugins authenticate is known only once they are set up: without any there is nothing to wait for.
  const [problem] = config.plugins.load.length === 0 ? (problems?.(false) ?? []) : []
  if (problem !== undefined) throw new HookmqError('LISTENER_UNSAFE', problem)
  process.stdout.write(`ok${config.place.file === undefined ? '' : ` ${config.place.file}`}\n`)
  const lines = [...config.sources].map(([key, origin]) => ({
    text: `${key} = ${config.values.get(key) ?? ''}`,
    origin: describeOrigin(origin),
  }))
  const width = Math.max(0, ...lines.map(({ text }) => Math.min(text.length, 60)))
  for (const { text, origin } of lines) process.stdout.write(`${text.padEnd(width)}  (${origin})\n`)
  for (const warning of [...config.warnings, ...warnings]) process.stdout.write(`warning: ${warning}\n`)
}
