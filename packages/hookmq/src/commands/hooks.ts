import { type ChainView, type ExplainStep, type Explanation, type HookView, resolveHookPoint } from '@hookmq/api'
import type { CommandContext, CommandFactory } from './context.ts'
import { say } from './text.ts'

export const hooksCommand: CommandFactory = (context) => ({
  name: 'hooks',
  usage: [
    ['hooks list', 'List the chains of hooks, in the order in which they run'],
    ['hooks list <Point>', 'List one chain'],
    ['hooks explain <ClientId> publish <Topic>', 'Rehearse a decision: each step, and who decided'],
    ['hooks explain <ClientId> subscribe <Topic>', 'The same for a subscription'],
    ['hooks waiting', 'List the calls that have not been answered'],
  ],
  async run([what, ...args]) {
    const { admin } = context
    if (what === 'list' && args.length <= 1) return listChains(context, args[0])
    if (what === 'waiting' && args.length === 0) return waiting(context)
    const [clientId, action, topic] = args
    if (what !== 'explain' || args.length !== 3 || (action !== 'publish' && action !== 'subscribe')) return undefined
    if (admin.client(clientId) === undefined) return { ...say('Not Found.'), json: { error: 'not_found' } }
    const explanation = await admin.explain(clientId, action, topic)
    return { lines: explain(explanation, `${clientId} ${action} ${topic}`), json: explanation }
  },
})

function listChains({ admin }: CommandContext, point: string | undefined) {
  const wanted = point === undefined ? undefined : resolveHookPoint(point)
  const chains = admin
    .hooks()
    .filter((chain) => (wanted === undefined ? chain.hooks.length > 0 : chain.point === wanted))
  return { lines: chains.flatMap(chainLines), json: chains }
}

const head = ['PHASE', 'PRIORITY', 'PLUGIN', 'HOOK', 'PLACEMENT', 'CALLS', 'FAILURES', 'P50 MS', 'P99 MS', 'TOPICS']

function chainLines({ point, kind, hooks }: ChainView): string[] {
  const title = `${point} (${kind})`
  if (hooks.length === 0) return [title, '  no hooks']
  return [title, ...table([head, ...hooks.map(row)]).map((line) => `  ${line}`)]
}

function row({ phase, priority, owner, name, placement, calls, failures, p50, p99, topics }: HookView): string[] {
  const numbers = [calls, failures].map(String)
  return [phase, String(priority), owner, name, placement, ...numbers, time(p50), time(p99), topics?.join(' ') ?? '']
}

/** '-': not called yet. */
function time(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : milliseconds.toFixed(milliseconds < 1 ? 3 : milliseconds < 10 ? 2 : 0)
}

/** Columns as wide as what is in them; numbers to the right. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)))
  const right = rows[0].map((_, column) => rows.slice(1).every((cells) => /^[\d.-]*$/.test(cells[column])))
  return rows.map((cells) =>
    cells
      .map((cell, column) => (right[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  )
}

function explain({ steps, result, by }: Explanation, question: string): string[] {
  const lines = [question]
  let point: string | undefined
  for (const step of steps) {
    if (step.point !== point) lines.push(`  ${step.point}`)
    point = step.point
    lines.push(stepLine(step))
  }
  return [...lines, `${result}, decided by ${by}`]
}

function stepLine({ owner, hook, priority, within, answer, state, milliseconds }: ExplainStep): string {
  const place = within === undefined ? String(priority).padStart(8) : '        '
  const name = within === undefined ? `${owner}/${hook}` : `  ${hook}`
  return `  ${place}  ${name.padEnd(32)}  ${answer}  => ${state}  (${milliseconds.toFixed(2)} ms)`
}

function waiting({ admin }: CommandContext) {
  const calls = admin.waitingHooks()
  const now = Date.now()
  return {
    lines: calls.map(
      ({ owner, hook, point, clientId, since }) =>
        `${owner}/${hook} on ${point}${clientId === undefined ? '' : ` for ${clientId}`}: waiting for ${Math.max(0, now - since)} ms`,
    ),
    json: calls,
  }
}
