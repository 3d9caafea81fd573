import type { BrokerAdmin, CommandResult, PluginOutcome, PluginView } from '@hookmq/api'
import type { CommandContext, CommandFactory } from './context.ts'
import { list, record } from './text.ts'

type Verb = 'load' | 'unload' | 'reload'

export const pluginsCommand: CommandFactory = (context) => ({
  name: 'plugins',
  usage: [
    ['plugins list', 'List the plugins'],
    ['plugins load <Plugin>', 'Load a plugin'],
    ['plugins unload <Plugin>', 'Unload a plugin'],
    ['plugins reload <Plugin>', 'Read code and settings of a plugin again'],
  ],
  run(args) {
    return run(context, 'plugin', args)
  },
})

/** In EMQX 4 modules and plugins are administered apart; here both words mean the same things. */
export const modulesCommand: CommandFactory = (context) => ({
  name: 'modules',
  usage: [
    ['modules list', 'List the plugins, as EMQX 4 lists modules'],
    ['modules load <Module>', 'Load a module'],
    ['modules unload <Module>', 'Unload a module'],
    ['modules reload <Module>', 'Read code and settings of a module again'],
  ],
  run(args) {
    return run(context, 'module', args)
  },
})

async function run(
  { admin, profile }: CommandContext,
  kind: 'plugin' | 'module',
  [what, name, ...rest]: readonly string[],
): Promise<CommandResult | undefined> {
  if (rest.length > 0 || what === undefined) return undefined
  if (what === 'list' && name === undefined) {
    const withVersion = profile === '2.x' && kind === 'plugin'
    return list(admin.plugins(), (plugin) => line(plugin, kind, withVersion))
  }
  if (name === undefined) return undefined
  if (what === 'load') {
    const before = failing(admin)
    const answered = answer(kind, what, name, profile, await admin.loadPlugin(name))
    // What it has attached says so in the next turn.
    await new Promise((resolve) => setImmediate(resolve))
    const warnings = failing(admin)
      .filter((line) => !before.includes(line))
      .map((line) => `Warning: ${line}`)
    return warnings.length === 0 ? answered : { ...answered, lines: [...answered.lines, ...warnings] }
  }
  if (what === 'unload') return answer(kind, what, name, profile, await admin.unloadPlugin(name))
  if (what === 'reload') return answer(kind, what, name, profile, await admin.reloadPlugin(name))
  return undefined
}

/** A plugin works, and what it has brought may not: what keeps each provider of hooks from working. */
function failing(admin: BrokerAdmin): string[] {
  return admin
    .providers()
    .filter(({ status }) => status === 'failed')
    .map(({ name, error = '' }) => (error.includes(name) ? error : `${name}: ${error}`))
}

function line(
  { name, alias, version, description, active, error }: PluginView,
  kind: string,
  withVersion: boolean,
): string {
  // Every line has something as description: scripts take it apart by this.
  const said = description === '' ? name : description
  return record(capital(kind), alias ?? name, {
    ...(withVersion ? { version } : {}),
    description: error === undefined ? said : `${said} [${error}]`,
    active,
  })
}

function answer(
  kind: 'plugin' | 'module',
  verb: Verb,
  name: string,
  profile: CommandContext['profile'],
  outcome: PluginOutcome,
): CommandResult {
  if (!outcome.ok) {
    const { error } = outcome
    const reason = verb === 'reload' && error === 'not_found' ? `The ${kind} doesn't exist` : error
    const failed =
      profile === '2.x' && kind === 'plugin'
        ? `${verb} plugin error: ${reason}`
        : `${capital(verb)} ${kind} ${name} error: ${reason.replace(/\.$/, '')}.`
    return { lines: [failed], json: outcome }
  }
  const done = `${capital(kind)} ${name} ${verb}ed successfully.`
  const apps =
    profile === '2.x' && kind === 'plugin' && verb === 'load' ? [`Start apps: [${outcome.started.join(',')}]`] : []
  return { lines: [...apps, done], json: outcome }
}

function capital(word: string): string {
  return `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`
}
