import { definePlugin } from 'hookmq'
import { aclModule } from './acl.ts'
import { authModule } from './auth.ts'
import { command } from './command.ts'
import { addHooks } from './hooks.ts'

export default definePlugin({
  name: 'my-plugin',
  version: '0.1.0',
  api: '^0.1.0',
  description: 'My first plugin',
  // Everything that may stand in etc/my-plugin.conf. What a file has beyond this is warned of; what is not of its type is an error
  // that names file and line. The aliases are for etc/my-plugin.config, the Erlang form: [{'my-plugin', [{greeting, "hello"}]}].
  config: {
    'my-plugin.greeting': {
      type: 'string',
      default: 'hello',
      aliases: ['greeting'],
      description: 'What is put before the text of messages below `my-plugin/`.',
    },
    'my-plugin.access': {
      type: 'enum',
      values: ['allow', 'ignore'],
      default: 'allow',
      aliases: ['access'],
      description: 'Whether everybody gets in and may do everything, or others decide.',
    },
  },

  // Runs when the plugin is loaded. All that is registered here is taken back when it is unloaded.
  setup(ctx) {
    addHooks(ctx)
    const access = ctx.settings.text('my-plugin.access') === 'allow' ? 'allow' : 'ignore'
    if (access === 'allow') ctx.log.warn('this demonstration lets everybody in; my-plugin.access = ignore ends that')
    ctx.authenticator(authModule(access))
    ctx.authorizer(aclModule(access))
    ctx.command(command)
  },
})
