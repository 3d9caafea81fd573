// Counts messages by the first level of their topic, and publishes the counts below $SYS. The interval is a setting
// of the plugin: `interval`, in milliseconds.
//
//   bin/hookmq start --plugin examples/count-to-sys.ts
//   bin/hookmq sub -t '$SYS/brokers/+/counts/#' -v
import { definePlugin } from 'hookmq'

// Clients choose topics: without a bound they could make this table grow for ever.
const maximum = 1000

export default definePlugin({
  name: 'count-to-sys',
  setup(ctx) {
    const counts = new Map<string, number>()

    ctx.hook(
      'message.publish',
      ({ client }, message) => {
        // No client: the broker's own messages, among them the ones from below.
        if (client === undefined) return
        const level = message.topic.split('/', 1)[0]
        if (counts.has(level) || counts.size < maximum) counts.set(level, (counts.get(level) ?? 0) + 1)
      },
      // After everything that may still change or refuse the message.
      { phase: 'sink' },
    )

    ctx.every(Number(ctx.config.interval ?? 10_000), () => {
      for (const [level, count] of counts) {
        const topic = `$SYS/brokers/${ctx.broker.node}/counts/${level}`
        ctx.broker.publish({ topic, payload: String(count), retain: true }).catch((error: unknown) => {
          ctx.log.warn('a count was not published', { topic, error })
        })
      }
    })
  },
})
