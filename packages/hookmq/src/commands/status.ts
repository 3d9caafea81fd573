import type { CommandFactory } from './context.ts'

/** It answers, so the broker runs. */
export const statusCommand: CommandFactory = ({ admin, profile }) => ({
  name: 'status',
  usage: [['status', 'Show whether the broker runs']],
  run(args) {
    if (args.length > 0) return undefined
    const { node, version } = admin
    const lines =
      profile === '2.x'
        ? [`Node '${node}' is started`, `emqttd ${version} is running`]
        : [`Node '${node}' ${version} is started`]
    const storeDown = admin.stats()['store.down.count'] === 1
    if (storeDown) lines.push('The store does not work: durable sessions take no QoS 1 and 2 messages, see the log')
    return { lines, json: { node, version, status: 'started', ...(storeDown && { store: 'down' }) } }
  },
})
