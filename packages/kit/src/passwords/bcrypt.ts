import { refuseSalt, requireSalt } from './salt.ts'
import type { PasswordScheme } from './scheme.ts'

/** `$2a$12$` and 22 characters of salt, then 31 of hash. The four letters name revisions that differ in nothing that is left. */
const whole = /^\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}$/
const saltLength = 29

/**
 * The stored password is the whole bcrypt text, its first 29 characters the salt. `salted`: the salt is stored a second time, in
 * its own column, and has to be the same. bcrypt looks at the first 72 bytes of a password.
 */
export function bcryptScheme(name: string, salted: boolean): PasswordScheme {
  return {
    name,
    salted,
    async verify(password, stored, salt) {
      if (salted) {
        const own = Buffer.from(requireSalt(name, salt)).toString('latin1')
        if (
          own.length < saltLength ||
          unprefixed(stored).slice(0, saltLength) !== unprefixed(own).slice(0, saltLength)
        ) {
          return false
        }
      } else refuseSalt(name, salt)
      const match = whole.exec(stored)
      // Outside of 4 to 31 there is no bcrypt, and each step doubles the time: 20 is minutes already.
      if (match === null || Number(match[1]) < 4 || Number(match[1]) > 20) return false
      // A native module: only who needs it loads it.
      const { verify } = await import('@node-rs/bcrypt')
      return verify(password, unprefixed(stored))
    },
  }
}

function unprefixed(text: string): string {
  return text.replace(/^\$2[abxy]\$/, '$2b$')
}
