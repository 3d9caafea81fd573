import type { Authenticator } from 'hookmq'

/**
 * Who may connect. `{ result: 'ignore' }`: not mine, the next module is asked. `{ result: 'deny', reasonCode: ReasonCode.BadUserNameOrPassword }`: out. It may
 * answer later, with a promise. `client.password` has the bytes of the password; they belong into no log.
 */
export function authModule(result: 'allow' | 'ignore'): Authenticator {
  return {
    name: 'my-plugin-auth-demo',
    authenticate: () => ({ result }),
  }
}
