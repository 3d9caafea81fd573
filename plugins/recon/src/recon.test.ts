import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startTestBroker, type TestBroker } from 'hookmq/testing'
import plugin from './index.ts'

function start(t: TestContext, conf = '', home = temporary(t)): Promise<TestBroker> {
  return startTestBroker(t, { plugins: [{ plugin, conf, home }] })
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'recon-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

it('loads the example of the EMQ document, with its %% comment, and the file as shipped', async (t) => {
  const broker = await start(t, '\n    %% Garbage Collection: 10 minutes\n    recon.gc_interval = 600\n')
  const folder = fileURLToPath(new URL('../../../etc/plugins', import.meta.url))
  await broker.reload(plugin, '', { folder })
  assert.deepEqual(
    broker.log.filter(({ level }) => level === 'warn'),
    [],
  )
})

describe('garbage collection', () => {
  const original = globalThis.gc
  const collections = async (t: TestContext, conf: string, milliseconds: number): Promise<number> => {
    let count = 0
    t.after(() => {
      globalThis.gc = original
    })
    globalThis.gc = (async () => {
      count++
    }) as unknown as NonNullable<typeof globalThis.gc>
    const broker = await start(t, conf)
    const before = count
    await broker.advance(milliseconds)
    return count - before
  }

  it('every gc_interval: a number counts seconds, 0 is never', async (t) => {
    assert.equal(await collections(t, 'recon.gc_interval = 600', 1_800_000), 3)
    assert.equal(await collections(t, 'recon.gc_interval = 5m', 600_000), 2)
    assert.equal(await collections(t, '', 600_000), 1)
    assert.equal(await collections(t, 'recon.gc_interval = 0', 3_600_000), 0)
  })

  it('where Node does not expose it, says so and goes on', async (t) => {
    globalThis.gc = undefined
    t.after(() => {
      globalThis.gc = original
    })
    const broker = await start(t)
    assert.ok(broker.log.some(({ message }) => message.includes('--expose-gc')))
  })
})

describe('memory', () => {
  it('recon memory: eight lines, the colon in column 21', async (t) => {
    const broker = await start(t)
    const { lines, json } = await broker.ctl('recon memory')
    const names = ['usage', 'used', 'allocated', 'unused'].flatMap((name) => [`${name}/current`, `${name}/max`])
    assert.deepEqual(
      lines.map((line) => line.slice(0, 22)),
      names.map((name) => `${name.padEnd(20)}: `),
    )
    const values = json as Record<string, number>
    assert.ok(values['used/current'] > 0 && values['used/current'] <= values['used/max'])
    assert.ok(values['usage/current'] > 0)
    assert.equal(lines[2], `used/current        : ${values['used/current']}`)
  })

  it('recon allocated: every space now, then every space at most', async (t) => {
    const broker = await start(t)
    const { lines } = await broker.ctl('recon allocated')
    const half = lines.length / 2
    assert.ok(
      lines.slice(0, half).every((line) => /^\w+\/current *: \d+$/.test(line)),
      lines.join('\n'),
    )
    assert.ok(
      lines.slice(half).every((line) => /^\w+\/max *: \d+$/.test(line)),
      lines.join('\n'),
    )
    assert.ok(lines.some((line) => line.startsWith('old_space/current')))
  })
})

it('recon node_stats: 10 samples 1000 ms apart, or as asked', async (t) => {
  const broker = await start(t)
  const asked = broker.ctl('recon node_stats')
  let done = false
  asked.then(() => {
    done = true
  })
  await broker.advance(9999)
  await broker.settle()
  assert.equal(done, false)
  await broker.advance(1)
  const { lines, json } = await asked
  assert.equal(lines.length, 10)
  assert.match(lines[0], /^loop_utilization=\S+ .*heap_used=\d+ rss=\d+ .*active_resources=\d+$/)
  assert.equal((json as unknown[]).length, 10)

  const few = broker.ctl('recon node_stats 2 500')
  await broker.advance(1000)
  assert.equal((await few).lines.length, 2)
  for (const line of ['recon node_stats 0', 'recon node_stats 61', 'recon node_stats 1 5', 'recon node_stats x'])
    assert.equal((await broker.ctl(line)).exitCode, 2, line)

  const cut = assert.rejects(broker.ctl('recon node_stats'), /recon was unloaded/)
  await broker.unload('recon')
  await cut
  await assert.rejects(broker.ctl('recon memory'), /no command/)
})

it('what is of Erlang says that it does not exist here', async (t) => {
  const broker = await start(t)
  for (const verb of ['bin_leak', 'remote_load emqx']) {
    const { lines, exitCode } = await broker.ctl(`recon ${verb}`)
    assert.match(lines[0], /^\w+ does not exist here: /)
    assert.equal(exitCode, 1)
  }
  for (const line of ['recon', 'recon nonsense', 'recon memory x']) assert.equal((await broker.ctl(line)).exitCode, 2)
})

describe('captures', () => {
  it('a heap snapshot is a file that only the owner reads, under the name that is printed', async (t) => {
    const home = temporary(t)
    const broker = await start(t, '', home)
    const { lines } = await broker.ctl('recon heap_snapshot')
    assert.deepEqual(lines, [join(home, 'data/recon/heap-20260101T000000Z.heapsnapshot')])
    assert.equal(statSync(lines[0]).mode & 0o777, 0o600)
    const snapshot = JSON.parse(readFileSync(lines[0], 'utf8'))
    assert.ok(snapshot.snapshot.node_count > 1000)
    // The same second, the same name: refused, and what is there stays.
    writeFileSync(lines[0], 'mine')
    await assert.rejects(broker.ctl('recon heap_snapshot'), /is there already, and is not overwritten/)
    assert.equal(readFileSync(lines[0], 'utf8'), 'mine')
  })

  it('a CPU profile covers the seconds that were asked for', async (t) => {
    const home = temporary(t)
    const broker = await start(t, 'recon.dir = profiles', home)
    const profiling = broker.ctl('recon cpu_profile 3 slow')
    await broker.settle()
    await assert.rejects(broker.ctl('recon heap_snapshot'), /is being written already/)
    while (readdirSync(join(home)).length === 0) await broker.settle()
    let done = false
    profiling.finally(() => {
      done = true
    })
    while (!done) {
      await broker.advance(1000)
      await broker.settle()
    }
    const { lines } = await profiling
    assert.deepEqual(lines, [join(home, 'profiles/slow.cpuprofile')])
    const profile = JSON.parse(readFileSync(lines[0], 'utf8'))
    assert.ok(profile.nodes.length > 0 && profile.endTime > profile.startTime)
    const before = readFileSync(lines[0], 'utf8')
    await assert.rejects(broker.ctl('recon cpu_profile 1 slow'), /not overwritten/)
    assert.equal(readFileSync(lines[0], 'utf8'), before)
  })

  it('stays within its folder, its number of files and its heap', async (t) => {
    const home = temporary(t)
    const broker = await start(t, 'recon.max_files = 1\nrecon.max_snapshot_heap = 1KB', home)
    for (const name of ['../x', '/etc/x', '.hidden', 'a/b', 'x'.repeat(101), ''])
      await assert.rejects(broker.ctl(['recon', 'heap_snapshot', name]), /cannot be a name/, name)
    await assert.rejects(broker.ctl('recon heap_snapshot'), /recon\.max_snapshot_heap allows 1024/)
    writeFileSync(join(home, 'data/recon/a'), '')
    await assert.rejects(broker.ctl('recon cpu_profile 1'), /recon\.max_files allows 1: remove some/)
    for (const line of [
      'recon cpu_profile 0',
      'recon cpu_profile 301',
      'recon cpu_profile x',
      'recon heap_snapshot a b',
    ])
      assert.equal((await broker.ctl(line)).exitCode, 2, line)
  })

  it('unloaded in the middle, it leaves no half a file and can be used again', async (t) => {
    const home = temporary(t)
    const broker = await start(t, '', home)
    const cut = assert.rejects(broker.ctl('recon cpu_profile 300'), /recon was unloaded/)
    const folder = join(home, 'data/recon')
    const files = (): string[] => {
      try {
        return readdirSync(folder)
      } catch {
        return []
      }
    }
    while (files().length === 0) await broker.settle()
    await broker.unload('recon')
    await cut
    assert.deepEqual(files(), [])
  })
})
