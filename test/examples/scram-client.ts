import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'

const hmac = (key: Uint8Array, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** The client's side of SCRAM-SHA-256, RFC 5802 and RFC 7677. It knows nothing of the example that it talks to. */
export class ScramClient {
  readonly method = 'SCRAM-SHA-256'
  readonly #user: string
  readonly #password: string
  readonly #nonce: string
  #verifier: string | undefined
  /** The server has proved that it knows the password's verifier. */
  verified = false

  constructor(user: string, password: string, nonce: string) {
    this.#user = user
    this.#password = password
    this.#nonce = nonce
  }

  get #bare(): string {
    return `n=${this.#user.replaceAll('=', '=3D').replaceAll(',', '=2C')},r=${this.#nonce}`
  }

  start(): Buffer {
    return Buffer.from(`n,,${this.#bare}`)
  }

  /** Throws when the server does not play by the rules. */
  answer(data: Uint8Array | undefined): Buffer | undefined {
    const text = Buffer.from(data ?? '').toString()
    if (text.startsWith('v=')) {
      if (text !== this.#verifier) throw new Error('the server does not know the password')
      this.verified = true
      return undefined
    }
    const first = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(text)
    if (first === null || !first[1].startsWith(this.#nonce)) throw new Error(`not a first message of a server: ${text}`)
    const [, nonce, salt, iterations] = first
    const salted = pbkdf2Sync(this.#password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256')
    const clientKey = hmac(salted, 'Client Key')
    const storedKey = createHash('sha256').update(clientKey).digest()
    const withoutProof = `c=biws,r=${nonce}`
    const messages = `${this.#bare},${text},${withoutProof}`
    const signature = hmac(storedKey, messages)
    const proof = clientKey.map((byte, index) => byte ^ signature[index])
    this.#verifier = `v=${hmac(hmac(salted, 'Server Key'), messages).toString('base64')}`
    return Buffer.from(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`)
  }
}
