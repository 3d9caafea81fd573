/** Checks a workspace against the layers. Each finding is one line: where, what, and what is allowed. */
import { existsSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join } from 'node:path/posix'
import { layerOf, worldModules } from './layers.ts'
import type { Package, SourceFile, Workspace } from './workspace.ts'

export function findViolations(workspace: Workspace): string[] {
  const names = new Map(workspace.packages.map((one) => [one.manifest.name, one]))
  return [
    ...workspace.packages.flatMap((one) => [...checkShape(workspace, one), ...checkImports(workspace, names, one)]),
    ...workspace.packages.flatMap((one) => checkDependencies(names, one)),
    ...findCycles(workspace),
    ...workspace.files.flatMap((file) => checkRootFile(workspace, names, file)),
  ]
}

function checkShape(workspace: Workspace, { folder, files, manifest }: Package): string[] {
  const found: string[] = []
  if (layerOf(folder) === undefined) {
    found.push(`${folder}: no layer for this folder; add it to test/architecture/layers.ts or move it to its kind`)
  }
  if (!existsSync(join(workspace.root, folder, 'src', 'index.ts'))) found.push(`${folder}: no src/index.ts`)
  if (!files.some(({ path }) => /\.(test|test-d)\.m?ts$/.test(path))) found.push(`${folder}: no test beside its code`)
  const expected = expectedName(folder)
  if (manifest.name !== expected) found.push(`${folder}: is named ${manifest.name}, its folder says ${expected}`)
  return found
}

const shownToUsers = ['hookmq', '@hookmq/api', '@hookmq/provider']

/** One part = one folder = one package, named alike. What authors of external hooks install is named for what they write. */
function expectedName(folder: string): string {
  const [kind, name] = folder.split('/')
  if (kind === 'packages') return name === 'hookmq' ? 'hookmq' : `@hookmq/${name}`
  if (folder === 'sdk/typescript') return '@hookmq/provider'
  return `@hookmq/${kind?.replace(/s$/, '')}-${name}`
}

function checkImports(workspace: Workspace, names: Map<string, Package>, owner: Package): string[] {
  const layer = layerOf(owner.folder)
  const own = { ...owner.manifest.dependencies, ...owner.manifest.peerDependencies }
  const forTests = { ...own, ...owner.manifest.devDependencies, ...workspace.manifest.devDependencies }
  const found: string[] = []
  for (const file of owner.files) {
    for (const { specifier, line } of file.imports) {
      const say = (text: string) => found.push(`${file.path}:${line}: ${text}`)
      if (specifier === undefined) {
        if (!file.isTest && owner.folder !== 'packages/hookmq') say('a computed import; only hookmq loads by name')
        continue
      }
      if (specifier.startsWith('.')) {
        const target = join(dirname(file.path), specifier)
        if (!target.startsWith(`${owner.folder}/`)) say(`imports ${specifier}, which is outside of ${owner.folder}`)
        if (!file.isTest && /\.test\.m?ts$/.test(specifier)) say(`imports the test ${specifier}`)
        continue
      }
      const builtin = builtinName(specifier)
      if (builtin !== undefined) {
        if (!file.isTest && layer?.touchesTheWorld === false && worldModules.has(builtin)) {
          say(`imports ${specifier}; ${owner.folder} reaches the outside world through ports only`)
        }
        continue
      }
      const { name, entry } = splitSpecifier(specifier)
      const declared = file.isTest ? forTests : own
      if (name !== owner.manifest.name && !Object.hasOwn(declared, name)) {
        say(`imports ${name}, which ${owner.folder}/package.json does not list`)
      }
      const target = names.get(name)
      if (target !== undefined) {
        for (const text of checkEntry(target, entry)) say(text)
        if (!file.isTest && entry === './testing') say(`imports ${specifier}, which is for tests`)
        if (!file.isTest && layer !== undefined && !isAllowed(layer.mayImport, name, owner)) {
          say(`imports ${name}; ${owner.folder} may import ${listed(layer.mayImport)}`)
        }
      }
    }
  }
  return found
}

