// One holder at a time across processes: a file that names the process that holds it.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until this process holds the lock. A lock whose process is gone is taken over.
 *
 * @param {string} path of the lock file; its folder is made
 * @param {(holder: number) => void} [onWait] called once, with the process that is waited for
 * @returns {Promise<() => void>} gives the lock back
 */
export async function takeLock(path, onWait = () => {}) {
  mkdirSync(dirname(path), { recursive: true })
  let told = false
  for (;;) {
    if (create(path)) return () => rmSync(path, { force: true })
    const holder = readHolder(path)
    if (holder === undefined) {
      // Just created and not yet written, or just given back.
      await sleep(50)
      if (readHolder(path) === undefined) setAside(path, undefined)
      continue
    }
    if (!isAlive(holder)) {
      setAside(path, holder)
      continue
    }
    if (!told) {
      told = true
      onWait(holder)
    }
    await sleep(200)
  }
}

function create(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function readHolder(path) {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    return pid > 0 ? pid : undefined
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Removes a dead lock. Two processes can see the same dead lock; the slower one must not remove the lock that the
 * faster one has made since, so the file is moved away first and put back if it turns out to be a living one.
 */
function setAside(path, holder) {
  const aside = `${path}.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (error.code === 'ENOENT') return
    throw error
  }
  const moved = readHolder(aside)
  if (moved !== undefined && moved !== holder) {
    try {
      writeFileSync(path, String(moved), { flag: 'wx' })
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
  }
  rmSync(aside, { force: true })
}
