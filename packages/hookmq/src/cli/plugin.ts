import type { Command } from 'commander'

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
    .action(async (name: string) => {
      const { newPlugin } = await import('../plugins/new-plugin.ts')
      const files = newPlugin(name)
      const lines = [
        ...files,
        '',
        `Run it:   hookmq start --plugin ./${name} --watch`,
        `Test it:  cd ${name} && npm test`,
      ]
      process.stdout.write(`${lines.join('\n')}\n`)
    })
}
