import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publish, subscribe } from '../support/actions.ts'
import { RawClient, type Received } from '../support/raw-client.ts'
import { idAt, startTwo } from './support.ts'

const kept = { clean: false, properties: { sessionExpiryInterval: 300 } }
const rounds = 4

/** Publishes without end, and answers what the broker says; `acknowledged` are done. */
class Publisher {
  readonly client: RawClient
  readonly acknowledged: string[] = []
  sent = 0
  readonly #topic: string
  #stopping = false
  readonly #waiting = new Map<number, string>()
  readonly ended: Promise<void>

  constructor(client: RawClient, topic: string) {
    this.client = client
    this.#topic = topic
    this.ended = this.#run()
  }

  stop(): Promise<void> {
    this.#stopping = true
    return this.ended
  }

  async #run(): Promise<void> {
    while (!this.#stopping || this.#waiting.size > 0) {
      while (!this.#stopping && this.#waiting.size < 20) {
        const payload = `${++this.sent}`
        this.#waiting.set(publish(this.client, this.#topic, payload, { qos: this.sent % 2 === 0 ? 1 : 2 }), payload)
      }
      const { cmd, messageId } = await this.client.next()
      if (cmd === 'pubrec') this.client.send({ cmd: 'pubrel', messageId: messageId as number })
      else {
        this.acknowledged.push(this.#waiting.get(messageId as number) ?? 'unknown')
        this.#waiting.delete(messageId as number)
      }
    }
  }
}

test('a stored session gets each message once, however often its worker is killed while they come in', async (t) => {
  const broker = await startTwo(t, ['--set', 'zone.external.max_mqueue_len=0'])
  const clientId = idAt(2)
  const sleeper = await RawClient.connect(broker.port, { clientId, ...kept })
  await subscribe(sleeper, 'many', { qos: 2 })
  await sleeper.disconnect()
  const publisher = new Publisher(await broker.connect(1), 'many')
  for (let round = 1; round <= rounds; round++) {
    const before = publisher.acknowledged.length
    while (publisher.acknowledged.length < before + 50) await new Promise((resolve) => setImmediate(resolve))
    const pid = broker.pid(2)
    process.kill(pid, 'SIGKILL')
    await broker.command.shows(new RegExp(`("worker":"worker2","msg":"a worker is back"[^]*){${round}}`))
  }
  await publisher.stop()
  const again = await RawClient.connect(broker.port, { clientId, ...kept })
  assert.equal(again.connack?.sessionPresent, true)
  const got: string[] = []
  while (got.length < publisher.sent) {
    const packet: Received = await again.next()
    const messageId = packet.messageId as number
    if (packet.cmd === 'pubrel') again.send({ cmd: 'pubcomp', messageId })
    else {
      got.push(String(packet.payload))
      again.send({ cmd: packet.qos === 2 ? 'pubrec' : 'puback', messageId })
    }
  }
  const all = Array.from({ length: publisher.sent }, (_, index) => String(index + 1))
  assert.deepEqual(got, all, 'each of them once, and in order')
  assert.equal(publisher.acknowledged.length, publisher.sent)
})
