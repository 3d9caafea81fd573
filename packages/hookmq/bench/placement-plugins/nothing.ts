import { definePlugin } from '@hookmq/api'

export default definePlugin({
  name: 'nothing',
  setup(ctx) {
    ctx.hook('message.publish', () => {})
  },
})
