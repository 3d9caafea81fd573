import type { Command, CommandResult } from '@hookmq/api'
import { splitKey } from '@hookmq/kit'
import { serverKeys } from '../keys.ts'
import { noMetrics } from './rates.ts'
import { ChangeError, type Managed, type Servers } from './servers.ts'
import { type Part, together } from './views.ts'

/** `exhook server …`, with the lines of EMQX 4.4, and what it does not have. */
export function serverCommand(servers: Servers): Command {
  return {
    name: 'exhook',
    subcommand: 'server',
    usage: [
      ['exhook server list', 'List the ExHook servers, in the order in which they are asked'],
      ['exhook server show <Name>', 'One server: status, settings, and each hook with its latency'],
      ['exhook server enable <Name>', 'Use a server'],
      ['exhook server disable <Name>', 'Unload a server, and do not use it'],
      ['exhook server stats', 'Calls of each hook'],
      ['exhook server add <Name> <Url> [<Key>=<Value> …]', 'Add a server, as the last one'],
      ['exhook server update <Name> <Key>=<Value> …', 'Change settings of a server; no value: its default'],
      ['exhook server delete <Name>', 'Unload a server and forget it'],
      ['exhook server move <Name> front|rear|before:<Other>|after:<Other>', 'Change the order'],
    ],
    async run([, verb, name, ...rest]) {
      if (name === undefined) {
        if (verb === 'list') return list(servers)
        return verb === 'stats' ? stats(servers) : undefined
      }
      if (verb === undefined) return undefined
      return said(async () => {
        if (rest.length === 0) {
          if (verb === 'show') {
            const managed = required(servers, name)
            const [parts] = await servers.everywhere([managed])
            return show(managed, parts)
          }
          if (verb === 'enable') return enable(servers, name)
          if (verb === 'disable') return disable(servers, name)
          if (verb === 'delete') return servers.remove(name).then(() => ok)
          return undefined
        }
        if (verb === 'move' && rest.length === 1) return servers.move(name, rest[0]).then(() => ok)
        if (verb === 'add') {
          const [url, ...pairs] = rest
          const { server } = await servers.add(name, onlySet({ ...readPairs(pairs), url }))
          await server.handle?.ready
          return ok
        }
        if (verb !== 'update') return undefined
        const { server } = await servers.change(name, readPairs(rest))
        await server.handle?.ready
        return ok
      })
    },
  }
}

/** `exhook cache …`. */
export function cacheCommand(servers: Servers): Command {
  return {
    name: 'exhook',
    subcommand: 'cache',
    usage: [['exhook cache clean [<ClientId>]', 'Forget remembered verdicts, of one client or of all']],
    async run([, verb, ...rest]) {
      if (verb !== 'clean' || rest.length > 1) return undefined
      const cleaned = await servers.cleanCache({ clientId: rest[0] })
      return { lines: [`Cleaned ${cleaned} verdicts`], json: { cleaned } }
    },
  }
}

const ok: CommandResult = { lines: ['ok'] }

async function enable(servers: Servers, name: string): Promise<CommandResult> {
  if (required(servers, name).server.settings.enable) return { lines: ['already_started'] }
  const { server } = await servers.change(name, { enable: 'true' })
  await server.handle?.ready
  return ok
}

async function disable(servers: Servers, name: string): Promise<CommandResult> {
  if (!required(servers, name).server.settings.enable) return { lines: ['not_running'] }
  await servers.change(name, { enable: 'false' })
  return ok
}

function required(servers: Servers, name: string): Managed {
  const managed = servers.get(name)
  if (managed === undefined) throw new ChangeError('not_found', 'not_found')
  return managed
}

async function said(work: () => Promise<CommandResult | undefined>): Promise<CommandResult | undefined> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof ChangeError)) throw error
    const text = error.code === 'bad_arguments' ? `Error: ${error.message}` : error.code
    return { lines: [text], json: { error: error.code, message: error.message } }
  }
}

/** `ssl.verify=verify_peer`; without a value the key is taken out. */
function readPairs(pairs: readonly string[]): Record<string, string | undefined> {
  const read: Record<string, string | undefined> = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 1) throw new ChangeError('bad_arguments', `expected KEY=VALUE, got ${JSON.stringify(pair)}`)
    read[pair.slice(0, at)] = pair.slice(at + 1) || undefined
  }
  return read
}

function onlySet(texts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).filter((entry): entry is [string, string] => entry[1] !== undefined))
}

async function list(servers: Servers): Promise<CommandResult> {
  const listed = servers.list()
  const parts = await servers.everywhere(listed)
  const rows = listed.map(({ server }, index) => {
    const { loaded, status } = together(parts[index])
    return {
      name: server.name,
      hooks: loaded.map(({ name }) => name),
      active: status === 'connected',
      status,
      url: server.settings.url,
    }
  })
  return {
    lines: rows.map(({ name, hooks, active }) => `Server(name=${name}, hooks=[${hooks.join(',')}], active=${active})`),
    json: rows,
  }
}

async function stats(servers: Servers): Promise<CommandResult> {
  const counts: Record<string, number> = {}
  for (const parts of await servers.everywhere(servers.list())) {
    const server = together(parts)
    for (const [name, { succeed, failed }] of Object.entries(server.metrics))
      counts[`exhook.${server.name}.${name}`] = succeed + failed
  }
  return { lines: Object.entries(counts).map(([name, count]) => `${name.padEnd(46)}:${count}`), json: counts }
}

function show({ texts, server }: Managed, parts: readonly Part[]): CommandResult {
  const { status, error, version, attached, metrics, hooks: counted } = together(parts)
  const nodes = parts.length === 1 ? [] : parts.map(({ node, view }) => [`status of ${node}`, view.status])
  const fields: Record<string, unknown> = {
    name: server.name,
    status,
    ...Object.fromEntries(nodes),
    ...(error === undefined ? {} : { error }),
    version,
    transport: server.provider.transport,
    url: server.settings.url,
    ...(attached === undefined ? {} : { breaker: attached.breaker }),
    ...attached?.counters,
    ...attached?.numbers,
  }
  const set = Object.entries(texts).map(([key, text]) => `${key} = ${isSecret(key) ? '******' : text}`)
  const hooks = counted.map((hook) => ({ ...hook, ...(metrics[hook.point] ?? noMetrics) }))
  return {
    lines: [
      ...Object.entries(fields).map(([name, value]) => `${name.padEnd(18)}: ${String(value)}`),
      ...set.map((line) => `  ${line}`),
      ...hooks.map(
        ({ point, succeed, failed, timeouts, dropped, latency }) =>
          `  ${point.padEnd(24)} succeed=${succeed}, failed=${failed}, timeouts=${timeouts}, dropped=${dropped}, p50=${time(latency.p50)}, p99=${time(latency.p99)}`,
      ),
    ],
    json: { ...fields, hooks },
  }
}

function isSecret(key: string): boolean {
  const words = splitKey(key).join('.')
  return words in serverKeys && serverKeys[words as keyof typeof serverKeys].type === 'secret'
}

/** Milliseconds. */
function time(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '-' : `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)}ms`
}
