// Brings node_modules to what package-lock.json says, with a person watching. Everything goes to standard error:
// standard output belongs to the program that starts afterwards.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { packagesToInstall, whyNotInstalled } from './installed.mjs'
import { takeLock } from './lock.mjs'

const TELL_EVERY_MS = 3000
const MOST_LINES = 30

/**
 * @param {string} root the project's folder
 * @param {(line: string) => void} [say] progress, one line each
 * @returns {Promise<boolean>} true when something was installed, false when all was there
 */
export async function ensureInstalled(root, say = sayOnStandardError) {
  if (whyNotInstalled(root) === undefined) return false
  const release = await takeLock(join(root, '.cache', 'install.lock'), (holder) =>
    say(`process ${holder} is installing already, waiting for it`),
  )
  try {
    // Whoever held the lock may have done it.
    const reason = whyNotInstalled(root)
    if (reason === undefined) return false
    await install(root, reason, say)
  } finally {
    release()
  }
  const left = whyNotInstalled(root)
  if (left !== undefined) say(`npm is done, but ${left}; going on. If something fails now, remove node_modules first.`)
  return true
}

async function install(root, reason, say) {
  const total = packagesToInstall(root)
  const started = performance.now()
  const elapsed = () => `${((performance.now() - started) / 1000).toFixed(0)} s`
  say(`setting up, because ${reason}: npm installs ${total} packages into node_modules (about 1 minute, once)`)

  const progress = { fetched: 0, last: 'asking npm' }
  const ticker = setInterval(() => {
    say(`${elapsed()}: ${progress.last} (${Math.min(progress.fetched, total)} of ${total} packages fetched)`)
  }, TELL_EVERY_MS)
  const lines = []
  try {
    const code = await runNpm(root, (line) => {
      follow(line, progress)
      if (/^npm (http|warn)/.test(line)) return
      lines.push(line)
      // npm says what was wrong first and how to call it last.
      if (lines.length > MOST_LINES) lines.pop()
    })
    if (code !== 0) {
      throw new Error(
        `npm failed after ${elapsed()} with exit code ${code}. npm says:\n${lines.join('\n')}\n` +
          'Check the network and the npm registry (npm config get registry), then start again.',
      )
    }
  } finally {
    clearInterval(ticker)
  }
  say(`set up in ${elapsed()}`)
}

/** npm's log level "http" has one line per download; that is all the progress that npm shows without a terminal. */
function follow(line, progress) {
  const fetch = /^npm http fetch GET \d+ \S*\/(\S+)\.tgz/.exec(line)
  if (fetch === null) return
  progress.fetched += 1
  progress.last = `got ${fetch[1]}`
}

function runNpm(root, onLine) {
  // NODE_ENV=production and npm's omit settings would leave out the tests' packages and the right Node.
  // "install --no-save" and not "ci": both follow package-lock.json and leave it alone, but "ci" throws away what is
  // there already, and refuses a lock file that lacks the packages of other platforms, as npm itself writes it at times.
  const args = ['install', '--no-save', '--include=dev', '--include=optional', '--engine-strict=false']
  args.push('--no-audit', '--no-fund', '--loglevel=http', '--progress=false')
  // Under "npm start", npm names its own program; a plain start finds npm on the PATH (npm.cmd needs a shell on Windows).
  const npm = process.env.npm_execpath
  const viaNode = npm !== undefined && /npm-cli\.c?js$/.test(npm)
  const child = spawn(viaNode ? process.execPath : 'npm', viaNode ? [npm, ...args] : args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: !viaNode && process.platform === 'win32',
  })
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine)
  // Told to end, this process ends npm first: an orphan would go on writing while the next start thinks it is alone.
  const passOn = (signal) => child.kill(signal)
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, passOn)
  child.once('close', () => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.off(signal, passOn)
  })
  return new Promise((resolve, reject) => {
    child.once('error', (error) =>
      reject(
        error.code === 'ENOENT' ? new Error('npm is not on the PATH; install Node.js with npm and start again') : error,
      ),
    )
    child.once('close', (code, signal) => resolve(code ?? signal))
  })
}

function sayOnStandardError(line) {
  process.stderr.write(`hookmq: ${line}\n`)
}
