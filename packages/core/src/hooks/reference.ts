import { type FoldPointName, hookPointNames, hookPointTable } from '@hookmq/api'
import { connackReturnCode } from '@hookmq/mqtt'
import { type VerdictRow, verdictTable, type Wire } from './verdict-table.ts'

const intro = `# Hook points

This page is made from the tables that the broker runs on (\`packages/api/src/hook-point-table.ts\` and
\`packages/core/src/hooks/verdict-table.ts\`); \`npm run docs\` writes it again.

A hook is a function \`(args, accumulator) => verdict\`, registered with \`ctx.hook(point, handler, options)\`. Hooks of one
point run by falling priority, those of equal priority in the order of registration. A **fold** decides or changes: its hooks
are asked one after the other, each sees the accumulator that the one before left. A **notification** only tells: nobody
waits for its hooks.

A hook that throws, rejects, does not answer in time, or answers with something that its point does not take, has failed:
that is logged with its plugin and name, and counted. \`failedAction\` says what it means; the tables below have a row for it.
`

/** docs/reference/hooks.md, whole. */
export function renderHooksReference(): string {
  const folds = hookPointNames.filter((name) => hookPointTable[name].kind === 'fold')
  const notifications = hookPointNames.filter((name) => hookPointTable[name].kind === 'notification')
  return [
    intro,
    '## Folds\n',
    ...folds.map((name) => point(name) + verdicts(name as FoldPointName)),
    '## Notifications\n',
    'Their hooks return nothing. While a promise of a hook has not settled, the next notifications of the same client to the\n' +
      'same plugin wait for it, in a bounded queue.\n',
    ...notifications.map(point),
  ].join('\n')
}

function point(name: (typeof hookPointNames)[number]): string {
  const entry = hookPointTable[name]
  const lines = [`### ${name}\n`, `${entry.description}\n`, `**When:** ${entry.when}\n`]
  const meanings: Readonly<Record<string, string>> = entry.args
  const args = Object.entries(meanings).map(([argument, meaning]) => `| \`${argument}\` | ${cell(meaning)} |`)
  if (entry.accumulator !== undefined) args.push(`| *accumulator* | ${cell(entry.accumulator)} |`)
  lines.push('| argument | meaning |', '|---|---|', ...args, '')
  if (entry.phases.length > 1) lines.push(`**Phases:** ${entry.phases.join(', then ')}.\n`)
  if (entry.oldNames.length > 0)
    lines.push(`**Also accepted:** ${entry.oldNames.map((old) => `\`${old}\``).join(', ')}.\n`)
  return `${lines.join('\n')}\n`
}

function verdicts(name: FoldPointName): string {
  const rows = verdictTable[name].map(
    ({ verdict, meaning, wire }) =>
      `| \`${cell(verdict)}\` | ${cell(meaning)} | ${cells(wire.v3, false)} | ${cells(wire.v5, true)} |`,
  )
  return `${['| verdict | meaning | MQTT 3.1, 3.1.1 | MQTT 5 |', '|---|---|---|---|', ...rows].join('\n')}\n`
}

/** What one version gets: one text, or one per QoS where they differ. */
function cells(wire: VerdictRow['wire']['v3'], withCode: boolean): string {
  const byQos: readonly Wire[] = 'length' in wire ? wire : [wire]
  const texts = byQos.map((one) => cell(wireText(one, withCode)))
  if (texts.every((text) => text === texts[0])) return texts[0]
  return texts.map((text, qos) => `QoS ${qos}: ${text}`).join('<br>')
}

/** One cell in words: 'PUBACK 0x10', 'DISCONNECT with the code, close', 'nothing'. */
export function wireText(wire: Wire, withCode: boolean): string {
  const parts: string[] = []
  if (wire.packet !== undefined) parts.push(wire.packet.toUpperCase() + codeText(wire, withCode))
  if (wire.close === true) parts.push('close')
  if (wire.note !== undefined) parts.push(wire.note)
  return parts.length === 0 ? 'nothing' : parts.join('; ')
}

function codeText(wire: Wire, withCode: boolean): string {
  if (wire.code === undefined) return ''
  if (withCode) return wire.code === 'given' ? ' with the code' : ` ${hex(wire.code)}`
  if (wire.code === 'given') return ' with a return code'
  if (wire.packet === 'connack') return ` return code ${connackReturnCode(wire.code)}`
  return ` ${hex(wire.code)}`
}

function hex(value: number): string {
  return `0x${value.toString(16).toUpperCase().padStart(2, '0')}`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
