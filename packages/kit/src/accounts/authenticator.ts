import type { AuthenticateResult, Authenticator, Credential } from '@hookmq/api'
import type { Accounts } from './accounts.ts'
import { TooManyWaiting } from './turns.ts'

const ignore: AuthenticateResult = { result: 'ignore' }
const allow: AuthenticateResult = { result: 'allow' }
/** MQTT 5 reason codes; older clients get "bad user name or password" and "server unavailable". */
const wrong: AuthenticateResult = { result: 'deny', reasonCode: 0x86 }
const busy: AuthenticateResult = { result: 'deny', reasonCode: 0x89 }

/**
 * Asks the accounts. A client without name or password is refused, one that is unknown is left to the next authenticator, and so is
 * enhanced authentication.
 * @param nameOf what a client is known by
 */
export function accountAuthenticator(
  name: string,
  accounts: Accounts,
  nameOf: (client: Credential) => string | undefined,
): Authenticator {
  return {
    name,
    authenticate(client) {
      if (client.authenticationMethod !== undefined) return ignore
      const account = nameOf(client)
      const { password } = client
      if (account === undefined || account === '' || password === undefined) return wrong
      return accounts.check(account, password).then(
        (check) => (check === 'right' ? allow : check === 'wrong' ? wrong : ignore),
        (error) => {
          if (error instanceof TooManyWaiting) return busy
          throw error
        },
      )
    },
  }
}
