/**
 * Loaded into each test file's process: ends one that does not end by itself, and says what keeps it alive. Node's own
 * limit fails a test that takes too long, but a socket or a timer that this test has left open keeps the run waiting,
 * and a call that does not return keeps Node's limit from being looked at.
 */
import { isMainThread, Worker } from 'node:worker_threads'

const limit = Number(process.env.HOOKMQ_TEST_FILE_LIMIT_MS)

if (limit > 0 && isMainThread) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|TTYWrap|MessagePort)$/.test(name))
    process.stderr.write(`not at its end after ${limit} ms; still open: ${open.join(', ') || 'nothing'}\n`)
    process.exit(1)
  }, limit).unref()

  const blocked = `
    const { writeSync } = require('node:fs')
    setTimeout(() => {
      writeSync(2, 'not at its end after ${limit} ms, and in a call that does not return\\n')
      process.kill(process.pid, 'SIGKILL')
    }, ${limit + 2000})`
  new Worker(blocked, { eval: true, execArgv: [], stdin: false }).unref()
}
