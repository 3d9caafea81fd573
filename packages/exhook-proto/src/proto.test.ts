import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type DescField, type DescFile, ScalarType } from '@bufbuild/protobuf'
import { exhookCallOf, exhookCalls, exhookHookNames, exhookPath, v2, v3 } from './index.ts'
import { callTable, enumTables, messageTables, reservedTables } from './tables.testing.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

function fieldText(field: DescField): string {
  const oneof = field.oneof === undefined ? '' : ` of ${field.oneof.name}`
  return `${field.number} ${field.name} ${typeText(field)}${oneof}`
}

function typeText(field: DescField): string {
  switch (field.fieldKind) {
    case 'message':
      return field.message.name
    case 'enum':
      return field.enum.name
    case 'scalar':
      return ScalarType[field.scalar].toLowerCase()
    case 'list':
      return `${field.listKind === 'message' ? field.message.name : ScalarType[field.scalar ?? 0].toLowerCase()}[]`
    case 'map':
      return `map<${ScalarType[field.mapKey].toLowerCase()}, ${ScalarType[field.scalar ?? 0].toLowerCase()}>`
  }
}

function expectedFields(table: string, version: 'v2' | 'v3'): string[] {
  if (table === '') return []
  return table
    .split(/, (?=\+?\d)/)
    .filter((text) => version === 'v3' || !text.startsWith('+'))
    .map((text) => text.replace(/^\+/, ''))
}

for (const [version, file, service] of [
  ['v2', v2.file_emqx_exhook_v2_exhook, v2.HookProvider],
  ['v3', v3.file_emqx_exhook_v3_exhook, v3.HookProvider],
] as const)
  describe(`emqx.exhook.${version}`, () => {
    test('has the messages of the table, field by field', () => {
      assert.deepEqual(file.messages.map(({ name }) => name).sort(), Object.keys(messageTables).sort())
      for (const message of file.messages) {
        assert.deepEqual(
          message.fields.map(fieldText),
          expectedFields(messageTables[message.name] ?? '', version),
          message.name,
        )
      }
    })

    test('has the enumerations of the table', () => {
      const found = file.messages.flatMap((message) =>
        message.nestedEnums.map((one) => [
          `${message.name}.${one.name}`,
          one.values.map(({ name, number }) => `${name} = ${number}`).join(', '),
        ]),
      )
      assert.deepEqual(Object.fromEntries(found), enumTables)
    })

    test('keeps numbers and names of earlier releases free', () => {
      assert.deepEqual(reservedOf(file), reservedTables)
    })

    test('has the calls of the table, in its order', () => {
      assert.equal(service.typeName, `emqx.exhook.${version}.HookProvider`)
      assert.deepEqual(
        service.methods.map(({ name, methodKind, input, output }) => [name, methodKind, input.name, output.name]),
        callTable.map(([name, request, reply]) => [name, 'unary', request, reply]),
      )
    })

    test('has the options that generated code of others goes by', () => {
      const options = file.proto.options
      assert.equal(options?.goPackage, 'emqx.io/grpc/exhook')
      assert.equal(options?.javaPackage, 'io.emqx.exhook')
      assert.equal(options?.javaMultipleFiles, true)
      assert.equal(options?.javaOuterClassname, 'EmqxExHookProto')
      assert.equal(options?.csharpNamespace, `Emqx.Exhook.${version.toUpperCase()}`)
      assert.equal(file.proto.syntax, 'proto3')
    })
  })

function reservedOf(file: DescFile): Record<string, string> {
  return Object.fromEntries(
    file.messages.flatMap(({ name, proto }) =>
      proto.reservedRange.length + proto.reservedName.length === 0
        ? []
        : [[name, [...proto.reservedRange.map(({ start }) => start), ...proto.reservedName].join(' ')]],
    ),
  )
}

test('the table of calls is the service, with the hook names of the table', () => {
  assert.deepEqual(
    exhookCalls.map((call) => [call.name, call.v3.request.name, call.v3.reply.name, call.hook]),
    callTable,
  )
  for (const call of exhookCalls) {
    assert.deepEqual([call.v2.request.name, call.v2.reply.name], [call.v3.request.name, call.v3.reply.name])
    assert.match(call.v2.request.typeName, /^emqx\.exhook\.v2\./)
    assert.equal(call.valued, call.v3.reply.name === 'ValuedResponse')
  }
  assert.equal(exhookHookNames.length, 19)
  assert.equal(exhookCallOf('message.publish')?.name, 'OnMessagePublish')
  assert.equal(exhookCallOf('Message.publish'), undefined)
  assert.equal(exhookPath('v3', 'OnClientConnect'), '/emqx.exhook.v3.HookProvider/OnClientConnect')
})

test('the generated code is what the .proto files say (npm run proto writes it)', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-proto-'))
  t.after(() => rmSync(folder, { recursive: true }))
  execFileSync(process.execPath, [join(root, 'scripts/proto.ts'), folder])
  const committed = join(root, 'packages/exhook-proto/src/generated')
  const files = globSync('**/*.ts', { cwd: folder }).sort()
  assert.deepEqual(globSync('**/*.ts', { cwd: committed }).sort(), files)
  assert.ok(files.length >= 3)
  for (const file of files)
    assert.equal(readFileSync(join(committed, file), 'utf8'), readFileSync(join(folder, file), 'utf8'), file)
})
