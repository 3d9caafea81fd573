import type { CommandResult } from '@hookmq/api'
import { formatDatetime, formatUptime } from '@hookmq/core'
import type { ControlProfile } from '../control/layout.ts'
import type { CommandContext, CommandFactory } from './context.ts'
import { field } from './text.ts'

export const brokerCommand: CommandFactory = (context) => ({
  name: 'broker',
  usage: [
    ['broker', 'Show version, uptime and time'],
    ['broker stats', 'Show what there is now, and the most there has been'],
    ['broker metrics', 'Show what has been counted'],
  ],
  run([what, ...rest]) {
    if (rest.length > 0) return undefined
    if (what === undefined) return about(context)
    const { admin, profile } = context
    const old = profile === '2.x'
    if (what === 'stats') return numbers(renamed(admin.stats(), profile), old ? 20 : 30)
    if (what !== 'metrics') return undefined
    const sorted = Object.entries(renamed(admin.metrics(), profile)).sort(([a], [b]) => (a < b ? -1 : 1))
    return numbers(Object.fromEntries(sorted), old ? 24 : 30)
  },
})

function about({ admin }: CommandContext): CommandResult {
  const json = {
    sysdescr: 'HookMQ MQTT Broker',
    version: admin.version,
    uptime: formatUptime(Date.now() - admin.startedAt),
    datetime: formatDatetime(Date.now()),
  }
  return { lines: Object.entries(json).map(([name, value]) => field(name, value, 10)), json }
}

/** 2.x writes `clients/count` for `connections.count`. */
function renamed(values: Record<string, number>, profile: ControlProfile): Record<string, number> {
  if (profile === '4.x') return values
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name.replace(/^connections\./, 'clients.').replaceAll('.', '/'),
      value,
    ]),
  )
}

function numbers(values: Record<string, number>, width: number): CommandResult {
  return { lines: Object.entries(values).map(([name, value]) => field(name, value, width)), json: values }
}
