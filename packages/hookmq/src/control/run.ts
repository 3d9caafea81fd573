import type { BrokerAdmin, Command, CommandResult } from '@hookmq/api'
import { messageOf } from '../errors.ts'
import { type ControlProfile, usageLines } from './layout.ts'
import { exitCodes } from './protocol.ts'

/** A result with nothing left open. */
export interface Ran {
  readonly lines: readonly string[]
  readonly json: unknown
  readonly exitCode: number
}

/** Runs one command line. Never rejects: whatever goes wrong is lines and an exit code. */
export async function runWords(admin: BrokerAdmin, profile: ControlProfile, words: readonly string[]): Promise<Ran> {
  const [name = 'help', ...args] = words
  const command = admin.commands().find((one) => one.name === name)
  if (command === undefined) return await unknown(admin, profile, words)
  let result: CommandResult | undefined
  try {
    // What it shows and looks for may be in other processes of this broker.
    await admin.refresh('everything')
    result = await command.run(args)
  } catch (error) {
    const line = `Error: ${messageOf(error)}`
    return { lines: [line], json: { error: messageOf(error) }, exitCode: exitCodes.failed }
  }
  if (result === undefined) {
    const hint = notLoaded(admin, words, 2)
    return misused(command, profile, hint === undefined ? [] : [hint])
  }
  if (result.exitCode === exitCodes.usage) return misused(command, profile, result.lines)
  return finish(result)
}

function finish(result: CommandResult): Ran {
  return {
    lines: result.lines,
    // A list of a million clients is put into one of the two forms only.
    get json() {
      return result.json ?? { lines: result.lines }
    },
    exitCode: result.exitCode ?? exitCodes.ok,
  }
}

function misused(command: Command, profile: ControlProfile, before: readonly string[]): Ran {
  return {
    lines: [...before, ...usageLines(command, profile)],
    json: { error: before[0] ?? 'wrong arguments', usage: command.usage.map(([usage]) => usage) },
    exitCode: exitCodes.usage,
  }
}

async function unknown(admin: BrokerAdmin, profile: ControlProfile, words: readonly string[]): Promise<Ran> {
  const [name = 'help'] = words
  const help = name === 'help' ? undefined : await runWords(admin, profile, ['help'])
  const error = notLoaded(admin, words, 1) ?? `unknown command '${name}'`
  // At the end, where it is seen: the help is longer than a terminal is high.
  return { lines: [...(help?.lines ?? []), '', error], json: { error }, exitCode: exitCodes.usage }
}

/** Which plugin would bring a command of so many of the words, or more; undefined when none that is not loaded would. */
function notLoaded(admin: BrokerAdmin, words: readonly string[], least: number): string | undefined {
  for (const count of [2, 1]) {
    if (count < least || count > words.length) continue
    const name = words.slice(0, count).join(' ')
    const bringers = admin
      .plugins()
      .filter(({ active, commands = [] }) => !active && commands.some((one) => `${one} `.startsWith(`${name} `)))
      .map((plugin) => `'plugins load ${plugin.name}'`)
    if (bringers.length > 0)
      return `'${name}' is the command of a plugin that is not loaded: ${bringers.join(' or ')} first`
  }
  return undefined
}
