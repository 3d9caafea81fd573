import type { CommandFactory } from './context.ts'
import { say } from './text.ts'

const alone = 'this broker does not form clusters'

/** What changes a cluster, and how EMQ says that it could not be done. */
const refusals: Readonly<Record<string, string>> = {
  join: 'Failed to join the cluster',
  leave: 'Failed to leave the cluster',
  remove: 'Failed to remove the node from cluster',
  'force-leave': 'Failed to remove the node from cluster',
}

export const clusterCommand: CommandFactory = ({ admin, profile }) => ({
  name: 'cluster',
  usage: [['cluster status', 'Show the nodes']],
  run([what, ...rest]) {
    if (what !== undefined && Object.hasOwn(refusals, what))
      return { ...say(`${refusals[what]}: ${alone}`), json: { error: alone }, exitCode: 1 }
    if (what !== 'status' || rest.length > 0) return undefined
    const { node } = admin
    const line =
      profile === '2.x'
        ? `Cluster status: [{running_nodes,['${node}']}]`
        : `Cluster status: #{running_nodes => ['${node}'],stopped_nodes => []}`
    return { lines: [line], json: { running_nodes: [node], stopped_nodes: [] } }
  },
})
