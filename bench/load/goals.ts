import type { Result } from './measure.ts'

type Figure = Exclude<keyof Result, 'rate' | 'mebibytes'>

/** `figure` of HookMQ in `trial` is to be at most `times` that of another broker, or of itself elsewhere. */
export interface Goal {
  readonly trial: string
  readonly figure: Figure
  readonly times: number
  /** Default: hookmq, in the trial. */
  readonly of?: string
  readonly against: { readonly broker: string; readonly trial?: string }
}

const mosquitto = { broker: 'mosquitto' }
const nats = { broker: 'nats-server' }
const aedes = { broker: 'aedes' }
const small = [16, 256]

function cpu(trial: string, against: Goal['against'], times: number): Goal {
  return { trial, figure: 'microseconds', against, times }
}

/** What HookMQ means to reach. */
export const goals: readonly Goal[] = [
  ...['pairs', '10 to 1', '1 to 100'].flatMap((shape) =>
    small.flatMap((size) => [
      cpu(`${shape}, QoS 0, ${size} B`, nats, 1),
      cpu(`${shape}, QoS 0, ${size} B`, mosquitto, 0.15),
    ]),
  ),
  ...['pairs', '10 to 1'].flatMap((shape) => [
    cpu(`${shape}, QoS 0, 4096 B`, nats, 0.6),
    cpu(`${shape}, QoS 0, 4096 B`, mosquitto, 0.5),
  ]),
  ...small.map((size) => cpu(`pairs, QoS 1, ${size} B`, mosquitto, 0.2)),
  cpu('pairs, QoS 2, 256 B', mosquitto, 0.2),
  cpu('500 pairs, one message at a time', mosquitto, 1.15),
  ...['hookmq with a hook', 'hookmq with a hook that ignores payloads'].map((of) => ({
    ...cpu('pairs, QoS 0, 256 B, a hook on message.publish', { broker: 'hookmq' }, 1.25),
    of,
  })),
  cpu('100,000 wildcard subscriptions, per publish', mosquitto, 0.3),
  cpu(
    '100,000 wildcard subscriptions, per publish',
    { broker: 'hookmq', trial: '1,000 wildcard subscriptions, per publish' },
    1.3,
  ),
  { trial: '100,000 wildcard subscriptions, per publish', figure: 'bytes', against: mosquitto, times: 2 },
  cpu('read of 10,000 retained messages, per message', mosquitto, 0.4),
  cpu('5,000 connections', aedes, 0.3),
  { trial: '5,000 connections', figure: 'bytes', against: aedes, times: 0.25 },
  { trial: '10 to 1 at 5,000 messages/s, QoS 0, 64 B', figure: 'half', against: mosquitto, times: 1.3 },
  { trial: '10 to 1 at 5,000 messages/s, QoS 0, 64 B', figure: 'ninetyNine', against: mosquitto, times: 1.3 },
]

const words: Readonly<Record<Figure, string>> = {
  microseconds: 'CPU',
  bytes: 'memory',
  half: 'median latency',
  ninetyNine: 'p99 latency',
}

/** Medians by trial and broker. */
export type Medians = (trial: string, broker: string) => Result | undefined

/** The table of the goals whose figures were measured; '' when there is none. */
export function goalTable(medians: Medians): string {
  const lines: string[] = []
  for (const { trial, figure, times, of = 'hookmq', against } of goals) {
    const own = medians(trial, of)?.[figure]
    const other = medians(against.trial ?? trial, against.broker)?.[figure]
    if (own === undefined || other === undefined || !(other > 0)) continue
    const ratio = own / other
    const who = of === 'hookmq' ? trial : `${trial} (${of})`
    const to = against.trial === undefined ? against.broker : `itself: ${against.trial}`
    lines.push(
      `| ${who} | ${words[figure]} | ${to} | ${ratio.toFixed(2)} | ${times} | ${ratio <= times ? 'yes' : 'no'} |`,
    )
  }
  if (lines.length === 0) return ''
  return `| scenario | figure | beside | times as much | goal, at most | reached |\n|---|---|---|---|---|---|\n${lines.join('\n')}`
}
