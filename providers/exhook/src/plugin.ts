import { resolve } from 'node:path'
import { definePlugin, nodeOf } from '@hookmq/api'
import { configKeys } from './keys.ts'
import { Certificates, cacheCommand, exhookRoutes, rateInterval, Servers, serverCommand } from './manage/index.ts'
import type { ServerEnvironment } from './server.ts'
import { serversOf } from './settings.ts'
import { streamCarrier } from './stream/carrier.ts'

export default definePlugin({
  name: 'exhook',
  version: '0.1.0',
  api: '^0.1.0',
  aliases: ['emqx_exhook'],
  description: 'Asks ExHook servers over gRPC',
  config: configKeys,
  async setup(ctx) {
    const environment: ServerEnvironment = {
      broker: {
        node: ctx.broker.node,
        version: ctx.broker.version,
        clusterName: ctx.settings.text('exhook.cluster_name'),
        startedAt: ctx.admin.startedAt,
      },
      log: ctx.log,
      carrier: streamCarrier(ctx.log),
    }
    const servers = new Servers(
      {
        environment,
        log: ctx.log,
        store: ctx.store,
        provider: ctx.provider,
        certificates: new Certificates(resolve(ctx.settings.text('exhook.certs_dir'))),
        tell: (value) => ctx.members.tell(value),
        ask: (value) => ctx.members.ask(value),
        nodeOf: (member = ctx.members.name) => nodeOf(ctx.broker.node, member),
        globals: ctx.config,
      },
      serversOf(ctx.config),
    )
    await servers.start()
    ctx.members.onTold((value) => void servers.follow(value))
    ctx.members.onAsked((value) => servers.asked(value))
    ctx.onTeardown(() => servers.retire())
    ctx.every(rateInterval, () => servers.tick())
    ctx.command(serverCommand(servers))
    ctx.command(cacheCommand(servers))
    for (const route of exhookRoutes(servers, { globals: ctx.config })) ctx.route(route)
  },
})
