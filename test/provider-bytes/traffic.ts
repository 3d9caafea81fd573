import assert from 'node:assert/strict'
import type { HookmqBroker } from 'hookmq'
import mqtt from 'mqtt'
import { pause, until } from '../support/wait.ts'
import { each, expectedOf, payloadOf, problemOf, smallOnes } from './pattern.ts'

export const clients = 16

export const numbers = Array.from({ length: each }, (_, index) => index)

/** Processes that read nothing, then a little at a time, then all that is left. */
export async function fallBehind(processIds: readonly number[], behind: () => boolean): Promise<void> {
  const tell = (signal: 'SIGSTOP' | 'SIGCONT'): void => {
    for (const processId of processIds) process.kill(processId, signal)
  }
  tell('SIGSTOP')
  try {
    await until(behind, 'events that wait')
    for (let look = 0; look < 20; look++) {
      tell('SIGCONT')
      await pause(2)
      tell('SIGSTOP')
      await pause(25)
    }
  } finally {
    tell('SIGCONT')
  }
}

/** Messages of several clients at once, each checked byte for byte when it comes out of the broker. `meanwhile` runs beside the small ones, and again beside the others. */
export async function publishAll(
  scope: { after(run: () => void): void },
  broker: HookmqBroker,
  meanwhile: (behind: () => boolean) => Promise<void>,
): Promise<void> {
  const url = `mqtt://${broker.listeners[0].address}`
  const connect = async (clientId: string) => {
    const client = await mqtt.connectAsync(url, { clientId, protocolVersion: 5, reconnectPeriod: 0 })
    scope.after(() => void client.end(true))
    return client
  }
  const wrong = Promise.withResolvers<never>()
  // Whoever waits learns of it; when nobody does, it is no rejection that nobody has handled.
  wrong.promise.catch(() => {})
  const got = new Map<string, number[]>()
  let count = 0
  const subscriber = await connect('subscriber')
  subscriber.on('message', (topic, payload) => {
    const problem = problemOf(payload, topic, expectedOf)
    if (problem !== undefined) wrong.reject(new Error(problem))
    const seen = got.get(topic) ?? []
    got.set(topic, seen)
    seen.push(payload.readUInt32BE(4))
    count++
  })
  await subscriber.subscribeAsync('bytes/#', { qos: 1 })
  const publishers = await Promise.all(Array.from({ length: clients }, (_, index) => connect(`publisher-${index}`)))
  for (const client of [subscriber, ...publishers])
    client.on('close', () => wrong.reject(new Error(`${client.options.clientId}: its connection was closed`)))
  const sent: Promise<unknown>[] = []
  const publish = (number: number): void => {
    for (const [index, client] of publishers.entries())
      sent.push(client.publishAsync(`bytes/${index}`, payloadOf(index, number), { qos: 1 }))
  }
  const behind = () => sent.length - count > clients * 20
  const all = async (): Promise<void> => {
    publish(0)
    await until(() => count === clients, 'the first messages')
    const small = meanwhile(behind)
    for (let number = 1; number < smallOnes; number++) {
      publish(number)
      await pause(1)
    }
    await Promise.all([...sent, small])
    for (let number = smallOnes; number < each; number++) publish(number)
    await Promise.all([...sent, meanwhile(behind)])
    await until(() => count >= clients * each, 'all messages')
  }
  await Promise.race([all(), wrong.promise])
  for (let index = 0; index < clients; index++) assert.deepEqual(got.get(`bytes/${index}`), numbers)
}
