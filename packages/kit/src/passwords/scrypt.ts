import { randomBytes, type ScryptOptions, scrypt } from 'node:crypto'
import { sameSecret } from './compare.ts'
import { refuseSalt } from './salt.ts'
import type { PasswordScheme } from './scheme.ts'

/** Binary logarithm of the cost: 16 MB and some tens of milliseconds for each password. */
const logCost = 14
const blockSize = 8
const keyLength = 32

const format = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d)\$([A-Za-z0-9+/]{4,128})\$([A-Za-z0-9+/]{16,128})$/

/** Self-contained text `$scrypt$ln=14,r=8,p=1$SALT$KEY`, salt and key in base64 without padding. */
export const scryptScheme: PasswordScheme = {
  name: 'scrypt',
  salted: false,
  async verify(password, stored, salt) {
    refuseSalt('scrypt', salt)
    const match = format.exec(stored)
    if (match === null) return false
    const [, ln, r, p, ownSalt, key] = match
    // More than 64 MB for one login is no setting of ours.
    if (Number(ln) < 1 || Number(ln) > 16 || Number(r) < 1 || Number(r) > 8 || Number(p) < 1) return false
    const wanted = Buffer.from(key, 'base64')
    const cost = { N: 2 ** Number(ln), r: Number(r), p: Number(p) }
    return sameSecret(await derive(password, Buffer.from(ownSalt, 'base64'), wanted.length, cost), wanted)
  },
}

/** What to store for a new password. */
export async function hashWithScrypt(password: Uint8Array): Promise<string> {
  const salt = randomBytes(16)
  const key = await derive(password, salt, keyLength, { N: 2 ** logCost, r: blockSize, p: 1 })
  return `$scrypt$ln=${logCost},r=${blockSize},p=1$${unpadded(salt)}$${unpadded(key)}`
}

function derive(password: Uint8Array, salt: Uint8Array, length: number, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { ...cost, maxmem: 128 * 1024 * 1024 }, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '')
}
