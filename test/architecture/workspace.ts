/** Reads a workspace: its package.json files, their source files, and what those import. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { type ImportStatement, importsOf } from './imports.ts'

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly workspaces?: readonly string[]
}

export interface SourceFile {
  /** Relative to the workspace, with forward slashes. */
  readonly path: string
  /** A test, a benchmark, or what only those use: it may use what is not shipped. */
  readonly isTest: boolean
  readonly imports: readonly ImportStatement[]
}

export interface Package {
  readonly manifest: Manifest
  /** Relative to the workspace, with forward slashes: packages/core. */
  readonly folder: string
  readonly files: readonly SourceFile[]
}

export interface Workspace {
  readonly root: string
  readonly manifest: Manifest
  readonly packages: readonly Package[]
  /** Source files outside of every package: tests of the whole, examples, scripts. */
  readonly files: readonly SourceFile[]
}

const SOURCES = '**/*.{ts,mts,cts,js,mjs,cjs}'
const ROOT_FOLDERS = ['test', 'examples', 'bench', 'scripts', 'docs']

export function readWorkspace(root: string): Workspace {
  const manifest = readManifest(join(root, 'package.json'))
  const packages = (manifest.workspaces ?? [])
    .flatMap((pattern) => globSync(`${pattern}/package.json`, { cwd: root }))
    .sort()
    .map((path) => {
      const folder = slashes(dirname(path))
      return { manifest: readManifest(join(root, path)), folder, files: readSources(root, folder) }
    })
  const files = ROOT_FOLDERS.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readSources(root, folder),
  )
  return { root, manifest, packages, files }
}

function readManifest(path: string): Manifest {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function readSources(root: string, folder: string): SourceFile[] {
  return globSync(SOURCES, { cwd: join(root, folder), exclude: (name) => /^(node_modules|dist)$/.test(name) })
    .sort()
    .map((path) => {
      const absolute = join(root, folder, path)
      return {
        path: slashes(relative(root, absolute)),
        isTest: /(^|\/)(bench|fuzz|test|testing)\/|\.(test|test-d|bench|testing)\.m?ts$/.test(slashes(path)),
        imports: importsOf(readFileSync(absolute, 'utf8')),
      }
    })
}

function slashes(path: string): string {
  return path.split(sep).join('/')
}
