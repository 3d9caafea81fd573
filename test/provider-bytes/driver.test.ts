import assert from 'node:assert/strict'
import { test } from 'node:test'
import driver from '@hookmq/provider-driver'
import { createBroker } from 'hookmq'
import { home } from '../drivers/support.ts'
import { requirement } from '../support/requirements.ts'
import { pause } from '../support/wait.ts'
import { fallBehind, publishAll } from './traffic.ts'

// As pattern.ts: looks at every byte, and changes every second message.
const handler = `
from hookmq import App

app = App()
PERIOD = 251
TABLE = bytes(index % PERIOD for index in range(200000 + 2 * PERIOD))

def numbers(payload):
    return [int.from_bytes(payload[at:at + 4], "big") for at in (0, 4, 8)]

def tail(client, number, length, shift):
    start = (client * 17 + number * 3 + shift) % PERIOD
    return TABLE[start:start + length]

def check(message, changed):
    client, number, length = numbers(message.payload)
    right = tail(client, number, length, 1 if changed and number % 2 == 0 else 0)
    if message.topic != f"bytes/{client}" or message.payload[12:] != right:
        raise ValueError(f"{message.topic}: message {number} of client {client}, {length} bytes")

@app.on_message_publish(topics=["bytes/#"])
def publish(message):
    check(message, False)
    client, number, length = numbers(message.payload)
    if number % 2 == 0:
        return message.replace(payload=message.payload[:12] + tail(client, number, length, 1))

@app.on_message_delivered(topics=["bytes/#"])
def delivered(event):
    check(event.message, True)
`

test('a handler in Python that falls behind and catches up has every byte as it was sent', async (t) => {
  if (requirement('python3', t) === undefined) return
  const folder = home(t, { 'main.py': handler })
  const config = {
    'exhook.working_directory': folder,
    'exhook.drivers.python3.call_timeout': '60s',
    'exhook.drivers.python3.pool_size': '2',
  }
  const broker = await createBroker({ listeners: [{ type: 'tcp' }], plugins: [{ plugin: driver, config }] })
  await broker.start()
  t.after(() => broker.stop(500))
  const provider = () => broker.admin.providers()[0]
  while (provider()?.status === 'loading') await pause(5)
  assert.equal(provider().status, 'loaded', String(provider().error))
  const command = broker.admin.commands().find(({ name }) => name === 'exhook')
  const { json } = (await command?.run(['drivers', 'list'])) ?? {}
  const [{ processIds }] = json as [{ readonly processIds: readonly number[] }]
  assert.equal(processIds.length, 2)

  await publishAll(t, broker, (behind) => fallBehind(processIds, behind))

  while (provider().counters.inFlight + provider().counters.queued > 0) await pause(10)
  const { counters } = provider()
  assert.deepEqual([counters.failures, counters.dropped], [0, 0])
})
