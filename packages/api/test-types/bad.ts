// Each line that ends in `// error` must not compile, and nothing else may fail. See src/hook-types.test.ts.
import type { PluginContext } from '@hookmq/api'

export function bad(ctx: PluginContext): void {
  // A point that does not exist.
  ctx.hook('message.published', () => undefined) // error
  // An argument that the point does not have.
  ctx.hook('message.publish', ({ session }) => void session) // error
  ctx.hook('client.connected', ({ message }) => void message) // error
  ctx.hook('client.authorize', ({ filter }) => void filter) // error
  // An argument of another type.
  ctx.hook('client.connected', ({ client }) => void client.clientId.toFixed()) // error
  // Arguments are read-only.
  // biome-ignore format: the error must stand on the marked line
  ctx.hook('client.connected', ({ client }) => { client.clientId = 'x' }) // error
  // An accumulator of another type.
  ctx.hook('message.publish', () => ({ ok: 'text' })) // error
  ctx.hook('message.publish', () => ({ ok: { topic: 'a' } })) // error
  ctx.hook('message.puback', () => ({ ok: '0x10' })) // error
  ctx.hook('message.nack', () => ({ ok: 1 })) // error
  ctx.hook('client.authorize', () => ({ ok: { result: 'maybe', from: 'me' } })) // error
  ctx.hook('client.authenticate', () => ({ stop: true })) // error
  ctx.hook('client.subscribe', () => ({ ok: ['a/b'] })) // error
  ctx.hook('message.puback', (_args, code) => void code.length) // error
  // A verdict that the point does not take.
  ctx.hook('client.connect', () => ({ drop: true })) // error
  ctx.hook('client.connack', () => ({ reject: 0x87 })) // error
  ctx.hook('client.authorize', () => ({ reject: 0x87 })) // error
  ctx.hook('client.subscribe', () => ({ drop: true })) // error
  ctx.hook('message.delivered', () => ({ reject: 0x87 })) // error
  ctx.hook('message.publish', () => ({ deny: true })) // error
  ctx.hook('message.publish', () => true) // error
  // A notification decides nothing.
  ctx.hook('client.connected', () => ({ ok: undefined })) // error
  ctx.hook('message.dropped', () => 'stop') // error
  ctx.hook('client.disconnected', async () => ({ disconnect: 0x98 })) // error
  // Options.
  ctx.hook('message.publish', () => undefined, { phase: 'before' }) // error
  ctx.hook('message.publish', () => undefined, { failedAction: 'allow' }) // error
  ctx.hook('message.publish', () => undefined, { topics: 'a/b' }) // error
  ctx.hook('message.publish', () => undefined, { prio: 5 }) // error
}
