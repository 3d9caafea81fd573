import { type Command, type CommandResult, type PluginContext, topicFilterError } from '@hookmq/api'
import { inTurns } from './in-turns.ts'

/** Topics that one call prints. */
const most = 10_000

/** `retainer info|topics|clean` */
export function retainerCommand(ctx: PluginContext): Command {
  const { retained } = ctx.admin
  return {
    name: 'retainer',
    usage: [
      ['retainer info', 'Show the number of retained messages'],
      ['retainer topics', 'Show the topics that have a retained message'],
      ['retainer topics <Start> <Limit>', 'Show some of them: so many from this place on, counted from 1'],
      ['retainer clean', 'Take all retained messages away'],
      ['retainer clean <Topic>', 'Take those away whose topic matches this filter'],
    ],
    async run([action, ...args]) {
      if (action === 'info' && args.length === 0) {
        return { lines: [`retained/total: ${retained.count}`], json: { total: retained.count } }
      }
      if (action === 'topics' && args.length === 0) return topics(ctx, 1, most)
      if (action === 'topics' && args.length === 2) {
        const [start, limit] = args.map(Number)
        if (!isPlace(start) || !isPlace(limit)) return wrong('expected two numbers from 1')
        return topics(ctx, start, Math.min(limit, most))
      }
      if (action === 'clean' && args.length <= 1) return clean(ctx, args[0])
      return undefined
    },
  }
}

async function topics({ admin, signal }: PluginContext, start: number, limit: number): Promise<CommandResult> {
  const found: string[] = []
  let place = 0
  let more = false
  await inTurns(
    admin.retained.all(),
    ({ topic }) => {
      if (++place < start) return true
      more = found.length === limit
      if (!more) found.push(topic)
      return !more
    },
    signal,
  )
  // A caller that asked for a page knows that there may be more.
  const hint = more && limit === most ? [`... more: retainer topics ${start + limit} ${limit}`] : []
  return { lines: [...found, ...hint], json: { topics: found, more } }
}

async function clean({ admin, signal }: PluginContext, filter: string | undefined): Promise<CommandResult | undefined> {
  const { retained } = admin
  if (filter !== undefined) {
    const fault = topicFilterError(filter)
    if (fault !== undefined) return wrong(`'${filter}' is no topic filter: ${fault.message}`)
  }
  let cleaned = 0
  if (filter === undefined) {
    cleaned = retained.count
    retained.clear()
  } else {
    await inTurns(
      retained.match(filter),
      ({ topic }) => {
        if (retained.delete(topic)) cleaned++
      },
      signal,
    )
  }
  return { lines: [`Cleaned ${cleaned} retained messages`], json: { cleaned } }
}

function wrong(message: string): CommandResult {
  return { lines: [`Error: ${message}`], json: { error: message }, exitCode: 2 }
}

function isPlace(number: number): boolean {
  return Number.isSafeInteger(number) && number > 0
}
