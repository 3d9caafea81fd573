import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type AdjustableLogger, createLogger, type LoggerOptions } from './logger.ts'

const folder = mkdtempSync(join(tmpdir(), 'hookmq-log-'))
after(() => rmSync(folder, { recursive: true }))
let files = 0

async function logged(options: LoggerOptions, run: (log: AdjustableLogger) => void): Promise<string> {
  const path = join(folder, `${files++}.log`)
  const fd = openSync(path, 'w')
  const log = createLogger({ ...options, fd })
  run(log)
  await log.flush()
  const text = readFileSync(path, 'utf8')
  closeSync(fd)
  return text
}

test('each line is one JSON object with level, time, message and fields', async () => {
  const line = JSON.parse(
    await logged({}, (log) =>
      log.child({ plugin: 'p' }).warn('slow hook', { milliseconds: 3, error: new Error('why') }),
    ),
  )
  assert.equal(line.level, 'warn')
  assert.equal(line.msg, 'slow hook')
  assert.equal(line.plugin, 'p')
  assert.equal(line.milliseconds, 3)
  assert.equal(line.error.message, 'why')
  assert(!Number.isNaN(Date.parse(line.time)))
})

test('a changed level reaches children that exist already', async () => {
  const text = await logged({ level: 'info' }, (log) => {
    const child = log.child({ plugin: 'p' })
    child.debug('one')
    log.level = 'debug'
    child.debug('two')
    log.level = 'error'
    child.warn('three')
    child.error('four')
    log.level = 'silent'
    child.error('five')
  })
  assert.deepEqual(
    text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).msg),
    ['two', 'four'],
  )
})

test('a level that does not exist is refused', async () => {
  await logged({}, (log) =>
    assert.throws(() => Object.assign(log, { level: 'loud' }), /log level must be one of debug, info/),
  )
})

test('passwords and payloads are hidden even when somebody hands them over', async () => {
  const text = await logged({}, (log) => {
    log.error('x', { password: 'secret-1', client: { password: 'secret-2' }, message: { payload: 'secret-3' } })
  })
  assert.doesNotMatch(text, /secret/)
  assert.match(text, /\[hidden\]/)
})

test('pretty format is made for people', async () => {
  const text = await logged({ format: 'pretty' }, (log) => log.info('ready', { listeners: 2 }))
  assert.match(text, /INFO.*ready/)
  assert.throws(() => JSON.parse(text))
})

test('to a file and a descriptor at once, the folder is made', async () => {
  const file = join(folder, 'deep/er/hookmq.log')
  const text = await logged({ file }, (log) => log.info('both'))
  assert.equal(JSON.parse(text).msg, 'both')
  assert.equal(JSON.parse(readFileSync(file, 'utf8')).msg, 'both')
})

test('a file that cannot be written is named', () => {
  assert.throws(() => createLogger({ fd: false, file: join(folder, '0.log', 'below-a-file.log') }), {
    code: 'CONFIG_INVALID',
    message: /log\.file: cannot write to .*below-a-file\.log/,
  })
})

test('without any destination nothing is written and nothing fails', async () => {
  const log = createLogger({ fd: false })
  log.error('nobody hears')
  await log.flush()
})
