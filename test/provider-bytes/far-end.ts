// An ExHook provider that looks at every byte of what it is asked and told: `node far-end.ts unary|stream`.
import { ok, serve, silentLogger } from '@hookmq/provider'
import { expectedOf, patterned, payloadOf, problemOf } from './pattern.ts'

export interface Seen {
  /** Numbers of the messages by topic, in the order in which they came. */
  readonly published: Readonly<Record<string, readonly number[]>>
  readonly delivered: Readonly<Record<string, readonly number[]>>
  readonly problems: readonly string[]
}

const published: Record<string, number[]> = {}
const delivered: Record<string, number[]> = {}
const problems: string[] = []

function look(topic: string, payload: Buffer, seen: Record<string, number[]>, expected: typeof payloadOf): void {
  const problem = problemOf(payload, topic, expected)
  if (problem !== undefined && problems.length < 20) problems.push(problem)
  const numbers = seen[topic] ?? []
  seen[topic] = numbers
  numbers.push(payload.length < 8 ? -1 : payload.readUInt32BE(4))
}

const server = await serve(
  {
    'message.publish': {
      topics: ['bytes/#'],
      handle({ topic, payload }) {
        look(topic, Buffer.from(payload), published, payloadOf)
        const bytes = Buffer.from(payload)
        if (bytes.length < 12 || bytes.readUInt32BE(4) % 2 === 1) return undefined
        return ok({ payload: patterned(bytes.readUInt32BE(0), bytes.readUInt32BE(4), 1, bytes.length - 12) })
      },
    },
    'message.delivered': {
      topics: ['bytes/#'],
      handle: ({ topic, payload }) => look(topic, Buffer.from(payload), delivered, expectedOf),
    },
  },
  { listen: 0, logger: silentLogger, stream: process.argv[2] === 'stream', signals: false },
)
process.on('message', () => process.send?.({ published, delivered, problems } satisfies Seen))
process.on('disconnect', () => process.exit())
process.send?.({ port: server.port })
