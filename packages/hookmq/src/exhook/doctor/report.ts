import { type Measured, milliseconds } from './burst.ts'
import type { Tried } from './calls.ts'
import type { Diagnosis } from './doctor.ts'
import type { Finding, Level } from './findings.ts'
import { type Failure, failures, type Policy, type Prospect, policies } from './outlook.ts'

/** What a person reads. */
export function reportLines(diagnosis: Diagnosis): string[] {
  const { url, versions } = diagnosis
  const sections = [
    [url],
    ...(versions.length === 0
      ? []
      : [about(diagnosis), answers(diagnosis), latency(diagnosis.latency), prospects(diagnosis)]),
    findings(diagnosis.findings),
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .flatMap((lines, index) => (index === 0 ? lines : ['', ...lines]))
    .map(printable)
}

/** Names and errors are strangers' texts: they must not move a terminal's cursor. */
function printable(line: string): string {
  return line.replaceAll(/\p{Cc}/gu, '?')
}

function about({ versions, used, stream, told, waited }: Diagnosis): string[] {
  const [first] = versions
  const names = versions.map(({ version }) => `emqx.exhook.${version}`).join(', ')
  const rows: [string, string][] = [
    ['Version', versions.length > 1 ? `${names}; the broker takes ${used}` : names],
    ['Stream', stream ? 'hookmq.exhook.v1.HookStream: events go in batches' : 'no; each event is a call'],
    ['Told', `${told.sysdescr} ${told.version}, node ${told.node}, cluster ${told.clusterName}`],
    [
      'Loaded',
      `in ${milliseconds(first.took)}${waited !== undefined && waited >= 1000 ? `, after it was waited for ${milliseconds(waited)}` : ''}`,
    ],
    ...first.hooks.map(({ name, topics }, index): [string, string] => [
      index === 0 ? 'Hooks' : '',
      topics.length === 0 ? name : `${name.padEnd(18)} ${topics.join(' ')}`,
    ]),
  ]
  return rows.map(([name, value]) => `  ${name.padEnd(8)} ${value}`)
}

function answers({ answers: all, versions }: Diagnosis): string[] {
  if (all.length === 0) return []
  const [first, ...others] = versions.map(({ version }) => all.filter((one) => one.version === version))
  const lines = ['Answers', ...answersOf(first)]
  for (const [index, other] of others.entries()) {
    const { version } = versions[index + 1]
    const same = said(other) === said(first)
    lines.push(`  emqx.exhook.${version}${same ? ': the same' : ''}`, ...(same ? [] : answersOf(other)))
  }
  return lines
}

function said(answers: readonly Tried[]): string {
  return JSON.stringify(answers.map(({ hook, about: what, answer: text }) => [hook, what, text]))
}

/** Those of notifications say nothing: one line is enough for them. */
function answersOf(all: readonly Tried[]): string[] {
  const told = all.filter(({ answer: text, failed }) => text === 'told' && !failed)
  const rest = all.filter((one) => !told.includes(one))
  const hooks = [...new Set(told.map(({ hook }) => hook))]
  return [...rest.flatMap(answer), ...(hooks.length === 0 ? [] : [`  · told without a failure: ${hooks.join(', ')}`])]
}

function answer({ hook, about: what, answer: said, took, failed }: Tried): string[] {
  return [
    `  ${failed ? '✗' : '·'} ${hook.padEnd(20)} ${what}`,
    `    ${''.padEnd(20)} → ${said} (${milliseconds(took)})`,
  ]
}

function latency(stages: readonly Measured[]): string[] {
  if (stages.length === 0) return []
  const time = (value: number | undefined) => (value === undefined ? '-' : milliseconds(value)).padStart(9)
  return [
    `Latency of ${stages[0].hook}`,
    ...stages.map(
      ({ concurrency, p50, p99, perSecond, failed }) =>
        `  ${String(concurrency).padStart(4)} at a time   p50 ${time(p50)}   p99 ${time(p99)}   ${Math.round(perSecond).toLocaleString('en')} calls/s${failed > 0 ? `   ${failed} failed` : ''}`,
    ),
  ]
}

const failureNames: Readonly<Record<Failure, string>> = {
  away: 'is away',
  slow: 'is too slow',
  error: 'answers an error',
}
const policyNames: Readonly<Record<Policy, string>> = {
  default: 'nothing written',
  deny: 'failed_action = deny',
  ignore: 'failed_action = ignore',
}

function prospects({ outlook }: Diagnosis): string[] {
  const decided = outlook.filter(({ outcome }) => outcome !== 'lost')
  const told = new Set(outlook.filter(({ outcome }) => outcome === 'lost').map(({ hook }) => hook))
  if (outlook.length === 0) return []
  const rows = [['', '', ...policies.map((policy) => policyNames[policy])]]
  for (const hook of new Set(decided.map((one) => one.hook)))
    for (const failure of failures) {
      const cells = policies.map((policy) =>
        decided.find((one) => one.hook === hook && one.failure === failure && one.policy === policy),
      )
      rows.push([failure === failures[0] ? hook : '', failureNames[failure], ...cells.map(cell)])
    }
  const lines = ['When it fails']
  if (rows.length > 1) lines.push(...table(rows))
  if (decided.some(({ onceLoaded }) => onceLoaded)) lines.push('  * once it has been loaded; before that, passes')
  if (told.size > 0)
    lines.push(
      `  ${told.size === 1 ? [...told][0] : `${told.size} notifications`}: nobody waits; what cannot be told within request_timeout is lost, and counted`,
    )
  if (decided.some(({ hook }) => hook === 'message.publish'))
    lines.push('  hook.message.publish.failed_action = deny is what stops messages')
  return lines
}

function cell(prospect: Prospect | undefined): string {
  if (prospect === undefined) return ''
  const { outcome, after, onceLoaded } = prospect
  return `${outcome}${onceLoaded ? ' *' : ''}${after > 0 ? ` after ${after / 1000} s` : ''}`
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)))
  return rows.map((cells) => `  ${cells.map((text, column) => text.padEnd(widths[column])).join('   ')}`.trimEnd())
}

const headings: Readonly<Record<Level, (count: number) => string>> = {
  unreachable: () => 'Cannot be reached',
  mistake: (count) => (count === 1 ? '1 mistake' : `${count} mistakes`),
  advice: (count) => (count === 1 ? '1 thing to know' : `${count} things to know`),
}

function findings(all: readonly Finding[]): string[] {
  if (all.length === 0) return ['Nothing is wrong.']
  const lines: string[] = []
  for (const level of ['unreachable', 'mistake', 'advice'] as const) {
    const own = all.filter((finding) => finding.level === level)
    if (own.length === 0) continue
    if (lines.length > 0) lines.push('')
    lines.push(headings[level](own.length))
    for (const { name, text, help } of own) lines.push(`  ${name}: ${text}.`.replace(/([.?])\.$/, '$1'), `    ${help}`)
  }
  return lines
}
