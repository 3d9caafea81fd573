// Old thermometers send degrees Fahrenheit as bare text; everybody else gets JSON in degrees Celsius. What cannot be read is
// refused: an MQTT 5 client hears why.
//
//   bin/hookmq start --plugin examples/rewrite-payloads.ts
//   bin/hookmq sub -t 'thermometers/#' -v
//   bin/hookmq pub -t thermometers/attic -m 70.7 -q 1
import { definePlugin, ReasonCode } from 'hookmq'

export default definePlugin({
  name: 'rewrite-payloads',
  setup(ctx) {
    const rewritten = ctx.counter('rewritten')

    ctx.hook(
      'message.publish',
      (_, message) => {
        const text = Buffer.from(message.payload).toString().trim()
        const fahrenheit = Number(text)
        if (text === '' || !Number.isFinite(fahrenheit))
          return { reject: ReasonCode.PayloadFormatInvalid, reason: 'expected a number in degrees Fahrenheit' }
        const celsius = Math.round((fahrenheit - 32) * (5 / 9) * 10) / 10
        rewritten.add()
        return {
          ok: {
            ...message,
            payload: Buffer.from(JSON.stringify({ celsius })),
            properties: { ...message.properties, contentType: 'application/json' },
          },
        }
      },
      { topics: ['thermometers/+'] },
    )
  },
})
