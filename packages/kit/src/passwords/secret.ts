import { createHash, randomBytes } from 'node:crypto'
import { parsePasswordScheme } from './scheme.ts'
import { hashWithScrypt } from './scrypt.ts'

/** A password as a plugin keeps it in its store. */
export interface StoredSecret {
  /** Name of the scheme that it is verified with. */
  readonly scheme: string
  readonly hash: string
  readonly salt?: string
}

/** What `makeSecret` can make. */
export type SecretKind = 'scrypt' | 'bcrypt' | 'sha512' | 'sha256' | 'sha' | 'md5' | 'plain'

export const secretKinds: readonly SecretKind[] = ['scrypt', 'bcrypt', 'sha512', 'sha256', 'sha', 'md5', 'plain']

const bcryptCost = 10

/** Makes what to store for a new password. The fast digests get a salt of their own each: without one, equal passwords would show. */
export async function makeSecret(password: Uint8Array, kind: SecretKind = 'scrypt'): Promise<StoredSecret> {
  switch (kind) {
    case 'scrypt':
      return { scheme: kind, hash: await hashWithScrypt(password) }
    case 'bcrypt': {
      if (password.length > 72) throw new TypeError('bcrypt looks at 72 bytes only, and this password has more')
      const { hash } = await import('@node-rs/bcrypt')
      return { scheme: kind, hash: await hash(password, { cost: bcryptCost }) }
    }
    case 'plain':
      return { scheme: kind, hash: Buffer.from(password).toString() }
    default: {
      const salt = randomBytes(16).toString('hex')
      const algorithm = kind === 'sha' ? 'sha1' : kind
      return { scheme: `salt,${kind}`, hash: createHash(algorithm).update(salt).update(password).digest('hex'), salt }
    }
  }
}

/** @throws TypeError when the stored text names no scheme */
export function verifySecret(password: Uint8Array, secret: StoredSecret): boolean | Promise<boolean> {
  return parsePasswordScheme(secret.scheme).verify(password, secret.hash, secret.salt)
}

/** What came out of a store, if it is one. */
export function readSecret(value: unknown): StoredSecret | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { scheme, hash, salt } = value as Partial<Record<keyof StoredSecret, unknown>>
  if (typeof scheme !== 'string' || typeof hash !== 'string') return undefined
  if (salt !== undefined && typeof salt !== 'string') return undefined
  return { scheme, hash, salt }
}
