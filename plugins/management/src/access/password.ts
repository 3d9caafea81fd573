import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { ApiError } from '../http/errors.ts'

const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scrypt)

// One of the settings that OWASP names as enough; 16 MiB for each hash being made.
const cost = { N: 2 ** 14, r: 8, p: 5 }
const KEY_LENGTH = 32
/** Hashes made at once, and those that may wait: an attacker must not fill the thread pool that others need. */
const AT_ONCE = 2
const MAY_WAIT = 64

let running = 0
const waiting: (() => void)[] = []

/** `scrypt$N$r$p$salt$hash`, the last two in base64. Rejects with ApiError 503 when too many wait. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16)
  const hash = await inTurn(() => derive(password, salt, KEY_LENGTH, cost))
  return ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64'), hash.toString('base64')].join('$')
}

/** Takes as long for a wrong password as for the right one. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  const [kind, N, r, p, salt, hash] = stored.split('$')
  if (kind !== 'scrypt' || salt === undefined || hash === undefined) return false
  const expected = Buffer.from(hash, 'base64')
  const options = { N: Number(N), r: Number(r), p: Number(p) }
  const got = await inTurn(() => derive(password, Buffer.from(salt, 'base64'), expected.length, options))
  return timingSafeEqual(got, expected)
}

async function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (running < AT_ONCE) running++
  else {
    if (waiting.length >= MAY_WAIT) throw new ApiError(503, 'SERVICE_UNAVAILABLE', 'too many logins at once; try again')
    // Whoever ends hands its place over, so `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve))
  }
  try {
    return await work()
  } finally {
    const next = waiting.shift()
    if (next === undefined) running--
    else next()
  }
}

/** What is wrong with a new password; undefined when nothing is. */
export function passwordFault(password: string): string | undefined {
  if (password.length < 8 || password.length > 64) return 'a password has 8 to 64 characters'
  const kinds = [/[a-z]/i, /\d/, /[^a-z\d]/i].filter((kind) => kind.test(password)).length
  return kinds < 2 ? 'a password has at least two of letters, digits and other characters' : undefined
}
