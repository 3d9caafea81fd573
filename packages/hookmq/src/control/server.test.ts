import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { BrokerAdmin, Command } from '@hookmq/api'
import { createLogger } from '../log/logger.ts'
import type { Scope } from '../testing/command.ts'
import { askBroker } from './client.ts'
import { controlSocket, maxSocketPath } from './path.ts'
import { maxRequestBytes } from './protocol.ts'
import { type ControlOptions, ControlServer } from './server.ts'

const many = Array.from({ length: 25_000 }, (_, index) => `line ${index} äöü`)

const commands: readonly Command[] = [
  { name: 'echo', usage: [['echo <Word>', 'Says it again']], run: (args) => ({ lines: args, json: args }) },
  { name: 'many', usage: [], run: () => ({ lines: many }) },
  { name: 'never', usage: [], run: () => new Promise<undefined>(() => {}) },
]

function newFolder(scope: Scope): string {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-control-'))
  scope.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function open(scope: Scope, dataDir: string, options: Partial<ControlOptions> = {}): Promise<ControlServer> {
  // Of the broker, what is looked at here is only its list of commands. It is all that there is.
  const admin = { commands: () => commands, refresh: async () => {} } as unknown as BrokerAdmin
  const server = await ControlServer.open({
    admin,
    dataDir,
    profile: '4.x',
    log: createLogger({ fd: false }),
    ...options,
  })
  scope.after(() => server.close())
  return server
}

async function ask(dataDir: string, args: string[], json = false) {
  const lines: string[] = []
  const result = await askBroker(dataDir, { args, json }, (some) => void lines.push(...some))
  return { lines, ...result }
}

/** Whatever the server sends for these bytes. */
function raw(path: string, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(bytes))
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    socket.on('close', () => resolve(text))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      // A server that closes while it is being written to.
      error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : reject(error),
    )
  })
}

test('words arrive as they are, lines and JSON come back', async (scope) => {
  const folder = newFolder(scope)
  await open(scope, folder)
  const words = ['echo', 'two words', '', '--json', '$(x) `y` "z"', 'new\nline', 'ä🙂']
  assert.deepEqual(await ask(folder, words), { lines: words.slice(1), exitCode: 0 })
  assert.deepEqual(await ask(folder, words, true), { lines: [], exitCode: 0, json: words.slice(1) })
})

test('long answers come whole', async (scope) => {
  const folder = newFolder(scope)
  await open(scope, folder)
  assert.deepEqual((await ask(folder, ['many'])).lines, many)
})

test('only the user of the broker may open the socket; it goes with the server', async (scope) => {
  const folder = newFolder(scope)
  const server = await open(scope, folder)
  const stats = statSync(server.path)
  assert.ok(stats.isSocket())
  assert.equal(stats.mode & 0o777, 0o600)
  server.close()
  assert.equal(statSync(server.path, { throwIfNoEntry: false }), undefined)
  assert.equal(await askBroker(folder, { args: [], json: false }, () => {}), undefined)
})

test('a socket that a dead broker left is replaced, another file is not', async (scope) => {
  const folder = newFolder(scope)
  const path = join(folder, 'hookmq.sock')
  const left = createServer().listen(path)
  await new Promise((resolve) => left.once('listening', resolve))
  // The file stays when it is made to stay, as after a crash.
  const server = await open(scope, folder)
  left.close()
  assert.equal(server.path, path)
  const other = newFolder(scope)
  writeFileSync(join(other, 'hookmq.sock'), 'precious')
  await assert.rejects(open(scope, other), {
    code: 'CONTROL_SOCKET',
    message: /something else is there; move it away$/,
  })
})

test('requests that are none get one line', async (scope) => {
  const folder = newFolder(scope)
  const { path } = await open(scope, folder)
  for (const [bytes, expected] of [
    ['hello\n', 'expected one line of JSON'],
    ['[]\n', 'expected an object'],
    ['{"args":"x"}\n', 'args: expected a list of strings'],
    ['{"args":["x",1]}\n', 'args: expected a list of strings'],
    ['{"args":[],"json":1}\n', 'json: expected true or false'],
    [`{"args":["${'x'.repeat(maxRequestBytes)}"]}\n`, 'longer than 65536 bytes'],
  ]) {
    const answer = await raw(path, bytes)
    assert.ok(answer.includes(expected), `${bytes.slice(0, 40)} → ${answer}`)
    assert.match(answer, /"exitCode":1\}\n$/)
  }
})

test('who sends nothing is cut off; a command that does not end is not waited for', async (scope) => {
  const folder = newFolder(scope)
  const { path } = await open(scope, folder, { requestTimeout: 20, commandTimeout: 20 })
  assert.equal(await raw(path, '{"args":'), '')
  const { lines, exitCode } = await ask(folder, ['never'])
  assert.equal(exitCode, 1)
  assert.match(lines[0], /^Error: the command has not ended within 0\.02 s; it may still do so$/)
})

test('a folder whose path is too long for a socket', { skip: process.platform !== 'linux' }, async (scope) => {
  const folder = join(newFolder(scope), 'x'.repeat(maxSocketPath))
  mkdirSync(folder)
  const server = await open(scope, folder)
  assert.equal(server.path, join(folder, 'hookmq.sock'))
  assert.deepEqual((await ask(folder, ['echo', 'far'])).lines, ['far'])
  server.close()
  assert.equal(await askBroker(folder, { args: [], json: false }, () => {}), undefined)
})

test('no folder, no broker', async (scope) => {
  const folder = join(newFolder(scope), 'missing')
  assert.equal(await askBroker(folder, { args: [], json: false }, () => {}), undefined)
  assert.equal(await askBroker(join(folder, 'x'.repeat(200)), { args: [], json: false }, () => {}), undefined)
  assert.equal(controlSocket('/short').address, '/short/hookmq.sock')
})
