import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { findProgram, majorVersion } from './command.ts'

const execute = promisify(execFile)

/** A published package has archives here, or, when there was no Java where it was built, their sources. */
const shipped = fileURLToPath(new URL('../../java/', import.meta.url))
/** Their sources in a checkout. */
const developed = fileURLToPath(new URL('../../../../sdk/java/', import.meta.url))
/** Where a checkout keeps what is built of them. */
const checkoutCache = fileURLToPath(new URL('../../../../.cache/java/', import.meta.url))

/** For Java 8 and newer: the process of the driver, and the classes of EMQX 4.1. */
export const driverArchive = 'hookmq-driver.jar'
/** For Java 17 and newer. */
export const modernArchive = 'hookmq.jar'

/** From this version on `hookmq.jar` can be built and used. */
const modernVersion = 17

/** The manifest opens what the driver needs to reach its socket: file descriptor 3. Java 8 does not read that line. */
const manifest = `Main-Class: io.hookmq.driver.Main
Add-Opens: java.base/java.io
Class-Path: ${modernArchive}
`

/**
 * The folder with the archives. In a checkout they are compiled when they are first used, and again when their sources have changed.
 * Rejects with one line that says what is missing.
 *
 * @param progress gets a line when something is done that takes seconds
 */
export async function findArchives(progress: (line: string) => void = () => {}): Promise<string> {
  if (existsSync(join(shipped, driverArchive))) return shipped
  const sources = [shipped, developed].find((folder) => existsSync(join(folder, 'driver', 'src')))
  if (sources === undefined) throw new Error(`the Java part of the driver is missing; looked for it in ${shipped}`)
  const files = globSync('{driver,hookmq}/src/main/**/*', { cwd: sources, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const hash = createHash('sha256').update(manifest)
  for (const file of files) hash.update(file.slice(sources.length)).update('\0').update(readFileSync(file))
  const name = hash.digest('hex').slice(0, 16)
  for (const cache of caches()) {
    const folder = join(cache, name)
    if (existsSync(folder)) return folder
  }
  return build(name, sources, progress)
}

/** A package among others has no folder of its own to write to. */
function caches(): string[] {
  const temporary = join(tmpdir(), `hookmq-java-${userInfo().uid}`)
  return existsSync(developed) ? [checkoutCache, ...privately(temporary)] : privately(temporary)
}

/** A folder among those of others: only if nobody else can have put an archive there. */
function privately(folder: string): string[] {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const { uid, mode } = statSync(folder)
    const own = userInfo().uid
    return own === -1 || (uid === own && (mode & 0o022) === 0) ? [folder] : []
  } catch {
    return []
  }
}

const building = new Map<string, Promise<string>>()

/** Several drivers that start together wait for one build. */
function build(name: string, sources: string, progress: (line: string) => void): Promise<string> {
  const running = building.get(name)
  if (running !== undefined) return running
  const started = buildIn(name, sources, progress).finally(() => building.delete(name))
  building.set(name, started)
  return started
}

async function buildIn(name: string, sources: string, progress: (line: string) => void): Promise<string> {
  const compiler = findProgram('javac')
  const archiver = findProgram('jar')
  if (compiler === undefined || archiver === undefined)
    throw new Error(
      `the Java part of the driver has to be compiled once, and there is no ${compiler === undefined ? 'javac' : 'jar'}: install a JDK (8 or newer; on Debian: default-jdk-headless) or set JAVA_HOME`,
    )
  progress(`compiling the Java part of the driver with ${compiler}; this is done once`)
  const work = mkdtempSync(join(tmpdir(), 'hookmq-javac-'))
  try {
    const out = join(work, 'out')
    mkdirSync(out)
    await compileArchives(sources, out, { compiler, archiver })
    return keep(out, name)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** Writes the archives into an empty folder, without Maven: there are no dependencies. `hookmq.jar` needs a JDK of 17 or newer. */
export async function compileArchives(
  sources: string,
  out: string,
  { compiler, archiver }: { readonly compiler: string; readonly archiver: string },
): Promise<void> {
  const version = await majorVersion(compiler)
  const work = mkdtempSync(join(tmpdir(), 'hookmq-classes-'))
  try {
    const driver = join(out, driverArchive)
    const target = version < 9 ? ['-source', '8', '-target', '8'] : ['--release', '8']
    await compile(compiler, join(sources, 'driver'), join(work, 'driver'), target)
    const lines = join(work, 'manifest.txt')
    writeFileSync(lines, manifest)
    await execute(archiver, ['cfm', driver, lines, '-C', join(work, 'driver'), '.'])
    if (version < modernVersion || !existsSync(join(sources, 'hookmq'))) return
    await compile(compiler, join(sources, 'hookmq'), join(work, 'hookmq'), [
      '--release',
      String(modernVersion),
      '-cp',
      driver,
      '-parameters',
    ])
    await execute(archiver, ['cf', join(out, modernArchive), '-C', join(work, 'hookmq'), '.'])
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

async function compile(compiler: string, module: string, out: string, options: readonly string[]): Promise<void> {
  const main = join(module, 'src', 'main')
  const files = globSync('java/**/*.java', { cwd: main }).map((file) => join(main, file))
  mkdirSync(out, { recursive: true })
  await execute(
    compiler,
    [...options, '-encoding', 'UTF-8', '-g', '-nowarn', '-Xlint:-options', '-proc:none', '-d', out, ...files],
    {
      maxBuffer: 16 * 1024 * 1024,
    },
  )
  const resources = join(main, 'resources')
  if (existsSync(resources)) cpSync(resources, out, { recursive: true })
}

/** In one step, because other processes may be building the same. */
function keep(out: string, name: string): string {
  for (const cache of caches()) {
    const folder = join(cache, name)
    const beside = `${folder}.${process.pid}`
    try {
      mkdirSync(dirname(folder), { recursive: true })
      cpSync(out, beside, { recursive: true })
      renameSync(beside, folder)
      return folder
    } catch {
      rmSync(beside, { recursive: true, force: true })
      // Somebody else was quicker, or the checkout cannot be written to.
      if (existsSync(folder)) return folder
    }
  }
  throw new Error(`the Java part of the driver cannot be kept: make ${caches().join(' or ')} writable`)
}
