import type { Command, CommandResult } from '@hookmq/api'
import type { Drivers } from './drivers.ts'

/** `exhook drivers …`, with the lines of EMQX 4.1. */
export function driversCommand(drivers: Drivers): Command {
  return {
    name: 'exhook',
    subcommand: 'drivers',
    usage: [
      ['exhook drivers list', 'List the drivers that run'],
      ['exhook drivers enable <Name>', 'Start a driver of the configuration'],
      ['exhook drivers disable <Name>', 'Stop a driver'],
      ['exhook drivers reload <Name>', 'Load its handler again; the old one first ends its calls'],
      ['exhook drivers stats', 'Calls of each callback'],
    ],
    async run(args) {
      const [group, verb, name] = args
      if (group !== 'drivers') return undefined
      if (args.length === 2 && verb === 'list') return list(drivers)
      if (args.length === 2 && verb === 'stats') return stats(drivers)
      if (args.length !== 3 || name === undefined) return undefined
      if (verb === 'enable') return said(await drivers.enable(name))
      if (verb === 'disable') return said(await drivers.disable(name))
      if (verb === 'reload') return said(await drivers.reload(name))
      return undefined
    },
  }
}

async function list(drivers: Drivers): Promise<CommandResult> {
  const running = await drivers.list()
  return {
    lines: running.map(
      ({ name, initModule, hooks }) => `Driver(name=${name}, init_module=${initModule}, hooks=[${hooks.join(',')}])`,
    ),
    json: running,
  }
}

async function stats(drivers: Drivers): Promise<CommandResult> {
  const counts = await drivers.stats()
  return { lines: counts.map(([name, count]) => `${name.padEnd(35)}:${count}`), json: Object.fromEntries(counts) }
}

function said(outcome: string): CommandResult {
  return { lines: [outcome] }
}
