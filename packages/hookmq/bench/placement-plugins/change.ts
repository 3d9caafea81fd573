import { definePlugin } from '@hookmq/api'

export default definePlugin({
  name: 'change',
  setup(ctx) {
    ctx.hook('message.publish', (_, message) => {
      const payload = Buffer.from(message.payload)
      payload[0]++
      return { ok: { ...message, payload } }
    })
  },
})
