import type { Command } from 'commander'
import type { ClientMessage } from '../client/options.ts'
import { HookmqError } from '../errors.ts'
import { addClientOptions, type ClientFlags, integer, seconds, userProperty } from './client-options.ts'

interface SubFlags extends ClientFlags {
  topic: string[]
  count?: number
  timeout?: number
  verbose?: boolean
  properties?: boolean
  newline: boolean
  retainAsPublished?: boolean
  local: boolean
  retained: boolean
  staleRetained?: boolean
}

const examples = `
Examples:
  hookmq sub -t 'greenhouse/+/temperature' -v          topic and message, one per line
  hookmq sub -t '#' -t '$SYS/#' -v                     everything, and the broker about itself
  hookmq sub -t state -C 1 -W 5                        one message, within five seconds
  hookmq sub -t '$share/workers/jobs' -q 1             share the messages with the other workers
  hookmq sub -t orders -q 1 -c -i till-1               a session that waits for this client while it is away

Exit code: 0 when stopped or after -C messages, 1 when refused or disconnected, 27 when -W ran out before -C messages came.`

export function addSub(program: Command): void {
  addClientOptions(program.command('sub'))
    .description('subscribe and print messages: a first try without other tools')
    .requiredOption('-t, --topic <filter>', 'topic filter; may be repeated', collect)
    .option('-C, --count <n>', 'end after this many messages', integer(1, 0xffffffff))
    .option('-W, --timeout <seconds>', 'end after this time', seconds)
    .option('-v, --verbose', 'print the topic before the message')
    .option('--properties', 'print QoS, retain flag and MQTT 5 properties too')
    .option('-N, --no-newline', 'no line end after each message')
    .option('--no-retained', 'leave out messages that were retained before')
    .option('--retain-as-published', 'MQTT 5: keep the retain flag as the publisher set it')
    .option('--no-local', 'MQTT 5: leave out what this client published')
    .option('--user-property <name=value>', 'MQTT 5 user property of SUBSCRIBE; may be repeated', userProperty, [])
    .addHelpText('after', examples)
    .action(async (flags: SubFlags) => {
      process.exitCode = await subscribe(flags)
    })
}

function collect(value: string, before: string[] = []): string[] {
  return [...before, value]
}

async function subscribe(flags: SubFlags): Promise<number> {
  let left = flags.count ?? Number.POSITIVE_INFINITY
  let finish: (code: number) => void = () => {}
  const finished = new Promise<number>((resolve) => {
    finish = resolve
  })
  const timer =
    flags.timeout === undefined
      ? undefined
      : setTimeout(() => finish(Number.isFinite(left) ? 27 : 0), flags.timeout * 1000)
  const stop = () => finish(0)
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  // `sub | head` closes the pipe: that is an end, not an error.
  process.stdout.once('error', stop)
  const { connectClient } = await import('./connect.ts')
  const client = await connectClient(flags, {
    receive(message) {
      // MQTT 5 has Retain Handling for it; of older versions the flag on the message is all there is.
      if (left <= 0 || (!flags.retained && message.retain && flags.protocolVersion !== 5)) return
      print(message, flags)
      left--
      if (left <= 0) finish(0)
    },
  }).catch((error: unknown) => {
    clearTimeout(timer)
    throw error
  })
  let lost: HookmqError | undefined
  void client.ended.then((end) => {
    if (end.reason !== 'closed') lost = new HookmqError('CONNECTION_LOST', `the connection ended: ${end.reason}`)
    finish(1)
  })
  try {
    const properties = flags.userProperty.length > 0 ? { userProperties: flags.userProperty } : {}
    for (const filter of flags.topic)
      await client.subscribe(filter, undefined, {
        qos: flags.qos,
        noLocal: !flags.local,
        retainAsPublished: flags.retainAsPublished === true,
        retainHandling: flags.retained ? 0 : 2,
        properties,
      })
    if (process.stderr.isTTY) process.stderr.write(`subscribed to ${flags.topic.join(', ')}; Ctrl-C ends\n`)
    const code = await finished
    if (lost !== undefined) throw lost
    await client.close()
    return code
  } catch (error) {
    client.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

function print(message: ClientMessage, flags: SubFlags): void {
  const before: string[] = []
  if (flags.properties === true) before.push(`qos=${message.qos} retain=${message.retain ? 1 : 0}`, describe(message))
  if (flags.verbose === true) before.push(message.topic)
  const start = before.filter((text) => text !== '').join(' ')
  if (start !== '') process.stdout.write(`${start} `)
  process.stdout.write(message.payload)
  if (flags.newline) process.stdout.write('\n')
}

function describe({ properties }: ClientMessage): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'userProperties') continue
    parts.push(`${name}=${value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)}`)
  }
  for (const [name, value] of properties.userProperties ?? []) parts.push(`${name}=${value}`)
  return parts.join(' ')
}
