import { metricTable } from './metric-table.ts'
import { statTable } from './stat-table.ts'

const groups: Readonly<Record<string, string>> = {
  bytes: 'Bytes',
  packets: 'Packets',
  messages: 'Messages',
  delivery: 'Deliveries that did not happen',
  client: 'Clients',
  session: 'Sessions',
  connections: 'Connections and their limits',
  subscriptions: 'Subscriptions',
  hooks: 'Hooks',
}

/** The text of docs/reference/metrics.md. */
export function metricsReference(): string {
  const lines = [
    '# Metrics and stats',
    '',
    '<!-- Made from packages/core/src/metrics/{metric,stat}-table.ts. To renew it after a change there:',
    '     UPDATE_REFERENCE=1 node --test packages/core/src/metrics/reference.test.ts -->',
    '',
    "Names are those of EMQX 4 and 5; the ones that EMQX does not have are HookMQ's own. A *metric* only grows, from the start of",
    'the broker on. A *stat* is a present value with the highest one since the start.',
    '',
    'Where to read them: `broker.metrics()` and `broker.stats()` in a plugin or an embedding program, and below',
    '`$SYS/brokers/<node>/`: a metric with slashes (`metrics/packets/connect/received`), a stat with its dots',
    '(`stats/connections.count`), each as decimal text.',
    '',
    'Messages of the broker about itself, below `$SYS`, count neither as received nor as sent.',
    '',
  ]
  let group = ''
  for (const [name, meaning] of metricTable) {
    const first = name.slice(0, name.indexOf('.'))
    if (first !== group) {
      group = first
      lines.push(
        ...(lines.at(-1) === '' ? [] : ['']),
        `## ${groups[group] ?? group}`,
        '',
        '| Metric | Counts |',
        '|---|---|',
      )
    }
    lines.push(`| \`${name}\` | ${meaning} |`)
  }
  lines.push(
    '',
    '## Counters of plugins',
    '',
    '`ctx.counter(name)` of a plugin is shown as `plugins.<plugin>.<name>`.',
    '',
    '## Stats',
    '',
    'Each as `<name>.count` and `<name>.max`.',
    '',
    '| Stat | Shows |',
    '|---|---|',
    ...statTable.map(([name, meaning]) => `| \`${name}\` | ${meaning} |`),
    '',
    '## The rest of the `$SYS` tree',
    '',
    'Below `$SYS/brokers/<node>/` unless written in full. `broker.sys_interval` and `broker.sys_heartbeat` are the two intervals.',
    '',
    '| Topic | Payload | When | Retained |',
    '|---|---|---|---|',
    '| `$SYS/brokers` | names of the running nodes, joined by commas | interval | yes |',
    '| `version` | version of the broker | interval | yes |',
    '| `sysdescr` | `HookMQ MQTT Broker` | interval | yes |',
    '| `uptime` | `1 hours, 25 minutes, 24 seconds`: always plural, leading zero units left out | heartbeat | no |',
    '| `datetime` | `YYYY-MM-DD HH:MM:SS`, local time | heartbeat | no |',
    '| `stats/<name>` | decimal text | interval | no |',
    '| `metrics/<name>` | decimal text | interval | no |',
    '',
    'From one day on EMQ writes the uptime without a blank after the first comma (`2 days,3 hours, …`); HookMQ writes it.',
    '',
  )
  return lines.join('\n')
}
