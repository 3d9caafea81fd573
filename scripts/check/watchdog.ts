/**
 * Loaded into each test file's process: ends one that does not end by itself, and says what keeps it alive. Node's own
 * limit fails a test that takes too long, but a socket or a timer that this test has left open keeps the run waiting.
 */
const limit = Number(process.env.HOOKMQ_TEST_FILE_LIMIT_MS)

if (limit > 0) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((name) => !/^(PipeWrap|TTYWrap)$/.test(name))
    process.stderr.write(`not at its end after ${limit} ms; still open: ${open.join(', ') || 'nothing'}\n`)
    process.exit(1)
  }, limit).unref()
}
