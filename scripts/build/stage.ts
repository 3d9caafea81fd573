/** Makes from each package of the workspace the folder that is published: JavaScript, declarations, licence, README. */
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { compile } from './compile.ts'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly description: string
  readonly license: string
  readonly type: string
  readonly engines: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  /** What the plugin host reads of a plugin before it imports it. */
  readonly hookmq?: {
    /** Folders that it brings beside its code, from where they are in the checkout: those of other languages. */
    readonly bundles?: Readonly<Record<string, string>>
  }
}

export interface Staged {
  readonly name: string
  /** Absolute path. */
  readonly folder: string
}

/** The programs that `npm install hookmq` brings, with what stands before the arguments. */
const programs: Readonly<Record<string, readonly string[]>> = { hookmq: [], emqctl: ['ctl'], emqx_ctl: ['ctl'] }

/**
 * @param root the project's folder
 * @param out is emptied; gets one folder per package
 */
export function stage(root: string, out: string): Staged[] {
  const compiled = mkdtempSync(join(tmpdir(), 'hookmq-build-'))
  try {
    compile(root, compiled)
    rmSync(out, { recursive: true, force: true })
    return workspaceFolders(root).map((folder) => stagePackage(root, folder, compiled, out))
  } finally {
    rmSync(compiled, { recursive: true })
  }
}

function workspaceFolders(root: string): string[] {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { workspaces: string[] }
  return workspaces.flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }).map(dirname)).sort()
}

function stagePackage(root: string, folder: string, compiled: string, out: string): Staged {
  const source = join(root, folder)
  const manifest = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as Manifest
  const target = join(out, manifest.name.replace('@', '').replace('/', '-'))
  mkdirSync(target, { recursive: true })
  const helpers = join(compiled, folder, 'src', 'testing')
  cpSync(join(compiled, folder, 'src'), join(target, 'dist'), {
    recursive: true,
    // What helps the package's own tests is published only where it is exported: the conformance suites are.
    filter: (path) => path !== helpers || './testing' in manifest.exports,
  })
  cpSync(join(root, 'LICENSE'), join(target, 'LICENSE'))
  const bundles = Object.entries(manifest.hookmq?.bundles ?? {})
  for (const [name, from] of bundles)
    cpSync(join(source, from), join(target, name), { recursive: true, filter: (path) => !isLeftOut(path) })
  const isProduct = manifest.name === 'hookmq'
  writeFileSync(join(target, 'README.md'), readme(root, source, manifest))
  if (isProduct) {
    for (const folder of ['etc', 'templates']) cpSync(join(root, folder), join(target, folder), { recursive: true })
    writePrograms(target, manifest)
  }
  const published = {
    name: manifest.name,
    version: manifest.version,
    description: manifest.description,
    license: manifest.license,
    type: manifest.type,
    engines: manifest.engines,
    exports: publishedExports(manifest),
    ...(isProduct ? { bin: Object.fromEntries(Object.keys(programs).map((name) => [name, `bin/${name}.js`])) } : {}),
    ...(manifest.hookmq === undefined ? {} : { hookmq: manifest.hookmq }),
    files: ['dist', ...bundles.map(([name]) => name), ...(isProduct ? ['bin', 'etc', 'templates'] : [])],
    dependencies: manifest.dependencies ?? {},
  }
  writeFileSync(join(target, 'package.json'), `${JSON.stringify(published, null, 2)}\n`)
  return { name: manifest.name, folder: target }
}

/** What building and testing leave behind in a bundle, and the tests themselves. */
function isLeftOut(path: string): boolean {
  return /(?:^|[\\/])(?:__pycache__|tests?|build|target|\.[^\\/]*|[^\\/]+\.egg-info)$/.test(path)
}

/** ./src/testing/index.ts is published as ./dist/testing/index.js, with its declarations. */
function publishedExports(manifest: Manifest): Record<string, { types: string; default: string }> {
  return Object.fromEntries(
    Object.entries(manifest.exports).map(([entry, path]) => {
      const match = /^\.\/src\/(.+)\.ts$/.exec(path)
      if (match === null) throw new Error(`${manifest.name}: exports ${entry} as ${path}; expected ./src/NAME.ts`)
      return [entry, { types: `./dist/${match[1]}.d.ts`, default: `./dist/${match[1]}.js` }]
    }),
  )
}

function readme(root: string, source: string, { name, description }: Manifest): string {
  const own = join(source, 'README.md')
  if (existsSync(own)) return readFileSync(own, 'utf8')
  const product = join(root, 'README.md')
  if (name === 'hookmq' && existsSync(product)) return readFileSync(product, 'utf8')
  return `# ${name}\n\n${description}.\n\nA part of HookMQ: install \`hookmq\` for the whole broker.\n`
}

/** A Node that is too old says so, instead of failing on syntax that it does not know. */
function writePrograms(target: string, { engines }: Manifest): void {
  const least = /\d+/.exec(engines.node ?? '')?.[0] ?? '0'
  mkdirSync(join(target, 'bin'))
  for (const [name, before] of Object.entries(programs)) {
    const file = join(target, 'bin', `${name}.js`)
    const lines = [
      '#!/usr/bin/env node',
      `if (Number.parseInt(process.versions.node, 10) < ${least}) {`,
      `  console.error(\`${name}: needs Node ${least} or later, this is \${process.versions.node}\`)`,
      '  process.exit(1)',
      '}',
      ...(before.length > 0 ? [`process.argv.splice(2, 0, ${before.map((word) => `'${word}'`).join(', ')})`] : []),
      "await import('../dist/main.js')",
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
    chmodSync(file, 0o755)
  }
}
