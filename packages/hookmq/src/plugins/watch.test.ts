import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { RunningCommand } from '../testing/command.ts'

function folder(scope: { after(run: () => void): void }) {
  const home = mkdtempSync(join(tmpdir(), 'hookmq-watch-'))
  scope.after(() => rmSync(home, { recursive: true }))
  return {
    home,
    write(path: string, text: string): string {
      const file = join(home, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      return file
    },
  }
}

const plugin = (body: string): string =>
  `import { word } from './word.ts'\nexport default { name: 'saved', setup(ctx: { log: { info(text: string): void } }) { ${body} } }\n`

test('start --watch: what is saved takes effect in the running broker; what is broken does not stop it', {
  timeout: 60_000,
}, async (scope) => {
  const { home, write } = folder(scope)
  write('etc/hookmq.conf', 'listener.tcp.external = 127.0.0.1:0\n')
  write('saved/package.json', '{ "name": "saved", "type": "module", "exports": "./index.ts" }')
  write('saved/index.ts', 'not a module at all (')
  write('saved/word.ts', "export const word: string = 'first'\n")
  const command = new RunningCommand(scope, [
    'start',
    '--watch',
    ...['--config', join(home, 'etc/hookmq.conf')],
    ...['--plugin', join(home, 'saved')],
  ])
  await command.output(/^ready/m)
  await command.output(/plugin not loaded; the broker goes on without it/, 'stderr')

  write('saved/index.ts', plugin("ctx.log.info('set up with ' + word)"))
  await command.output(/set up with first/, 'stderr')
  write('saved/word.ts', "export const word: string = 'second'\n")
  await command.output(/set up with second/, 'stderr')
  await command.output(/plugin reloaded, because it was saved/, 'stderr')
  write('saved/word.ts', 'export const word: string = = 1\n')
  await command.output(/word\.ts:1: syntax error.*plugin was saved and could not be reloaded/, 'stderr')
  write('saved/word.ts', "export const word: string = 'third'\n")
  await command.output(/set up with third/, 'stderr')
})
