/** The same for one that is interested in topics, and says so. */
import type { Plugin } from '@hookmq/api'

const plugin: Plugin = {
  name: 'bench-hook',
  setup(context) {
    let longest = 0
    context.hook(
      'message.publish',
      (_, message) => {
        if (message.topic.length > longest) longest = message.topic.length
      },
      { payload: 'ignore' },
    )
  },
}

export default plugin
