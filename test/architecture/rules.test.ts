import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, describe, test } from 'node:test'
import { findViolations } from './rules.ts'
import { readWorkspace } from './workspace.ts'

/** A small tree that keeps every rule; each case breaks one. */
const sound: Readonly<Record<string, string>> = {
  'package.json': manifest(
    'root',
    {},
    { workspaces: ['packages/*', 'listeners/*', 'plugins/*'], devDependencies: { 'fast-check': '4' } },
  ),
  'packages/mqtt/package.json': manifest('@hookmq/mqtt'),
  'packages/mqtt/src/index.ts': "export * from './parser.ts'",
  'packages/mqtt/src/parser.ts': 'export const parser = 1',
  'packages/mqtt/src/parser.test.ts':
    "import fc from 'fast-check'\nimport fs from 'node:fs'\nimport { parser } from './parser.ts'",
  'packages/api/package.json': manifest(
    '@hookmq/api',
    { '@hookmq/mqtt': '1' },
    { exports: { '.': './src/index.ts', './testing': './src/testing/index.ts' } },
  ),
  'packages/api/src/index.ts': "import type { Packet } from '@hookmq/mqtt'",
  'packages/api/src/index.test.ts': '',
  'packages/core/package.json': manifest('@hookmq/core', { '@hookmq/api': '1', '@hookmq/mqtt': '1' }),
  'packages/core/src/index.ts': "import { randomUUID } from 'node:crypto'\nimport '@hookmq/api'",
  'packages/core/src/index.test.ts': "import '@hookmq/api/testing'",
  'plugins/acl-file/package.json': manifest('@hookmq/plugin-acl-file', { '@hookmq/api': '1' }),
  'plugins/acl-file/src/index.ts': "import { readFileSync } from 'node:fs'\nimport '@hookmq/api'",
  'plugins/acl-file/src/index.test.ts': '',
  'listeners/tcp/package.json': manifest('@hookmq/listener-tcp', { '@hookmq/mqtt': '1' }),
  'listeners/tcp/src/index.ts': "import 'node:net'\nimport '@hookmq/mqtt'",
  'listeners/tcp/src/index.test.ts': '',
  'test/whole.test.ts': "import '@hookmq/core'\nimport './support/help.ts'",
  'examples/hello.ts': "import '@hookmq/api'",
}

function manifest(name: string, dependencies: Record<string, string> = {}, more: object = {}): string {
  return JSON.stringify({ name, version: '1.0.0', exports: { '.': './src/index.ts' }, dependencies, ...more })
}

const folders: string[] = []
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

