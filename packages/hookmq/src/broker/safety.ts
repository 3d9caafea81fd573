import { isLoopback } from '@hookmq/kit'
import { HookmqError } from '../errors.ts'

/** Only programs on this machine reach it: loopback addresses and Unix sockets. */
export function isLocalAddress(host: string): boolean {
  if (host === 'localhost' || host.startsWith('/') || host.startsWith('./') || host.startsWith('unix:')) return true
  return isLoopback(host)
}

/** What guards a broker that is open to other machines. */
export interface Guard {
  /** allow_anonymous was set, to whatever value: somebody thought about it. */
  anonymousIsExplicit: boolean
  /** Some plugin or hook authenticates clients. */
  authenticates: boolean
}

/**
 * A listener that other machines reach needs somebody who checks who connects, or the explicit word that nobody needs to.
 * Throws a HookmqError with code LISTENER_UNSAFE.
 */
export function requireGuard(listener: string, host: string, guard: Guard): void {
  if (isLocalAddress(host) || guard.anonymousIsExplicit || guard.authenticates) return
  throw new HookmqError(
    'LISTENER_UNSAFE',
    `listener ${listener}: ${host} can be reached from other machines and nobody checks who connects; ` +
      'load an authentication plugin, set allow_anonymous = true if everybody may connect, or listen on 127.0.0.1',
  )
}
