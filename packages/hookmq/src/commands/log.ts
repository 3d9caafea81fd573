import type { CommandResult, LogHandlerView } from '@hookmq/api'
import type { CommandContext, CommandFactory } from './context.ts'
import { list, record, say } from './text.ts'

/** EMQX's words for the levels that there are here. */
const levels: Readonly<Record<string, string>> = {
  debug: 'debug',
  info: 'info',
  notice: 'info',
  warning: 'warn',
  warn: 'warn',
  error: 'error',
  critical: 'error',
  alert: 'error',
  emergency: 'error',
}

function shown(level: string): string {
  return level === 'warn' ? 'warning' : level
}

export const logCommand: CommandFactory = (context) => ({
  name: 'log',
  usage: [
    ['log set-level <Level>', 'Set the level of the log and all its handlers'],
    ['log primary-level', 'Show the level of the log'],
    ['log primary-level <Level>', 'Set the level of the log'],
    ['log handlers list', 'List where the log goes'],
    ['log handlers start <HandlerId>', 'Go on writing to one of them'],
    ['log handlers stop <HandlerId>', 'Stop writing to one of them'],
    ['log handlers set-level <HandlerId> <Level>', 'Set the level of one of them'],
  ],
  run([what, ...args]) {
    const { admin } = context
    if (what === 'handlers') return handlers(context, args)
    if (args.length > 1) return undefined
    if (what === 'primary-level' && args.length === 0) return level(admin.logLevel)
    if ((what !== 'primary-level' && what !== 'set-level') || args.length === 0) return undefined
    const wanted = levels[args[0]]
    if (wanted === undefined) return badLevel(args[0])
    admin.logLevel = wanted
    if (what === 'set-level') for (const { id } of admin.logHandlers()) admin.setLogHandler(id, { level: wanted })
    return level(admin.logLevel)
  },
})

function level(name: string): CommandResult {
  return { ...say(shown(name)), json: { level: shown(name) } }
}

function badLevel(given: string): CommandResult {
  return {
    lines: [`Error: '${given}' is not a level; expected debug, info, warning or error`],
    exitCode: 2,
  }
}

function handlers(
  { admin }: CommandContext,
  [what, id, wanted, ...rest]: readonly string[],
): CommandResult | undefined {
  if (rest.length > 0) return undefined
  if (what === 'list' && id === undefined) return list(admin.logHandlers(), line)
  if (id === undefined) return undefined
  const answer = (done: boolean, text: string): CommandResult =>
    done ? say(text) : { ...say(`[error] log handler ${id}: not_found`), json: { error: 'not_found' } }
  if (what === 'start' && wanted === undefined)
    return answer(admin.setLogHandler(id, { running: true }), `log handler ${id} started`)
  if (what === 'stop' && wanted === undefined)
    return answer(admin.setLogHandler(id, { running: false }), `log handler ${id} stopped`)
  if (what !== 'set-level' || wanted === undefined) return undefined
  const known = levels[wanted]
  return known === undefined ? badLevel(wanted) : answer(admin.setLogHandler(id, { level: known }), shown(known))
}

function line({ id, level: own, destination, running }: LogHandlerView): string {
  const [first] = [`id=${id}`]
  return record('LogHandler', first, { level: shown(own), destination, status: running ? 'started' : 'stopped' })
}
