/**
 * npm run proto: writes the TypeScript of packages/exhook-proto from the .proto files in sdk/proto. With a folder as its argument, writes it
 * below that folder instead.
 */
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(fileURLToPath(import.meta.url), '..', '..')
const out = process.argv[2] ?? join(root, 'packages/exhook-proto/src/generated')
const template = {
  version: 'v2',
  clean: true,
  plugins: [
    {
      local: [process.execPath, join(root, 'node_modules/@bufbuild/protoc-gen-es/bin/protoc-gen-es')],
      out,
      opt: ['target=ts', 'import_extension=ts', 'erasable_syntax=true'],
    },
  ],
}
execFileSync(
  process.execPath,
  [
    join(root, 'node_modules/@bufbuild/buf/bin/buf'),
    'generate',
    join(root, 'sdk/proto'),
    '--template',
    JSON.stringify(template),
  ],
  { cwd: root, stdio: 'inherit' },
)
