import { readFileSync } from 'node:fs'
import { definePlugin, type Plugin, type PluginContext } from '@hookmq/api'
import { isLoopback } from '@hookmq/kit'
import type { FastifyInstance } from 'fastify'
import { ApiKeys } from './access/api-keys.ts'
import { Gate } from './access/gate.ts'
import { LoginLimiter } from './access/login-limiter.ts'
import { Tokens } from './access/tokens.ts'
import { Users } from './access/users.ts'
import { Bans } from './banned/bans.ts'
import { managementConfig } from './config.ts'
import { ownEndpoints, statusText } from './endpoints/index.ts'
import type { Endpoint } from './http/endpoint.ts'
import { openApiDocument } from './http/openapi.ts'
import { RouteTable } from './http/route-table.ts'
import { createServer, type ServerParts } from './http/server.ts'
import { Validation } from './http/validation.ts'
import { DEFAULT_PASSWORD, isExposed, type ListenerSettings, readSettings, type Settings } from './settings.ts'

const name = 'management'
const aliases = ['emqx_management', 'emq_dashboard', 'emqx_dashboard', 'dashboard']

/** The management HTTP API under /api/v5, as EMQX 5 has it. */
export const managementPlugin: Plugin = definePlugin({
  name,
  version: '0.1.0',
  api: '^0.1.0',
  description: 'Management HTTP API',
  aliases,
  // Two generations cannot hold one port.
  exclusive: true,
  config: managementConfig,
  setup,
})

async function setup(ctx: PluginContext): Promise<void> {
  const settings = readSettings(ctx.config)
  const { admin } = ctx
  const { users, keys } = await openAccounts(ctx, settings)
  const tokens = new Tokens(settings.tokenLifetime, () => ctx.now())
  const own = ownEndpoints({
    ctx,
    bans: await Bans.open(ctx),
    users,
    keys,
    tokens,
    limiter: new LoginLimiter(() => ctx.now()),
    version: admin.version,
    tokenLifetime: settings.tokenLifetime,
    defaultPassword: DEFAULT_PASSWORD,
    ownNames: [name, ...aliases],
    prometheusAuth: settings.prometheusAuth,
  })
  const parts: ServerParts = {
    log: ctx.log,
    gate: new Gate(users, keys, tokens),
    status: () => statusText(admin),
    refresh: () => admin.refresh('everything'),
    ...liveTable(ctx, own),
  }
  // In every worker of a broker the bans hold; one of them serves for all.
  if (!ctx.members.leads) return
  for (const listener of settings.listeners) await listen(ctx, parts, settings, listener)
}

/** The endpoints of the moment: this plugin's, and what others register while they are loaded. */
function liveTable(
  ctx: PluginContext,
  own: readonly Endpoint[],
): Pick<ServerParts, 'table' | 'document' | 'validation'> {
  const { admin } = ctx
  const validation = new Validation()
  /** Endpoints that were said to be hidden: once is enough, however often plugins come and go. */
  const told = new Set<string>()
  let table: RouteTable | undefined
  let document: object | undefined
  ctx.onTeardown(
    admin.onChange(() => {
      table = undefined
      document = undefined
    }),
  )
  const current = (): RouteTable => {
    if (table === undefined) {
      table = new RouteTable([...own, ...admin.routes()])
      validation.keepOnly(new Set(table.endpoints))
      for (const { method, path } of table.hidden) {
        if (told.has(`${method} ${path}`)) continue
        told.add(`${method} ${path}`)
        ctx.log.warn('an endpoint exists already', { method, path })
      }
    }
    return table
  }
  return {
    validation,
    table: current,
    document() {
      const { endpoints } = current()
      document ??= openApiDocument(endpoints, admin.version)
      return document
    },
  }
}

async function openAccounts(ctx: PluginContext, settings: Settings): Promise<{ users: Users; keys: ApiKeys }> {
  const { defaultUser, defaultKey } = settings
  const exposed = settings.listeners.find(({ host }) => !isLoopback(host))
  const refuse = (key: string): never => {
    throw new Error(
      `${exposed?.key} = ${exposed?.host}:${exposed?.port} can be reached from other machines, and everybody knows the password ` +
        `'${DEFAULT_PASSWORD}': set another ${key}, or listen on 127.0.0.1`,
    )
  }
  const open = isExposed(settings)
  const users = await Users.open(ctx.store, defaultUser, open ? DEFAULT_PASSWORD : undefined)
  if (open && defaultUser.password === DEFAULT_PASSWORD && users.get(defaultUser.name) === undefined) {
    refuse('dashboard.default_user.password')
  }
  if (open && (await users.verify(defaultUser.name, DEFAULT_PASSWORD))) {
    refuse('password for the user (POST /api/v5/users/:username/change_pwd), which the store already has')
  }
  const keys = await ApiKeys.open(ctx.store, () => ctx.now())
  if (defaultKey !== undefined) {
    if (open && defaultKey.secret === DEFAULT_PASSWORD) refuse('management.default_application.secret')
    keys.addFixed(defaultKey.key, defaultKey.secret)
  }
  return { users, keys }
}

async function listen(
  ctx: PluginContext,
  parts: ServerParts,
  settings: Settings,
  listener: ListenerSettings,
): Promise<void> {
  const { key, host, port, maxClients } = listener
  const server = await createServer(parts, {
    bodyLimit: settings.bodyLimit,
    requestTimeout: settings.requestTimeout,
    origins: settings.origins,
    maxClients,
    ...(listener.tls === undefined ? {} : { tls: readCertificates(key, listener.tls) }),
  })
  ctx.onTeardown(() => server.close())
  const address = await bind(server, key, host, port)
  ctx.log.info(`management API at ${address}`, { listener: key, address })
}

async function bind(server: FastifyInstance, key: string, host: string, port: number): Promise<string> {
  try {
    return await server.listen({ host, port })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why =
      code === 'EADDRINUSE'
        ? `port ${port} on ${host} is in use`
        : code === 'EACCES'
          ? `port ${port} is not allowed`
          : message
    throw new Error(`${key}: ${why}; choose another address, or 'off'`, { cause: error })
  }
}

function readCertificates(key: string, tls: NonNullable<ListenerSettings['tls']>) {
  const read = (name: string, path: string): Buffer => {
    try {
      return readFileSync(path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new Error(`${key}.${name}: ${path} cannot be read (${code})`, { cause: error })
    }
  }
  return {
    cert: read('certfile', tls.certFile),
    key: read('keyfile', tls.keyFile),
    ...(tls.caFile === undefined ? {} : { ca: read('cacertfile', tls.caFile) }),
    requestCert: tls.verify,
  }
}
