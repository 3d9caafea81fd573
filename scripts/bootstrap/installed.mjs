// Plain JavaScript for Node 18 and later: this runs before the right Node is there.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The Node that the sources need: they are TypeScript that Node itself runs. */
export const NODE_MAJOR = 24

/**
 * The npm package that holds a Node 24 for a platform, as pinned in package.json. Its absence there means that
 * nobody publishes one for that platform.
 *
 * @param {string} platform as process.platform
 * @param {string} arch as process.arch
 */
export function nodePackageName(platform = process.platform, arch = process.arch) {
  return `node-${platform === 'win32' ? 'win' : platform}-${arch}`
}

/** @param {string} version as process.versions.node */
export function isRightNode(version) {
  return Number.parseInt(version, 10) >= NODE_MAJOR
}

/**
 * The Node 24 that is usable now: the one that runs this, or the installed one. Undefined when there is neither.
 *
 * @param {string} root the project's folder
 * @returns {string | undefined} absolute path
 */
export function findNode(root) {
  if (isRightNode(process.versions.node)) return process.execPath
  const path = join(root, 'node_modules', nodePackageName(), 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  return isFile(path) ? path : undefined
}

/**
 * Why node_modules does not match package-lock.json, in words for a person; undefined when it does.
 *
 * npm keeps what it installed in node_modules/.package-lock.json and writes that file last, so an interrupted
 * installation has none.
 *
 * @param {string} root the project's folder
 * @returns {string | undefined}
 */
export function whyNotInstalled(root) {
  const wanted = readLock(join(root, 'package-lock.json'))
  if (wanted === undefined)
    throw new Error(`${join(root, 'package-lock.json')}: missing or not JSON; restore it with git`)
  const found = readLock(join(root, 'node_modules', '.package-lock.json'))
  if (found === undefined) return 'node_modules is missing or incomplete'
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '') continue
    const there = found[path]
    if (there === undefined) {
      if (entry.optional === true) continue
      return `${path} is missing`
    }
    if (there.version !== entry.version || there.integrity !== entry.integrity) {
      return `${path} is ${there.version ?? 'another one'}, package-lock.json has ${entry.version ?? 'another one'}`
    }
  }
  const node = `node_modules/${nodePackageName()}`
  if (wanted[node] !== undefined && findNode(root) === undefined) return `${node} is missing`
  return undefined
}

/** How many packages an installation brings here: those that are not links and not for another platform. */
export function packagesToInstall(root) {
  const wanted = readLock(join(root, 'package-lock.json')) ?? {}
  const fits = (allowed, here) => allowed === undefined || [allowed].flat().includes(here)
  return Object.entries(wanted).filter(
    ([path, entry]) =>
      path.startsWith('node_modules/') &&
      entry.link !== true &&
      fits(entry.os, process.platform) &&
      fits(entry.cpu, process.arch),
  ).length
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages
  } catch {
    return undefined
  }
}

function isFile(path) {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}
