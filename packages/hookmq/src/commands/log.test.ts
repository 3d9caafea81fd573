import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLogger } from '../log/logger.ts'
import { startOperated } from '../testing/operator.ts'

test('levels and handlers of the log', async (scope) => {
  const folder = mkdtempSync(join(tmpdir(), 'hookmq-log-'))
  scope.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'broker.log')
  const log = createLogger({ fd: false, file })
  const { lines, run } = await startOperated(scope, '4.x', { logControl: log })
  assert.deepEqual(await lines('log', 'primary-level'), ['info'])
  assert.deepEqual(await lines('log', 'primary-level', 'warning'), ['warning'])
  log.info('unheard')
  log.warn('heard')
  assert.deepEqual(await lines('log', 'handlers', 'list'), [
    `LogHandler(id=file, level=debug, destination=${file}, status=started)`,
  ])
  assert.deepEqual(await lines('log', 'handlers', 'set-level', 'file', 'error'), ['error'])
  log.warn('unheard')
  log.error('also heard')
  assert.deepEqual(await lines('log', 'handlers', 'stop', 'file'), ['log handler file stopped'])
  log.error('unheard')
  assert.deepEqual(await lines('log', 'handlers', 'start', 'file'), ['log handler file started'])
  assert.deepEqual(await lines('log', 'set-level', 'debug'), ['debug'])
  log.debug('heard at last')
  await log.flush()
  const heard = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).msg)
  assert.deepEqual(heard, ['heard', 'also heard', 'heard at last'])
  assert.deepEqual(await lines('log', 'handlers', 'stop', 'nowhere'), ['[error] log handler nowhere: not_found'])
  const loud = await run('log', 'set-level', 'loud')
  assert.equal(loud.exitCode, 2)
  assert.match(loud.lines[0], /^Error: 'loud' is not a level; expected debug, info, warning or error$/)
})
