import { definePlugin } from '@hookmq/api'
import { Accounts, accountAuthenticator, accountCommand, type SecretKind, secretKinds } from '@hookmq/kit'
import { configuredClients } from './configured.ts'

export default definePlugin({
  name: 'auth-clientid',
  version: '0.1.0',
  api: '^0.1.0',
  description: 'Authentication with ClientId/Password',
  aliases: ['emq_auth_clientid', 'emqx_auth_clientid'],
  config: {
    'auth.client.$n.clientid': {
      type: 'string',
      description: 'Client id; the entries with the same word in place of `$n` belong together.',
    },
    'auth.client.$n.password': { type: 'secret', description: 'Its password, in clear text.' },
    'auth.client.password_hash': {
      type: 'enum',
      values: secretKinds,
      default: 'scrypt',
      description: 'How passwords are kept in the store; `md5`, `sha`, `sha256` and `sha512` get a salt.',
    },
  },

  async setup(ctx) {
    const kind = ctx.settings.text('auth.client.password_hash') as SecretKind
    if (kind === 'plain') ctx.log.warn('auth.client.password_hash = plain: the store has passwords in clear text')
    const accounts = new Accounts({ store: ctx.store, kind })
    // The file is right, each time that it is read.
    await accounts.configure(configuredClients(ctx.settings), true)
    ctx.authenticator(accountAuthenticator('auth-clientid', accounts, ({ clientId }) => clientId))
    ctx.command(
      accountCommand({
        name: 'clientid',
        subject: 'ClientId',
        accounts,
        deleteWord: 'delete',
        refusal: (reason) => `Error: ${reason}`,
      }),
    )
    ctx.after(0, () => accounts.keep(ctx.signal))
  },
})
