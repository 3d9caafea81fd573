import { definePlugin } from '@hookmq/api'
import { Accounts, accountAuthenticator, accountCommand, type SecretKind, secretKinds } from '@hookmq/kit'
import { configuredUsers } from './configured.ts'

export default definePlugin({
  name: 'auth-username',
  version: '0.1.0',
  api: '^0.1.0',
  description: 'Authentication with Username/Password',
  aliases: ['emq_auth_username', 'emqx_auth_username'],
  config: {
    'auth.user.$n.username': {
      type: 'string',
      description: 'User name; the entries with the same word in place of `$n` belong together.',
    },
    'auth.user.$n.password': { type: 'secret', description: 'The password of this user, in clear text.' },
    'auth.username.$name': {
      type: 'secret',
      description: 'The password of the user `$name`: the short form. A dot in the name is written `\\.`.',
    },
    'auth.user.password_hash': {
      type: 'enum',
      values: secretKinds,
      default: 'scrypt',
      description: 'How passwords are kept in the store; `md5`, `sha`, `sha256` and `sha512` get a salt.',
    },
  },

  async setup(ctx) {
    const kind = ctx.settings.text('auth.user.password_hash') as SecretKind
    if (kind === 'plain') ctx.log.warn('auth.user.password_hash = plain: the store has passwords in clear text')
    const accounts = new Accounts({ store: ctx.store, kind })
    // The file is for the first time; who is there already keeps the password that was given since.
    await accounts.configure(configuredUsers(ctx.settings), false)
    ctx.authenticator(accountAuthenticator('auth-username', accounts, ({ username }) => username))
    const common = { subject: 'Username', accounts }
    ctx.command(
      accountCommand({ ...common, name: 'users', deleteWord: 'del', refusal: (reason) => `{error,${reason}}` }),
    )
    ctx.command(
      accountCommand({ ...common, name: 'user', deleteWord: 'delete', refusal: (reason) => `Error: ${reason}` }),
    )
    ctx.after(0, () => accounts.keep(ctx.signal))
  },
})
