/** A plugin with one hook of message.publish that answers at once and changes nothing. It may keep what it sees. */
import type { Plugin } from '@hookmq/api'

const plugin: Plugin = {
  name: 'bench-hook',
  setup(context) {
    let longest = 0
    context.hook('message.publish', (_, message) => {
      if (message.payload.length > longest) longest = message.payload.length
    })
  },
}

export default plugin