/** What package.json lists counts like an import: an unused line there would still pull a higher layer in. */
function checkDependencies(names: Map<string, Package>, owner: Package): string[] {
  const layer = layerOf(owner.folder)
  if (layer === undefined) return []
  return Object.keys({ ...owner.manifest.dependencies, ...owner.manifest.peerDependencies })
    .filter((name) => names.has(name) && !isAllowed(layer.mayImport, name, owner))
    .map((name) => `${owner.folder}/package.json: lists ${name}; it may list ${listed(layer.mayImport)}`)
}

function checkRootFile(workspace: Workspace, names: Map<string, Package>, file: SourceFile): string[] {
  const found: string[] = []
  const top = file.path.split('/')[0]
  const declared = { ...workspace.manifest.devDependencies, ...workspace.manifest.dependencies }
  for (const { specifier, line } of file.imports) {
    const say = (text: string) => found.push(`${file.path}:${line}: ${text}`)
    if (specifier === undefined || builtinName(specifier) !== undefined) continue
    if (specifier.startsWith('.')) {
      const target = join(dirname(file.path), specifier)
      const owner = workspace.packages.find(({ folder }) => target.startsWith(`${folder}/`))
      if (owner !== undefined) say(`imports ${specifier}; from outside, ${owner.folder} is ${owner.manifest.name}`)
      if (target.startsWith('..')) say(`imports ${specifier}, which is outside of the project`)
      continue
    }
    const { name, entry } = splitSpecifier(specifier)
    const target = names.get(name)
    if (target === undefined && !Object.hasOwn(declared, name)) say(`imports ${name}, which package.json does not list`)
    if (target !== undefined) for (const text of checkEntry(target, entry)) say(text)
    // An example is what a stranger writes: they have what hookmq exports, and nothing deeper.
    if (top === 'examples' && target !== undefined && !shownToUsers.includes(name)) {
      say(`imports ${name}; an example shows what users import: ${shownToUsers.join(', ')}`)
    }
  }
  return found
}

function checkEntry(target: Package, entry: string): string[] {
  if (Object.hasOwn(target.manifest.exports ?? {}, entry)) return []
  return [`imports ${entry} of ${target.manifest.name}, which its package.json does not export`]
}

function findCycles({ packages }: Workspace): string[] {
  const edges = new Map(
    packages.map(({ manifest, files }) => {
      const imported = files
        .filter(({ isTest }) => !isTest)
        .flatMap(({ imports }) => imports.map(({ specifier }) => splitSpecifier(specifier ?? '.').name))
      return [manifest.name, new Set([...Object.keys(manifest.dependencies ?? {}), ...imported])]
    }),
  )
  const found: string[] = []
  const finished = new Set<string>()
  const visit = (name: string, path: readonly string[]) => {
    const start = path.indexOf(name)
    if (start >= 0) {
      found.push(`cycle: ${[...path.slice(start), name].join(' → ')}`)
      return
    }
    if (finished.has(name)) return
    for (const next of edges.get(name) ?? []) {
      if (edges.has(next) && next !== name) visit(next, [...path, name])
    }
    finished.add(name)
  }
  for (const name of edges.keys()) visit(name, [])
  return found
}

function isAllowed(mayImport: readonly string[] | 'everything', name: string, owner: Package): boolean {
  return mayImport === 'everything' || mayImport.includes(name) || name === owner.manifest.name
}

function listed(mayImport: readonly string[] | 'everything'): string {
  if (mayImport === 'everything') return 'everything'
  return mayImport.length === 0 ? 'nothing of ours' : mayImport.join(', ')
}

/** @returns fs for node:fs/promises; undefined when it is no built-in module */
function builtinName(specifier: string): string | undefined {
  const name = specifier.replace(/^node:/, '')
  if (!specifier.startsWith('node:') && !builtinModules.includes(name)) return undefined
  return name.split('/')[0]
}

function splitSpecifier(specifier: string): { name: string; entry: string } {
  const pieces = specifier.split('/')
  const depth = specifier.startsWith('@') ? 2 : 1
  const rest = pieces.slice(depth).join('/')
  return { name: pieces.slice(0, depth).join('/'), entry: rest === '' ? '.' : `./${rest}` }
}
