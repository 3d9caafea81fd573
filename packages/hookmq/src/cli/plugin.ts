import { type Command, Option } from 'commander'
import type { PluginLanguage } from '../plugins/new-plugin.ts'

const languages: readonly PluginLanguage[] = ['typescript', 'python', 'java']

/** `hookmq plugin …`: what needs no running broker. Plugins of a running one: `hookmq ctl plugins`. */
export function addPlugin(program: Command): void {
  const plugin = program
    .command('plugin')
    .description('write plugins; those of a running broker: hookmq ctl plugins')
    .helpOption('--help', 'show this help')
  plugin
    .command('new')
    .description('make a folder with a working plugin to start from')
    .helpOption('--help', 'show this help')
    .argument('<name>', 'name of the plugin and of the folder: small letters, digits, - and _')
    .addOption(new Option('--lang <language>', 'what to write it in').choices(languages).default('typescript'))
    .action(async (name: string, { lang }: { lang: PluginLanguage }) => {
      const { newPlugin, sdkFolder } = await import('../plugins/new-plugin.ts')
      const files = newPlugin(name, process.cwd(), lang)
      process.stdout.write(
        `${[...files, '', ...next[lang](name, lang === 'typescript' ? '' : sdkFolder(lang))].join('\n')}\n`,
      )
    })
}

/** What to type now. */
const next: Readonly<Record<PluginLanguage, (name: string, sdk: string) => string[]>> = {
  typescript: (name) => [`Run it:   hookmq start --plugin ./${name} --watch`, `Test it:  cd ${name} && npm test`],
  python: (name, sdk) => [
    `Run it in a child process of the broker:  copy ${name}/etc/emqx_extension_hook.conf to the broker's etc/plugins,`,
    '                                          and hookmq ctl plugins load emqx_extension_hook',
    `Run it on its own:  pip install '${sdk}[exhook]'`,
    `                    python -m hookmq serve ${name}/hooks.py, and hookmq start --exhook http://127.0.0.1:9000`,
    `Test it:            pip install pytest '${sdk}'`,
    `                    cd ${name} && python -m pytest`,
    `More:               ${name}/README.md`,
  ],
  java: (name, sdk) => [
    `Run it:   copy ${name}/etc/emqx_extension_hook.conf to the broker's etc/plugins,`,
    '          and hookmq ctl plugins load emqx_extension_hook',
    `Test it:  mvn -f '${sdk}/pom.xml' install, once`,
    `          cd ${name} && mvn test`,
    `More:     ${name}/README.md`,
  ],
}
