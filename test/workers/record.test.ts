import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { publishThrough } from '../support/actions.ts'
import { temporaryFolder } from './folder.ts'
import { Program } from './program.ts'
import { idAt, startTwo } from './support.ts'

interface Line {
  readonly seq: number
  readonly at: number
  readonly hook: string
  readonly request: {
    readonly clientinfo?: { readonly clientid: string }
    readonly message?: { readonly topic: string; readonly from: string }
  }
}

test('hookmq exhook record writes down what happens at every worker, in the order of time', async (t) => {
  const broker = await startTwo(t)
  const file = join(temporaryFolder(t), 'traffic.jsonl')
  const recording = new Program(t, ['exhook', 'record', file, '--data-dir', broker.dataDir])
  await recording.shows(/recording \d+ hooks of hookmq@/)
  await recording.shows(/runs as 2 processes: what happens at each of them is recorded/)
  const clients = []
  for (const worker of [1, 2, 2] as const) clients.push(await broker.connect(worker, { clientId: idAt(worker, 'rec') }))
  const order: string[] = []
  for (let round = 0; round < 30; round++) {
    for (const client of clients) {
      // Each is answered before the next one goes out.
      await publishThrough(client, `recorded/${round}`, 'x', { qos: 1 })
      order.push(`${client.clientId} recorded/${round}`)
    }
    // Clocks of two processes agree to a millisecond or so.
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  recording.signal('SIGINT')
  assert.equal(await recording.ended, 0)
  const [header, ...lines] = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  assert.equal((header as { processes: number }).processes, 2)
  const end = lines.pop() as { events: number; dropped: number }
  const events = lines as Line[]
  assert.deepEqual([end.events, end.dropped], [events.length, 0])
  assert.deepEqual(
    events.map(({ seq }) => seq),
    events.map((_, index) => index + 1),
  )
  assert.ok(events.every(({ at }, index) => index === 0 || at >= events[index - 1].at))
  const published = events
    .filter(({ hook }) => hook === 'message.publish')
    .map(({ request: { message } }) => `${message?.from} ${message?.topic}`)
  assert.deepEqual([...published].sort(), [...order].sort(), 'each of them once')
  for (const { clientId } of clients) {
    const own = (list: readonly string[]) => list.filter((line) => line.startsWith(`${clientId} `))
    assert.deepEqual(own(published), own(order), 'each client in its order')
    assert.ok(
      events.some(({ hook, request }) => hook === 'client.connected' && request.clientinfo?.clientid === clientId),
    )
  }
  const rounds = published.map((line) => Number(line.split('/')[1]))
  assert.ok(
    rounds.every((round, index) => index === 0 || round >= rounds[index - 1]),
    'both workers in one order',
  )
})
