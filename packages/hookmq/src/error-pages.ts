import { type ErrorCode, errorCodes } from './errors.ts'

interface Remedy {
  /** A message as it is printed. */
  readonly example: string
  /** What to do, in a sentence or more. */
  readonly remedy: string
}

const remedies: Readonly<Record<ErrorCode, Remedy>> = {
  CONFIG_INVALID: {
    example: 'etc/hookmq.conf:12: listener.tcp.external: expected port or ip:port, got "abc"',
    remedy:
      'Put right what the message names: the file, its line, the key, and what was expected. `hookmq check-config` prints all that is wrong at once.',
  },
  LISTENER_FAILED: {
    example: 'tcp:external: port 1883 is in use',
    remedy:
      'Stop the program that has the port, or choose another one: `--set listener.tcp.external=127.0.0.1:1884`. For certificates, see that the files exist and that the broker may read them.',
  },
  LISTENER_UNSAFE: {
    example: 'listener.tcp.external: tcp:external would let in everybody who can reach 0.0.0.0:1883',
    remedy:
      'Load an authentication plugin, write `allow_anonymous = true` if everybody may connect, or listen on 127.0.0.1. A plugin that failed at the start authenticates nobody: `plugins list` shows why.',
  },
  PLUGIN_NOT_FOUND: {
    example: 'plugin ./my-plugin.ts: no such file: /srv/my-plugin.ts',
    remedy:
      'Give the path of a module (`.ts`, `.mts`, `.js`, `.mjs`, `.cjs`, `.cts`) or of a folder with a package.json. Paths of `--plugin` begin at the working directory, those of files and of `plugins load` at the folder that `etc` is in.',
  },
  PLUGIN_PACKAGE: {
    example:
      "plugin /srv/plugins/mine: package.json names no module that exists; expected 'exports' with '.', 'main', or a file index.ts or src/index.ts",
    remedy:
      'The folder of a plugin has a package.json with `name`, `version` and `exports` (or `main`), which names the module. `hookmq plugin new NAME` makes one that works.',
  },
  PLUGIN_SYNTAX: {
    example: 'plugin /srv/my-plugin.ts:2: syntax error: Expression expected',
    remedy:
      'Mend the line. TypeScript is run with its types taken out, so what is more than types is not possible: `enum`, `namespace`, parameter properties, decorators.',
  },
  PLUGIN_IMPORT: {
    example: "plugin /srv/my-plugin.ts: cannot be imported: Cannot find package 'mysql2'",
    remedy:
      'Install what the plugin imports beside it (`npm install` in its folder); relative imports need the ending of the file, `./rules.ts`. For a throw at the top of the module, see the line that the message names.',
  },
  PLUGIN_EXPORT: {
    example:
      'plugin /srv/my-plugin.ts: no default export; expected: export default definePlugin({ name, setup(ctx) { … } })',
    remedy: 'The module has one default export, made by `definePlugin`, or an object of the same shape.',
  },
  PLUGIN_NAME: {
    example: "plugin /srv/my-plugin.ts: 'my plugin' cannot be a plugin's name",
    remedy:
      "A name begins with a letter, and goes on with up to 63 letters, digits, '_', '-' or '.'. A plugin that is reloaded must have the name that it had; unload the one and load the other. For `plugin new`, choose a name whose folder does not exist.",
  },
  PLUGIN_INVALID: {
    example: "plugin /srv/my-plugin.ts: 'setup' is missing; expected a function setup(ctx)",
    remedy: 'Mend the part that the message names; with `definePlugin` the compiler finds it too.',
  },
  PLUGIN_VERSION: {
    example: "plugin /srv/my-plugin.ts: 'version' is 'new'; expected numbers with dots, such as '1.0.0'",
    remedy: 'Write a version such as `1.0.0`, or leave it out: then the one of package.json is shown.',
  },
  PLUGIN_API: {
    example: 'plugin /srv/my-plugin.ts: it needs @hookmq/api ^2.0.0, and this broker has 0.1.0',
    remedy:
      'Install a version of the plugin that is made for this broker, or another version of the broker. `api` is a range as in package.json: `^0.1.0`, `>=0.1 <1`.',
  },
  PLUGIN_SCHEMA: {
    example:
      "plugin /srv/my-plugin.ts: config key 'my.interval': its default 'soon' is not of its type: expected a duration such as 30s or 1h30m",
    remedy:
      'Each key of `config` is `{ type, description }` with one of the types that the message lists; `default` is the text as it would stand in the file, an enum has `values`, aliases have the same `$names` as their key.',
  },
  PLUGIN_ALIAS: {
    example: "plugin /srv/my-plugin.ts: 'aliases' has 'a b', which cannot be a plugin's name",
    remedy: 'Aliases are a list of names, of the same form as the name itself.',
  },
  PLUGIN_DEPENDENCY: {
    example: 'plugin upper: it needs the plugin base, which is not there; install it, or put it into plugins.dir',
    remedy:
      'Install the plugin that is needed; it is started by itself. Of plugins that need each other, one has to do without.',
  },
  PLUGIN_PLACEMENT: {
    example: 'plugin mine: placement: expected in-process or worker, got "moon"',
    remedy:
      '`plugin.NAME.placement` is `in-process` or `worker`. A plugin that was given to `createBroker` as an object cannot be sent to a worker: give the path of its module.',
  },
  PLUGIN_DUPLICATE: {
    example: 'plugin mine: a plugin of this name is loaded already',
    remedy: 'Load it once. Two copies of one plugin need two names.',
  },
  PLUGIN_SETUP: {
    example: 'plugin mine (/srv/mine.ts:12): setup failed: connect ECONNREFUSED 127.0.0.1:3306',
    remedy:
      'The message has the line and what was thrown. Nothing of the plugin is in force; on a reload the earlier one still is. A broker that starts goes on without it, and `plugins list` shows why.',
  },
  PLUGIN_TIMEOUT: {
    example: 'plugin mine (/srv/mine.ts): setup did not end within 30 s',
    remedy:
      'What setup registers (hooks, timers, subscriptions) takes effect when setup has ended: waiting for one of its own hooks or timers waits for ever. Connect to slow servers after setup, and answer `ignore` until then.',
  },
  PLUGIN_BUSY: {
    example: 'plugin base: it is needed by upper; unload that first',
    remedy: 'Unload what needs it first, or wait until what is under way on this plugin has ended.',
  },
  BROKER_STATE: {
    example: 'link needs a running broker; this one is new',
    remedy: 'Call `await broker.start()` first, and nothing after `stop`.',
  },
  DATA_DIR: {
    example:
      '/var/lib/hookmq: the data folder cannot be used: EACCES: permission denied; check its owner and permissions, or set node.data_dir',
    remedy: 'Give the user that the broker runs as a folder that it may write: `--data-dir` or `node.data_dir`.',
  },
  DATA_DIR_LOCKED: {
    example:
      '/var/lib/hookmq: another broker is using this data folder (process 4711); stop it, or give this one its own with --data-dir',
    remedy: 'Stop the other broker, or give this one a folder of its own: `--data-dir`.',
  },
  STORE_UNUSABLE: {
    example:
      '/var/lib/hookmq/hookmq.db: written by a later version of HookMQ (its schema is 2, this one knows those up to 1); start that version, or put a backup of before in its place',
    remedy:
      'The message says what is wrong with the file. `hookmq store check` looks through the whole of it; with `store.type = memory` the broker starts without it, and forgets when it stops.',
  },
  WORKERS: {
    example: '/var/lib/hookmq/workers/worker2.relay: cannot be opened: EACCES',
    remedy: 'See that the user that the broker runs as may write in the folder `workers` of its data folder.',
  },
  CONTROL_SOCKET: {
    example: '/var/lib/hookmq/hookmq.sock: no permission; only the user that the broker runs as (and root) may use it',
    remedy: 'Run `hookmq ctl` as the user that the broker runs as, with the same `--data-dir`.',
  },
  USAGE: {
    example: '"http://127.0.0.1": the port is missing, and there is no usual one: http://127.0.0.1:9000',
    remedy: 'Write what the message asks for. `--help` behind the command shows what it takes, with examples.',
  },
  RECORD_UNUSABLE: {
    example: 'traffic.jsonl:1: this is no record of hook traffic; hookmq exhook record makes one',
    remedy:
      'Give a file that `hookmq exhook record` or `hookmq exhook replay --out` has written. A record whose end is missing can be used; a line that is damaged can be taken out with an editor.',
  },
  CONNECT_FAILED: {
    example: 'cannot connect to 127.0.0.1:1883: connection refused',
    remedy: 'See that the broker runs and listens there: its start prints a line `listening … on …` for each address.',
  },
  CONNECT_REFUSED: {
    example: 'the broker refused the connection: not authorized (0x87)',
    remedy: 'The reason code says why; for 0x86 and 0x87 look at user name, password and the authentication plugins.',
  },
  CONNECTION_LOST: {
    example: 'the connection ended: session taken over (0x8e)',
    remedy: 'The message says how it ended. A second client with the same client id takes the session from the first.',
  },
  REQUEST_INVALID: {
    example: "'a/#/b': '#' is only possible as the last level",
    remedy: 'Topics to publish to have no wildcards; in filters `+` is a whole level and `#` the last one.',
  },
  REQUEST_REFUSED: {
    example: "subscribing to '$SYS/#' was refused: not authorized (0x87)",
    remedy: '`hookmq ctl hooks explain CLIENTID subscribe FILTER` prints who decided so.',
  },
}

const note =
  '<!-- Made by `npm run docs` from the table in packages/hookmq/src/error-pages.ts. Change the table, not this page. -->'

/** Pages of docs/errors by file name: one for each code, and the list of them. */
export function errorPages(): ReadonlyMap<string, string> {
  const codes = Object.keys(errorCodes) as ErrorCode[]
  const pages = new Map(codes.map((code) => [`${code}.md`, page(code)]))
  const rows = codes.map((code) => `| [${code}](${code}.md) | ${errorCodes[code]} |`)
  pages.set(
    'README.md',
    `# Errors\n\n${note}\n\nThe \`code\` of a \`HookmqError\`, and when it happens.\n\n| code | when |\n|---|---|\n${rows.join('\n')}\n`,
  )
  return pages
}

function page(code: ErrorCode): string {
  const { example, remedy } = remedies[code]
  return `# ${code}\n\n${note}\n\n${errorCodes[code]}\n\n## Looks like\n\n\`\`\`text\n${example}\n\`\`\`\n\n## What to do\n\n${remedy}\n`
}
