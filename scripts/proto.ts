/**
 * npm run proto: writes the TypeScript of packages/exhook-proto and the descriptors of sdk/python from the .proto files in sdk/proto. With a
 * folder as its argument, writes them below that folder instead.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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
const buf = join(root, 'node_modules/@bufbuild/buf/bin/buf')
const source = join(root, 'sdk/proto')
execFileSync(process.execPath, [buf, 'generate', source, '--template', JSON.stringify(template)], {
  cwd: root,
  stdio: 'inherit',
})

// Python reads descriptors at run time: code from protoc would tie the package to one range of protobuf's versions.
const python = join(process.argv[2] ?? join(root, 'sdk/python'), 'hookmq/_exhook/_descriptors.py')
const descriptors = execFileSync(process.execPath, [
  ...[buf, 'build', source, '--as-file-descriptor-set', '--exclude-source-info'],
  ...['-o', '-#format=binpb'],
])
const lines = descriptors.toString('base64').match(/.{1,116}/g) ?? []
mkdirSync(dirname(python), { recursive: true })
writeFileSync(
  python,
  `# npm run proto writes this file from sdk/proto.\n"""A FileDescriptorSet, in base64."""\n\nDESCRIPTORS = """\n${lines.join('\n')}\n"""\n`,
)
