import type { KeyDefinition } from './definition.ts'
import { brokerSchema } from './schema.ts'

const introduction = `# Configuration reference

<!-- Made by \`npm run docs\` from the table in packages/config. Change the table, not this page. -->

The broker reads one file, \`etc/hookmq.conf\`, and for each plugin \`etc/plugins/NAME.conf\`. A line is \`key = value\`; a line
that begins with \`#\` is a comment; \`include FILE\` reads another file in its place. What comes later counts: a key twice in the
file, then the environment, then the command line.

| where | how | example |
|---|---|---|
| file | \`key = value\` | \`listener.tcp.external = 127.0.0.1:1883\` |
| environment | \`HOOKMQ_\` and the key, \`__\` for each dot, in any case | \`HOOKMQ_LISTENER__TCP__EXTERNAL=127.0.0.1:1883\` |
| command line | \`--set key=value\` | \`--set listener.tcp.external=127.0.0.1:1883\` |

A key with an empty value is not set: \`listener.ws.external =\` turns that listener off, \`--set acl_file=\` the access rules. A key
that does not exist, or a value that is not of its type, is an error that names the file, line, key and what was expected; the
broker does not start. Relative paths in a file begin at the folder that \`etc\` is in, those of the environment and the
command line at the current folder.

In the keys below \`$name\` stands for any one word: there can be several listeners of each kind. A dot inside a word is
written \`\\.\`. With no listener in the file there are two, \`listener.tcp.external = 127.0.0.1:1883\` and
\`listener.ws.external = 127.0.0.1:8083\`.

## Types

| type | written as |
|---|---|
| flag | \`on\`, \`off\`, \`true\`, \`false\` |
| integer, number | \`8\`, \`0.75\`; where 0 is no limit \`infinity\` is too |
| duration | one or more numbers with units \`f\` (14 days) \`w d h m s ms\`, added up: \`30s\`, \`1h30m\`, \`.5s\`; \`0\` |
| duration in seconds | the same, rounded up to seconds, or a number of seconds |
| byte size | \`512\`, \`64KB\`, \`1MB\`, \`2GB\`, powers of 1024 |
| rate, rate of bytes | \`100,10s\`: 100 in 10 seconds and as many at once; \`10/s\`; \`100KB,10s\` |
| listener | \`1883\` (this machine only), \`127.0.0.1:1883\`, \`0.0.0.0:1883\`, \`[::]:1883\` |
| path | a file or folder |
| list | words with commas between them |

## Plugins

A plugin reads \`NAME.config\` or \`NAME.conf\` in \`plugins.etc_dir\` when it is loaded. NAME is any name that it answers to, such as \`recon\` or
\`emq_recon\`: the one that was used to load it goes first, and when there are several files the others are named in a warning. \`.config\` wins over
\`.conf\`. Without a file the plugin has what its package brings along, and its defaults.

| file | written as |
|---|---|
| \`NAME.conf\` | \`key = value\` as in the broker's own file; lines that begin with \`%%\` are comments too |
| \`NAME.config\` | one list of Erlang terms, \`[{NAME, [{key, Value}, …]}].\`; a list of pairs within it is the key \`outer.inner\` |

\`plugin.NAME.KEY = value\` sets the same from the broker's own file, the environment and the command line, and wins over the plugin's file; so does a
plugin's own key, such as \`--set recon.gc_interval=5m\`. A key that a plugin does not have is a warning that names the one it is most like; a value of
the wrong type is an error, the plugin is not loaded, and the broker goes on. \`plugin.NAME.placement = worker\` runs a plugin in a thread of its own.
`

/** The text of docs/reference/config.md: every key, from the table that the program reads with. */
export function configReference(): string {
  const sections = Map.groupBy(brokerSchema, (definition) => definition.section)
  const parts = [introduction]
  for (const [section, definitions] of sections) {
    parts.push(`## ${section}\n`, '| key | type | default | meaning |\n|---|---|---|---|')
    parts.push(`${definitions.map(row).join('\n')}\n`)
  }
  return parts.join('\n')
}

function row({ key, aliases, type, default: initial, text }: KeyDefinition): string {
  const also = aliases.length === 0 ? '' : ` Also: ${aliases.map((alias) => `\`${alias}\``).join(', ')}.`
  const cells = [`\`${key.replace('*', '')}\``, type.name, initial === undefined ? '' : `\`${initial}\``, text + also]
  return `| ${cells.join(' | ')} |`
}
