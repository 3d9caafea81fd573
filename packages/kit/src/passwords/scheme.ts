import { createHash } from 'node:crypto'
import { bcryptScheme } from './bcrypt.ts'
import { sameSecret } from './compare.ts'
import { pbkdf2Scheme } from './pbkdf2.ts'
import { refuseSalt, requireSalt } from './salt.ts'
import { scryptScheme } from './scrypt.ts'

/** How the passwords of a table are kept: `password_hash` of the authentication plugins. */
export interface PasswordScheme {
  /** As it would be written in a file, such as 'salt,sha256'. */
  readonly name: string
  /** The salt is stored beside the hash, in a column or field of its own. */
  readonly salted: boolean
  /**
   * Whether this is the password. Takes hexadecimal in either case. `salt` is used byte for byte as it is stored.
   * @throws TypeError when a salt is given to a scheme without one, or missing
   */
  verify(password: Uint8Array, stored: string, salt?: Uint8Array | string): boolean | Promise<boolean>
}

const digests: Readonly<Record<string, string>> = { md5: 'md5', sha: 'sha1', sha256: 'sha256', sha512: 'sha512' }

const expected =
  'expected plain, md5, sha, sha256, sha512, bcrypt or scrypt; salt,H or H,salt with H one of md5, sha, sha256, sha512, bcrypt; ' +
  'or pbkdf2,MAC,ITERATIONS,LENGTH'

/**
 * Reads the value of `password_hash`. Its words are separated by commas, as in EMQ 2.3 and later, or by blanks, as in EMQ 2.0.
 * A value that it does not know is an error; to take it for clear text, as EMQ did, would compare passwords with hashes.
 * @throws TypeError what is wrong, and what may stand there
 */
export function parsePasswordScheme(text: string): PasswordScheme {
  const words = text.trim().split(/\s*,\s*|\s+/)
  const [first, second] = words
  if (words.length === 4 && first === 'pbkdf2') return pbkdf2Scheme(words[1], words[2], words[3])
  if (words.length === 2 && first === 'salt' && second === 'bcrypt') return bcryptScheme('salt,bcrypt', true)
  if (words.length === 2 && first === 'bcrypt' && second === 'salt') return bcryptScheme('bcrypt,salt', true)
  if (words.length === 2 && first === 'salt' && Object.hasOwn(digests, second)) return digestScheme(second, 'before')
  if (words.length === 2 && second === 'salt' && Object.hasOwn(digests, first)) return digestScheme(first, 'after')
  if (words.length === 1) {
    if (first === 'plain') return plain
    if (first === 'bcrypt') return bcryptScheme('bcrypt', false)
    if (first === 'scrypt') return scryptScheme
    if (Object.hasOwn(digests, first)) return digestScheme(first, 'none')
  }
  throw new TypeError(`'${text}' is no way to keep a password; ${expected}`)
}

const plain: PasswordScheme = {
  name: 'plain',
  salted: false,
  verify(password, stored, salt) {
    refuseSalt('plain', salt)
    return sameSecret(password, stored)
  },
}

function digestScheme(hash: string, place: 'none' | 'before' | 'after'): PasswordScheme {
  const algorithm = digests[hash]
  const name = place === 'none' ? hash : place === 'before' ? `salt,${hash}` : `${hash},salt`
  return {
    name,
    salted: place !== 'none',
    verify(password, stored, salt) {
      const digest = createHash(algorithm)
      if (place === 'none') refuseSalt(name, salt)
      else if (place === 'before') digest.update(requireSalt(name, salt)).update(password)
      else digest.update(password).update(requireSalt(name, salt))
      if (place === 'none') digest.update(password)
      return sameSecret(digest.digest('hex'), stored.toLowerCase())
    },
  }
}
