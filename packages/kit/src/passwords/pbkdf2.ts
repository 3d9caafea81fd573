import { getHashes, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { sameSecret } from './compare.ts'
import { requireSalt } from './salt.ts'
import type { PasswordScheme } from './scheme.ts'

const derive = promisify(pbkdf2)

const macs: Readonly<Record<string, string>> = {
  md4: 'md4',
  md5: 'md5',
  ripemd160: 'ripemd160',
  sha: 'sha1',
  sha224: 'sha224',
  sha256: 'sha256',
  sha384: 'sha384',
  sha512: 'sha512',
}

// Each login costs so many rounds: a slip of the pen must not stop the broker.
const maxIterations = 10_000_000
const maxLength = 1024

/** `pbkdf2,sha256,1000,20`: the stored password is the derived key in hexadecimal. @throws TypeError what is wrong */
export function pbkdf2Scheme(mac: string, iterations: string, length: string): PasswordScheme {
  const name = `pbkdf2,${mac},${iterations},${length}`
  const algorithm = Object.hasOwn(macs, mac) ? macs[mac] : undefined
  if (algorithm === undefined) {
    throw new TypeError(`${name}: '${mac}' is none of ${Object.keys(macs).join(', ')}`)
  }
  if (!getHashes().includes(algorithm)) throw new TypeError(`${name}: the OpenSSL of this Node has no ${mac}`)
  const rounds = numberOf(name, 'iterations', iterations, maxIterations)
  const bytes = numberOf(name, 'length', length, maxLength)
  return {
    name,
    salted: true,
    async verify(password, stored, salt) {
      const key = await derive(password, requireSalt(name, salt), rounds, bytes, algorithm)
      return sameSecret(key.toString('hex'), stored.toLowerCase())
    },
  }
}

function numberOf(name: string, what: string, text: string, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw new TypeError(`${name}: ${what} '${text}': expected a number from 1 to ${most}`)
}
