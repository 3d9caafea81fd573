import { createHash, timingSafeEqual } from 'node:crypto'

/** Whether two secrets are the same, in a time that tells nothing about where they differ or how long they are. */
export function sameSecret(a: Uint8Array | string, b: Uint8Array | string): boolean {
  return timingSafeEqual(digestOf(a), digestOf(b))
}

// Of equal length whatever the lengths were, as timingSafeEqual wants them.
function digestOf(secret: Uint8Array | string): Buffer {
  return createHash('sha256').update(secret).digest()
}
