import type { CommandResult } from '@hookmq/api'
import type { TraceType, TraceView } from '../trace/tracer.ts'
import type { CommandContext, CommandFactory } from './context.ts'
import { list, say } from './text.ts'

const types: readonly string[] = ['client', 'topic', 'ip_address'] satisfies readonly TraceType[]
const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency', 'all']

export const traceCommand: CommandFactory = (context) => ({
  name: 'trace',
  usage:
    context.profile === '2.x'
      ? [
          ['trace list', 'List the traces'],
          ['trace client <ClientId> <LogFile>', 'Write what a client does to a file'],
          ['trace client <ClientId> off', 'Stop that'],
          ['trace topic <Topic> <LogFile>', 'Write what happens on a topic to a file'],
          ['trace topic <Topic> off', 'Stop that'],
        ]
      : [
          ['trace list', 'List the traces'],
          ['trace start client <ClientId> <File> [<Level>]', 'Write what a client does to a file'],
          ['trace start topic <Topic> <File> [<Level>]', 'Write what happens on a topic to a file'],
          ['trace start ip_address <IP> <File> [<Level>]', 'Write what the clients of an address do to a file'],
          ['trace stop client <ClientId>', 'Stop that'],
          ['trace stop topic <Topic>', 'Stop that'],
          ['trace stop ip_address <IP>', 'Stop that'],
        ],
  run(args) {
    const [what, type, name, file, level, ...rest] = args
    if (what === 'list' && args.length === 1) return listAll(context)
    if (what === 'start' && isType(type) && file !== undefined && rest.length === 0) {
      if (level !== undefined && !levels.includes(level)) return undefined
      return start(context, type, name, file, level)
    }
    if (what === 'stop' && isType(type) && name !== undefined && file === undefined) return stop(context, type, name)
    // The form of EMQ 2.x: `trace client ID FILE`, `trace client ID off`.
    if (isType(what) && args.length === 3)
      return name === 'off' ? stop(context, what, type) : start(context, what, type, name)
    return undefined
  },
})

function isType(word: string | undefined): word is TraceType {
  return word !== undefined && types.includes(word)
}

function listAll({ tracer, profile }: CommandContext): CommandResult {
  const line = ({ type, filter, file, level }: TraceView): string =>
    profile === '2.x'
      ? `trace ${type} ${filter} -> ${file}`
      : `Trace(${type}=${filter}, level=${level}, destination=${file})`
  return list(tracer.list(), line)
}

async function start(
  { tracer, profile }: CommandContext,
  type: TraceType,
  name: string,
  file: string,
  level?: string,
): Promise<CommandResult> {
  const error = await tracer.start(type, name, file, level)
  const what = `trace ${type} ${name}`
  if (error === undefined)
    return { ...say(profile === '2.x' ? `${what} successfully.` : `${what} successfully`), json: { ok: true } }
  return { ...say(profile === '2.x' ? `${what} error: ${error}` : `[error] ${what}: ${error}`), json: { error } }
}

async function stop({ tracer, profile }: CommandContext, type: TraceType, name: string): Promise<CommandResult> {
  const what = `stop tracing ${type} ${name}`
  if (await tracer.stop(type, name))
    return { ...say(profile === '2.x' ? `${what} successfully.` : `${what} successfully`), json: { ok: true } }
  return {
    ...say(profile === '2.x' ? `${what} error: not_found.` : `[error] ${what}: not_found`),
    json: { error: 'not_found' },
  }
}
