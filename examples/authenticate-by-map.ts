// Lets in the clients of a table and nobody else, and each of them only to topics below its own name.
//
//   bin/hookmq start --plugin examples/authenticate-by-map.ts
//   bin/hookmq pub -u ann -P apple -t ann/state -m on
import { createHash, timingSafeEqual } from 'node:crypto'
import { definePlugin, ReasonCode } from 'hookmq'

// A table for a first try. What keeps passwords for good stores slow, salted hashes of them.
const passwords = new Map([
  ['ann', 'apple'],
  ['bob', 'banana'],
])

function sameText(a: Uint8Array, b: string): boolean {
  const digest = (value: Uint8Array | string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(a), digest(b))
}

export default definePlugin({
  name: 'authenticate-by-map',
  setup(ctx) {
    ctx.hook('client.authenticate', ({ client }) => {
      const expected = client.username === undefined ? undefined : passwords.get(client.username)
      if (expected !== undefined && client.password !== undefined && sameText(client.password, expected))
        return { stop: { result: 'allow' } }
      return { stop: { result: 'deny', reasonCode: ReasonCode.BadUserNameOrPassword } }
    })

    ctx.hook('client.authorize', ({ client, topic }) => {
      const own = topic === client.username || topic.startsWith(`${client.username}/`)
      return { stop: { result: own ? 'allow' : 'deny', from: 'authenticate-by-map' } }
    })
  },
})
