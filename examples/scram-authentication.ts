// Enhanced authentication of MQTT 5 with SCRAM-SHA-256 (RFC 5802, RFC 7677): the password never travels, what the server keeps
// is no use to log in with, and the client sees that the server knows it too.
//
//   bin/hookmq start --plugin examples/scram-authentication.ts --set allow_anonymous=false
import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'
import { definePlugin, ReasonCode } from 'hookmq'

const iterations = 4096
const hmac = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text).digest()
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest()

function keep(password: string, salt = randomBytes(16)) {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256')
  return { salt, storedKey: sha256(hmac(salted, 'Client Key')), serverKey: hmac(salted, 'Server Key') }
}

const users = new Map([['ann', keep('apple')]])
// A name that does not exist gets the same salt each time, and fails only at the end, as a wrong password would.
const secret = randomBytes(32)
const stranger = (name: string) => ({ ...keep('', hmac(secret, name).subarray(0, 16)), storedKey: randomBytes(32) })

type Exchange = { user: string; nonce: string; header: string; messages: string }
const deny = { stop: { result: 'deny', reasonCode: ReasonCode.NotAuthorized } } as const

export default definePlugin({
  name: 'scram-authentication',
  setup(ctx) {
    ctx.hook('client.authenticate', ({ client }) => {
      if (client.authenticationMethod === undefined) return
      if (client.authenticationMethod !== 'SCRAM-SHA-256')
        return { stop: { result: 'deny', reasonCode: ReasonCode.BadAuthenticationMethod } }
      const text = Buffer.from(client.authenticationData ?? '').toString()

      if (client.step !== 'continue') {
        // n,,n=USER,r=NONCE: 'n' or 'y' because there is no channel binding here; =2C and =3D stand for , and =
        const first = /^([ny],(?:a=[^,]*)?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+))$/.exec(text)
        if (first === null) return deny
        const [, header, bare, name, clientNonce] = first
        const user = name.replaceAll('=2C', ',').replaceAll('=3D', '=')
        const nonce = clientNonce + randomBytes(18).toString('base64')
        const { salt } = users.get(user) ?? stranger(user)
        const data = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`
        const state: Exchange = { user, nonce, header, messages: `${bare},${data}` }
        return { stop: { result: 'continue', data: Buffer.from(data), state } }
      }

      const { user, nonce, header, messages } = client.state as Exchange
      const last = /^(c=([^,]+),r=([^,]+)),p=([^,]+)$/.exec(text)
      if (last === null || last[3] !== nonce || Buffer.from(last[2], 'base64').toString() !== header) return deny
      const { storedKey, serverKey } = users.get(user) ?? stranger(user)
      const signature = hmac(storedKey, `${messages},${last[1]}`)
      const proof = Buffer.from(last[4], 'base64')
      const clientKey = signature.map((byte, index) => byte ^ (proof[index] ?? 0))
      if (proof.length !== 32 || !timingSafeEqual(sha256(clientKey), storedKey)) return deny
      const data = Buffer.from(`v=${hmac(serverKey, `${messages},${last[1]}`).toString('base64')}`)
      return { stop: { result: 'allow', username: user, data } }
    })
  },
})
