/**
 * npm test: everything that must hold, in parts. Each part says how long it took; all parts run, whatever fails.
 *
 *     npm test                        everything
 *     npm test -- unit types          these parts
 *     npm test -- packages/mqtt       the tests in this folder or file
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(fileURLToPath(import.meta.url), '..', '..')

/** What hangs must not hang the run: a test, a file that does not end after its tests, a loop that nothing interrupts. */
const TEST_LIMIT_MS = 120_000
const FILE_LIMIT_MS = Number(process.env.HOOKMQ_TEST_FILE_LIMIT_MS ?? 240_000)
const PART_LIMIT_MS = 1_200_000
const folder = mkdtempSync(join(tmpdir(), 'hookmq-test-'))
/** Parts write here what failed, so that it stands at the end as well, where one looks first. */
const failuresFile = join(folder, 'failures')

interface Part {
  readonly name: string
  readonly what: string
  /** @returns the command, without the program, which is this Node */
  readonly command: () => string[]
  readonly env?: Readonly<Record<string, string>>
}

const unitTests = [
  '{packages,listeners,stores,clusters,providers,plugins,gateways,sdk,bench,scripts}/**/*.test.{ts,mjs}',
]
const workersTests = ['test/{conformance,hooks,interop}/**/*.test.ts']
const durableTests = ['test/{conformance,hooks}/**/*.test.ts']
const integrationTests = ['{test,examples,docs}/**/*.test.ts']

const parts: readonly Part[] = [
  { name: 'types', what: 'the type checker', command: () => [tool('typescript', 'bin/tsc'), '-p', '.'] },
  {
    name: 'lint',
    what: 'lint and format',
    command: () => [tool('@biomejs/biome', 'bin/biome'), 'ci', '--colors=off', '--max-diagnostics=100', '.'],
  },
  {
    name: 'unused',
    what: 'unused files, exports, dependencies',
    command: () => [tool('knip', 'bin/knip.js'), '--no-progress'],
  },
  { name: 'docs', what: 'generated references are current', command: () => [join(root, 'scripts/docs.ts'), '--check'] },
  { name: 'unit', what: 'tests beside the code', command: () => testCommand(findTests(unitTests)) },
  { name: 'integration', what: 'tests of the whole', command: () => testCommand(findTests(integrationTests)) },
  {
    name: 'workers',
    what: 'conformance, hooks and other clients once more, against a broker of two workers',
    command: () => testCommand(findTests(workersTests)),
    env: { HOOKMQ_TEST_WORKERS: '2' },
  },
  {
    name: 'durable',
    what: 'conformance and hooks once more, with sessions that go through a store',
    command: () => testCommand(findTests(durableTests)),
    env: { HOOKMQ_TEST_DURABLE: '1' },
  },
]

function tool(name: string, path: string): string {
  return join(root, 'node_modules', name, path)
}

function findTests(patterns: readonly string[]): string[] {
  return globSync([...patterns], { cwd: root, exclude: (name) => name === 'node_modules' || name === 'dist' })
    .sort()
    .map((path) => join(root, path))
}

function testCommand(files: readonly string[]): string[] {
  const reporter = new URL('./check/reporter.ts', import.meta.url).href
  return [
    '--test',
    // Tests of the whole start programs of their own, so no more files at once than there are cores.
    `--test-concurrency=${Math.min(4, availableParallelism())}`,
    `--test-timeout=${TEST_LIMIT_MS}`,
    `--import=${new URL('./check/watchdog.ts', import.meta.url).href}`,
    `--test-reporter=${reporter}`,
    '--test-reporter-destination=stdout',
    ...files,
  ]
}

function choose(args: readonly string[]): Part[] {
  const named = parts.filter(({ name }) => args.includes(name))
  const paths = args.filter((arg) => !parts.some(({ name }) => name === arg))
  if (paths.length === 0) return named.length === 0 ? [...parts] : named
  const all = findTests([...unitTests, ...integrationTests])
  const files = paths.flatMap((path) => {
    const absolute = join(root, path)
    if (!existsSync(absolute))
      throw new Error(
        `${path}: no such file or folder, and no part of this name; parts: ${parts.map(({ name }) => name).join(', ')}`,
      )
    if (statSync(absolute).isFile()) return [absolute]
    const inside = all.filter((file) => !relative(absolute, file).startsWith('..'))
    if (inside.length === 0) throw new Error(`${path}: has no tests`)
    return inside
  })
  return [...named, { name: 'tests', what: paths.join(' '), command: () => testCommand(files) }]
}

interface Outcome {
  readonly name: string
  readonly passed: boolean
  readonly seconds: string
}

function run(chosen: readonly Part[]): Outcome[] {
  return chosen.map(({ name, what, command, env }, index) => {
    process.stdout.write(`\n[${index + 1}/${chosen.length}] ${name}: ${what}\n`)
    const started = performance.now()
    const { status, error } = spawnSync(process.execPath, command(), {
      cwd: root,
      env: {
        ...process.env,
        ...env,
        HOOKMQ_TEST_FILE_LIMIT_MS: String(FILE_LIMIT_MS),
        HOOKMQ_TEST_FAILURES: failuresFile,
      },
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: PART_LIMIT_MS,
    })
    if (error !== undefined) process.stdout.write(`${error.message}\n`)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(
      `[${index + 1}/${chosen.length}] ${name}: ${status === 0 ? 'passed' : 'FAILED'} in ${seconds} s\n`,
    )
    return { name, passed: status === 0, seconds }
  })
}

try {
  const outcomes = run(choose(process.argv.slice(2)))
  if (outcomes.length > 1 && existsSync(failuresFile))
    process.stdout.write(`\nWhat failed, once more:\n${readFileSync(failuresFile, 'utf8')}`)
  process.stdout.write('\n')
  for (const { name, passed, seconds } of outcomes) {
    process.stdout.write(
      `${passed ? '✔' : '✖'} ${name.padEnd(12)} ${seconds.padStart(7)} s${passed ? '' : '  FAILED'}\n`,
    )
  }
  process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 2
} finally {
  rmSync(folder, { recursive: true })
}