function violations(changes: Readonly<Record<string, string | null>> = {}): string[] {
  const root = mkdtempSync(join(tmpdir(), 'hookmq-architecture-'))
  folders.push(root)
  for (const [path, text] of Object.entries({ ...sound, ...changes })) {
    if (text === null) continue
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return findViolations(readWorkspace(root))
}

const acl = 'plugins/acl-file/src/index.ts'
const core = 'packages/core/src/index.ts'

const cases: readonly { name: string; changes: Readonly<Record<string, string | null>>; found: RegExp }[] = [
  {
    name: 'a plugin imports core',
    changes: {
      [acl]: "import '@hookmq/core'",
      'plugins/acl-file/package.json': manifest('@hookmq/plugin-acl-file', { '@hookmq/core': '1' }),
    },
    found:
      /^plugins\/acl-file\/src\/index\.ts:1: imports @hookmq\/core; plugins\/acl-file may import @hookmq\/api, @hookmq\/kit$/m,
  },
  {
    name: 'a plugin imports another part, by type only',
    changes: {
      [acl]: "import type { Tcp } from '@hookmq/listener-tcp'",
      'plugins/acl-file/package.json': manifest('@hookmq/plugin-acl-file', { '@hookmq/listener-tcp': '1' }),
    },
    found: /imports @hookmq\/listener-tcp; plugins\/acl-file may import/,
  },
  {
    name: 'a package.json lists a higher layer, imported or not',
    changes: { 'packages/mqtt/package.json': manifest('@hookmq/mqtt', { '@hookmq/core': '1' }) },
    found: /^packages\/mqtt\/package\.json: lists @hookmq\/core; it may list nothing of ours$/m,
  },
  {
    name: 'core opens a socket',
    changes: { [core]: "import { randomUUID } from 'node:crypto'\nimport net from 'node:net'" },
    found: /^packages\/core\/src\/index\.ts:2: imports node:net; .* through ports only$/m,
  },
  ...['fs/promises', 'http', 'tls', 'child_process', 'worker_threads'].map((module) => ({
    name: `core imports node:${module}`,
    changes: { [core]: `export const later = () => import('node:${module}')` },
    found: new RegExp(`imports node:${module};`),
  })),
  {
    name: 'core imports a built-in module by its bare name',
    changes: { [core]: "import fs from 'fs'" },
    found: /imports fs;/,
  },
  {
    name: 'core imports what it computes',
    changes: { [core]: 'export const load = (name) => import(name)' },
    found: /a computed import/,
  },
  {
    name: 'an import that package.json does not list',
    changes: { [core]: "import pino from 'pino'" },
    found: /imports pino, which packages\/core\/package\.json does not list/,
  },
  {
    name: 'a development dependency of the root in shipped code',
    changes: { [core]: "import fc from 'fast-check'" },
    found: /imports fast-check, which packages\/core\/package\.json does not list/,
  },
  {
    name: 'shipped code imports the conformance suites',
    changes: { [core]: "import '@hookmq/api/testing'" },
    found: /imports @hookmq\/api\/testing, which is for tests/,
  },
  {
    name: 'shipped code imports a test',
    changes: { 'packages/mqtt/src/index.ts': "import './parser.test.ts'" },
    found: /imports the test \.\/parser\.test\.ts/,
  },
  {
    name: 'a relative import leaves its package',
    changes: { [core]: "import '../../mqtt/src/parser.ts'" },
    found: /imports \.\.\/\.\.\/mqtt\/src\/parser\.ts, which is outside of packages\/core/,
  },
  {
    name: 'an import past the exports of a package',
    changes: { [acl]: "import '@hookmq/api/src/index.ts'" },
    found: /imports \.\/src\/index\.ts of @hookmq\/api, which its package\.json does not export/,
  },
  {
    name: 'a cycle',
    changes: {
      'packages/mqtt/src/parser.ts': "import type { Hook } from '@hookmq/api'",
      'packages/mqtt/package.json': manifest('@hookmq/mqtt', { '@hookmq/api': '1' }),
    },
    found: /cycle: @hookmq\/mqtt → @hookmq\/api → @hookmq\/mqtt/,
  },
  {
    name: 'a package without an index',
    changes: { [acl]: null },
    found: /^plugins\/acl-file: no src\/index\.ts$/m,
  },
  {
    name: 'a package without a test',
    changes: { 'plugins/acl-file/src/index.test.ts': null },
    found: /^plugins\/acl-file: no test beside its code$/m,
  },
  {
    name: 'a package that is not named like its folder',
    changes: { 'listeners/tcp/package.json': manifest('@hookmq/tcp', { '@hookmq/mqtt': '1' }) },
    found: /^listeners\/tcp: is named @hookmq\/tcp, its folder says @hookmq\/listener-tcp$/m,
  },
  {
    name: 'a package of a kind that nobody knows',
    changes: {
      'packages/new/package.json': manifest('@hookmq/new'),
      'packages/new/src/index.ts': '',
      'packages/new/src/index.test.ts': '',
    },
    found: /^packages\/new: no layer for this folder/m,
  },
  {
    name: 'a test of the whole that reaches into a package',
    changes: { 'test/whole.test.ts': "import '../packages/core/src/index.ts'" },
    found: /from outside, packages\/core is @hookmq\/core/,
  },
  {
    name: 'an example that uses what users do not see',
    changes: { 'examples/hello.ts': "import '@hookmq/core'" },
    found: /an example shows what users import/,
  },
]

describe('the architecture rules', () => {
  test('a sound tree has no findings', () => {
    assert.deepEqual(violations(), [])
  })

  for (const { name, changes, found } of cases) {
    test(`${name}: found`, () => {
      assert.match(violations(changes).join('\n'), found)
    })
  }
})
