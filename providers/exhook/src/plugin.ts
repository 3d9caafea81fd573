import { definePlugin } from '@hookmq/api'
import { configKeys } from './keys.ts'
import { ExHookServer, type ServerEnvironment } from './server.ts'
import { readServers } from './settings.ts'

export default definePlugin({
  name: 'exhook',
  version: '0.1.0',
  api: '^0.1.0',
  aliases: ['emqx_exhook'],
  description: 'Asks ExHook servers over gRPC',
  config: configKeys,
  setup(ctx) {
    const environment: ServerEnvironment = {
      broker: {
        node: ctx.broker.node,
        version: ctx.broker.version,
        clusterName: ctx.settings.text('exhook.cluster_name'),
        startedAt: ctx.admin.startedAt,
      },
      log: ctx.log,
    }
    const servers = readServers(ctx.config).map((settings) => new ExHookServer(settings, environment))
    for (const [place, server] of servers.entries())
      server.start((provider, policy) => ctx.provider(provider, { ...policy, place }))
    ctx.onTeardown(() => {
      for (const server of servers) server.retire()
    })
  },
})
