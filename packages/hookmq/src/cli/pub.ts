import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Properties } from '@hookmq/mqtt'
import type { Command } from 'commander'
import type { Client } from '../client/client.ts'
import { HookmqError, messageOf } from '../errors.ts'
import { addClientOptions, type ClientFlags, integer, userProperty } from './client-options.ts'

interface PubFlags extends ClientFlags {
  topic: string
  message?: string
  file?: string
  stdinLine?: boolean
  nullMessage?: boolean
  retain?: boolean
  contentType?: string
  responseTopic?: string
  correlationData?: string
  messageExpiry?: number
}

const examples = `
Examples:
  hookmq pub -t greenhouse/1/temperature -m 21.5
  hookmq pub -t state -m on -r -q 1                    retained, acknowledged
  hookmq pub -t state -n -r                            removes the retained message
  hookmq pub -t log -l < lines.txt                     one message per line
  hookmq pub -t a -m b --user-property unit=celsius --user-property source=cellar
  hookmq pub --url mqtts://broker.example:8883 --cafile ca.pem -u ann -P secret -t a -m b

Exit code: 0 when every message was sent (QoS 1, 2: accepted by the broker), 1 when not.`

export function addPub(program: Command): void {
  addClientOptions(program.command('pub'))
    .description('publish messages: a first try without other tools')
    .requiredOption('-t, --topic <topic>', 'topic to publish to')
    .option('-m, --message <text>', 'the message')
    .option('-f, --file <file>', "the message is this file's content")
    .option('-l, --stdin-line', 'one message for each line of standard input')
    .option('-n, --null-message', 'an empty message')
    .option('-r, --retain', 'the broker keeps the message for later subscribers')
    .option('--user-property <name=value>', 'MQTT 5 user property; may be repeated', userProperty, [])
    .option('--content-type <text>', 'MQTT 5 content type')
    .option('--response-topic <topic>', 'MQTT 5 response topic')
    .option('--correlation-data <text>', 'MQTT 5 correlation data')
    .option('--message-expiry <seconds>', 'MQTT 5 message expiry interval', integer(0, 0xffffffff))
    .addHelpText('after', examples)
    .action(async (flags: PubFlags) => publish(flags))
}

async function publish(flags: PubFlags): Promise<void> {
  const sources = [flags.message !== undefined, flags.file !== undefined, flags.stdinLine, flags.nullMessage]
  if (sources.filter(Boolean).length !== 1)
    throw new HookmqError('CONFIG_INVALID', 'say what to publish with exactly one of -m, -f, -l and -n')
  const payload = flags.file === undefined ? Buffer.from(flags.message ?? '') : readPayload(flags.file)
  const properties = propertiesOf(flags)
  const { connectClient } = await import('./connect.ts')
  const client = await connectClient(flags)
  try {
    const options = { qos: flags.qos, retain: flags.retain === true, properties }
    if (flags.stdinLine === true) await publishLines(client, flags.topic, options)
    else await client.publish(flags.topic, payload, options)
    await client.close()
  } catch (error) {
    client.destroy()
    throw error
  }
}

async function publishLines(client: Client, topic: string, options: Parameters<Client['publish']>[2]): Promise<void> {
  let ended = false
  void client.ended.then(() => {
    ended = true
  })
  // A bounded number on their way: the pipe waits when the broker is slower than it.
  const limit = 100
  const running = new Set<Promise<unknown>>()
  let failure: unknown
  for await (const line of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    const sending: Promise<unknown> = client
      .publish(topic, line, options)
      .catch((error: unknown) => {
        failure ??= error
      })
      .finally(() => running.delete(sending))
    running.add(sending)
    if (running.size >= limit) await Promise.race(running)
    if (failure !== undefined || ended) break
  }
  await Promise.all(running)
  if (failure !== undefined) throw failure
}

function readPayload(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new HookmqError('CONFIG_INVALID', `-f ${file}: ${messageOf(error)}`)
  }
}

function propertiesOf(flags: PubFlags): Properties {
  const properties: Properties = {}
  if (flags.userProperty.length > 0) properties.userProperties = flags.userProperty
  if (flags.contentType !== undefined) properties.contentType = flags.contentType
  if (flags.responseTopic !== undefined) properties.responseTopic = flags.responseTopic
  if (flags.correlationData !== undefined) properties.correlationData = Buffer.from(flags.correlationData)
  if (flags.messageExpiry !== undefined) properties.messageExpiryInterval = flags.messageExpiry
  if (Object.keys(properties).length > 0 && flags.protocolVersion !== 5)
    throw new HookmqError('CONFIG_INVALID', 'message properties exist only in MQTT 5; leave them out, or use -V 5')
  return properties
}
