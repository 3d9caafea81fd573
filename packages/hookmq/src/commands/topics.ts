import type { CommandFactory } from './context.ts'
import { collect, list, notFound, say } from './text.ts'

export const topicsCommand: CommandFactory = ({ admin, profile }) => ({
  name: 'topics',
  usage: [
    ['topics list', 'List the topics that somebody is subscribed to'],
    ['topics show <Topic>', 'Show where one of them is subscribed to'],
  ],
  async run([what, topic, ...rest]) {
    if (rest.length > 0 || (what === 'list') === (topic !== undefined) || (what !== 'list' && what !== 'show'))
      return undefined
    const found = await collect(admin.topics(), (filter) =>
      topic === undefined || filter === topic ? filter : undefined,
    )
    const bare = profile === '2.x' && topic === undefined
    // EMQX 4 has no such command; the words of EMQX 5 are printed for it.
    if (found.length === 0 && profile === '4.x')
      return topic === undefined ? { ...say('No topics.'), json: [] } : notFound
    return list(
      found,
      (filter) => (bare ? filter : `${filter} -> ${admin.node}`),
      (filter) => ({ topic: filter, nodes: [admin.node] }),
    )
  },
})
