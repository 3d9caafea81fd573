import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import exhook from '@hookmq/provider-exhook'
import { createBroker } from 'hookmq'
import { pause } from '../support/wait.ts'
import type { Seen } from './far-end.ts'
import { clients, fallBehind, numbers, publishAll } from './traffic.ts'

for (const transport of ['stream', 'unary'])
  test(`a provider that falls behind and catches up has every byte as it was sent, over ${transport}`, async (t) => {
    const far = fork(fileURLToPath(new URL('./far-end.ts', import.meta.url)), [transport])
    t.after(() => far.kill('SIGKILL'))
    const [{ port }] = (await once(far, 'message')) as [{ port: number }]
    const settings = {
      url: `http://127.0.0.1:${port}`,
      stream: transport === 'stream' ? 'on' : 'off',
      pool_size: '2',
      request_timeout: '60s',
      'breaker.failures': '0',
    }
    const broker = await createBroker({
      listeners: [{ type: 'tcp' }],
      plugins: [
        {
          plugin: exhook,
          config: Object.fromEntries(
            Object.entries(settings).map(([key, value]) => [`exhook.server.far.${key}`, value]),
          ),
        },
      ],
    })
    await broker.start()
    t.after(() => broker.stop(500))
    const provider = () => broker.admin.providers()[0]
    while (provider().status !== 'loaded' || (transport === 'stream' && provider().numbers.streams === 0))
      await pause(5)

    await publishAll(t, broker, (behind) => fallBehind(far.pid === undefined ? [] : [far.pid], behind))

    const look = async (): Promise<Seen> => {
      const answer = once(far, 'message')
      far.send('report')
      return ((await answer) as [Seen])[0]
    }
    let seen = await look()
    const told = (): number => Object.values(seen.delivered).reduce((sum, { length }) => sum + length, 0)
    while (told() < clients * numbers.length && provider().counters.failures === 0) {
      await pause(10)
      seen = await look()
    }
    assert.deepEqual(seen.problems, [])
    for (let index = 0; index < clients; index++) {
      assert.deepEqual(seen.published[`bytes/${index}`], numbers)
      assert.deepEqual(seen.delivered[`bytes/${index}`], numbers)
    }
    const { counters } = provider()
    assert.deepEqual([counters.failures, counters.dropped], [0, 0])
  })
