import type { CommandFactory } from './context.ts'
import { collect, list } from './text.ts'

export const routesCommand: CommandFactory = ({ admin }) => ({
  name: 'routes',
  usage: [
    ['routes list', 'List what messages are routed by'],
    ['routes show <Topic>', 'Show one of them'],
  ],
  async run([what, topic, ...rest]) {
    if (rest.length > 0 || (what === 'list') === (topic !== undefined) || (what !== 'list' && what !== 'show'))
      return undefined
    const filters = await collect(admin.topics(), (filter) =>
      topic === undefined || filter === topic ? filter : undefined,
    )
    return list(
      filters,
      (filter) => `${filter} -> ${admin.node}`,
      (filter) => ({ topic: filter, nodes: [admin.node] }),
    )
  },
})
