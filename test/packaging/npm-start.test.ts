/** `npm start` in a checkout, with the Node that runs this test and with the older one of the machine, if it has one. */
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { cleanEnvironment, projectRoot } from './installed.ts'

const ports = ['listener.tcp.external', 'listener.ws.external', 'plugin.management.dashboard.listener.http'].flatMap(
  (key) => ['--set', `${key}=127.0.0.1:0`],
)

function olderNode(env: NodeJS.ProcessEnv): string | undefined {
  try {
    const version = execFileSync('node', ['--version'], { env, encoding: 'utf8' }).trim()
    return Number.parseInt(version.slice(1), 10) < 24 ? version : undefined
  } catch {
    return undefined
  }
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function startedPort(npm: ChildProcess): Promise<number> {
  assert.ok(npm.stdout)
  const lines: string[] = []
  for await (const line of createInterface({ input: npm.stdout })) {
    lines.push(line)
    if (!line.startsWith('ready')) continue
    const port = lines
      .map((text) => /\btcp\b.*?127\.0\.0\.1:(\d+)/.exec(text)?.[1])
      .find((found) => found !== undefined)
    return Number(port)
  }
  throw new Error(`npm start ended before it was ready:\n${lines.join('\n')}`)
}

/** Options reach the broker, SIGTERM to npm ends the broker, and nothing is left. */
async function startAndStop(context: TestContext, env: NodeJS.ProcessEnv): Promise<void> {
  // A broker that somebody runs in this checkout has its data folder.
  const dataDir = mkdtempSync(join(tmpdir(), 'hookmq-npm-start-'))
  context.after(() => rmSync(dataDir, { recursive: true, force: true }))
  const npm = spawn('npm', ['start', '--silent', '--', ...ports, '--data-dir', dataDir], {
    cwd: projectRoot,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.after(() => npm.kill('SIGKILL'))
  const ended = once(npm, 'exit')
  const port = await startedPort(npm)
  assert.equal(await accepts(port), true)
  npm.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
  assert.equal(await accepts(port), false, 'the broker still listens after npm has ended')
}

test('npm start on Node 24', { timeout: 60_000 }, (context) => startAndStop(context, cleanEnvironment()))

test('npm start on an older Node hands over to Node 24', { timeout: 60_000 }, async (context) => {
  const env = cleanEnvironment([])
  const version = olderNode(env)
  if (version === undefined) return context.skip("this machine's own Node is not older than 24")
  context.diagnostic(`own Node: ${version}`)
  await startAndStop(context, env)
})
