import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { serve, stop } from '@hookmq/provider'
import { publishThrough } from '../support/actions.ts'
import { startTwo } from './support.ts'

/** A server that writes down who published what, and ends the chain. */
async function startServer(t: TestContext): Promise<{ readonly url: string; readonly asked: string[] }> {
  const asked: string[] = []
  const server = await serve(
    {
      'message.publish'(message) {
        asked.push(`${message.topic} ${message.from}`)
        return stop({ topic: message.topic })
      },
    },
    { listen: 0, signals: false },
  )
  t.after(() => server.close())
  return { url: `http://${server.address}`, asked }
}

test('each worker asks the ExHook servers for its own clients, and follows what is changed while they run', async (t) => {
  const [one, other] = [await startServer(t), await startServer(t)]
  const broker = await startTwo(t)
  const clients = [await broker.connect(1), await broker.connect(2)]
  const exhook = async (...words: string[]) => assert.equal(await broker.ctl('exhook', 'server', ...words), 'ok')
  /** Waits until of two messages, one through each worker, exactly so many are asked of each server. */
  const becomes = async (topic: string, what: string, atOne: number, atOther: number): Promise<void> => {
    for (const end = Date.now() + 30_000; ; ) {
      const before = [one.asked.length, other.asked.length]
      for (const client of clients) await publishThrough(client, topic, 'x', { qos: 1 })
      const now = [one.asked.length - before[0], other.asked.length - before[1]]
      if (now[0] === atOne && now[1] === atOther) return
      if (Date.now() > end) assert.fail(`waited for ${what}; two messages were asked of the two servers ${now}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  await exhook('add', 'first', one.url)
  await becomes('added', 'both workers to ask the server that was added', 2, 0)
  assert.deepEqual(
    one.asked.slice(-2),
    clients.map(({ clientId }) => `added ${clientId}`),
  )
  await exhook('add', 'second', other.url)
  await becomes('order', 'the first to stay the first', 2, 0)
  await exhook('move', 'second', 'front')
  await becomes('moved', 'the second to be first in both', 0, 2)
  await exhook('update', 'second', `url=${one.url}`)
  await becomes('updated', 'both to use the other address', 2, 0)
  await exhook('update', 'second', `url=${other.url}`)
  await becomes('updated', 'both to use the first address again', 0, 2)
  await exhook('disable', 'second')
  await becomes('disabled', 'both to ask the first alone', 2, 0)
  await exhook('delete', 'first')
  await becomes('deleted', 'nobody to be asked', 0, 0)

  await exhook('enable', 'second')
  process.kill(broker.pid(2), 'SIGKILL')
  await broker.command.shows(/"worker":"worker2","msg":"a worker is back"/)
  clients[1] = await broker.connect(2)
  await becomes('again', 'a worker that starts later to have what was changed', 0, 2)
})
