/** What must not be in a tracked file: this machine's paths, a registry's address, a dependency that is not locked. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readWorkspace } from './workspace.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

interface LockEntry {
  readonly resolved?: string
  readonly integrity?: string
  readonly link?: boolean
  readonly dependencies?: Readonly<Record<string, string>>
}

function trackedTextFiles(): { path: string; text: string }[] {
  return execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter(({ text }) => !text.includes('\0'))
}

/** Folders of one person's machine, or of one build machine; written so that this file does not contain them. */
const machinePath = /(?<![\w.$~}-])\/(?:work|root|Users|home)\/[A-Za-z0-9_.-]+|[A-Z]:\\Users\\/

function findMachinePaths(text: string): string[] {
  return text
    .split('\n')
    .map((line) => machinePath.exec(line)?.[0])
    .filter((found) => found !== undefined)
}

describe('tracked files', { skip: existsSync(join(root, '.git')) ? false : 'not a git checkout' }, () => {
  test('no path of one machine', () => {
    const found = trackedTextFiles().flatMap(({ path, text }) =>
      path === 'test/architecture/hygiene.test.ts' ? [] : findMachinePaths(text).map((hit) => `${path}: ${hit}`),
    )
    assert.deepEqual(found, [])
  })

  test('no source of a package is ignored by git', () => {
    const folders = ['packages', 'listeners', 'stores', 'plugins', 'test', 'scripts', 'examples', 'etc', 'docs']
    const ignored = execFileSync('git', ['ls-files', '--others', '--ignored', '--exclude-standard', '--', ...folders], {
      cwd: root,
      encoding: 'utf8',
    })
    assert.deepEqual(
      ignored.split('\n').filter((path) => path !== '' && !path.includes('node_modules/')),
      [],
    )
  })

  test('relative links in the documents lead somewhere', () => {
    const broken = trackedTextFiles()
      .filter(({ path }) => path.endsWith('.md'))
      .flatMap(({ path, text }) =>
        [...text.replace(/```[\s\S]*?```/g, '').matchAll(/\]\(([^)\s#]+)[^)]*\)/g)]
          .map((match) => match[1] ?? '')
          .filter((target) => !/^[a-z]+:/.test(target))
          .filter((target) => !existsSync(resolve(root, dirname(path), decodeURIComponent(target))))
          .map((target) => `${path}: ${target}`),
      )
    assert.deepEqual(broken, [])
  })
})

test('a path of one machine is recognised, and what only looks like one is not', () => {
  const person = ['', 'home', 'ann', 'x'].join('/')
  assert.deepEqual(findMachinePaths(`see ${person}`), ['/home/ann'])
  assert.deepEqual(findMachinePaths('topic a/home/kitchen, src/root/index.ts, $HOME/work/x, {root}/work/x'), [])
})

describe('package-lock.json', () => {
  const lock: { packages: Readonly<Record<string, LockEntry>> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  )
  const workspace = readWorkspace(root)

  test('names no registry, and has a hash for all that comes from one', () => {
    for (const [path, entry] of Object.entries(lock.packages)) {
      assert.doesNotMatch(entry.resolved ?? '', /^(https?|git)/, path)
      if (path.startsWith('node_modules/') && entry.link !== true) assert.match(entry.integrity ?? '', /^sha512-/, path)
    }
  })

  test('knows every package of the workspace with the dependencies that its package.json lists', () => {
    for (const { folder, manifest } of workspace.packages) {
      assert.ok(lock.packages[folder], `${folder} is missing; run npm install`)
      assert.deepEqual(
        lock.packages[folder].dependencies ?? {},
        manifest.dependencies ?? {},
        `${folder}; run npm install`,
      )
    }
    const links = Object.values(lock.packages).filter(({ link }) => link === true)
    assert.deepEqual(
      links.map(({ resolved }) => relative('.', resolved ?? '')).sort(),
      workspace.packages.map(({ folder }) => folder).sort(),
    )
  })
})
