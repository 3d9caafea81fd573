import { topicNameError } from '@hookmq/api'

export const prefix = '$delayed/'

/** Seconds: from here on a number is a time, below it is a delay. Also the longest delay. */
const firstTime = 4_294_967

export interface Delayed {
  /** When it is due, milliseconds since the epoch. */
  readonly due: number
  readonly topic: string
}

/** Reads `$delayed/N/topic`. A text: what is wrong with it. `now`: milliseconds since the epoch. */
export function readDelayed(topic: string, now: number): Delayed | string {
  const [, number, inner] = /^\$delayed\/([^/]*)\/(.*)$/s.exec(topic) ?? []
  if (number === undefined || inner === undefined) return 'expected $delayed/<seconds>/<topic>'
  if (!/^\d{1,15}$/.test(number)) return `expected a number of seconds, got '${number.slice(0, 32)}'`
  const fault = topicNameError(inner)
  if (fault !== undefined) return `the topic behind $delayed/${number}/: ${fault.message}`
  if (inner.startsWith(prefix)) return 'a delayed message cannot be delayed again'
  const seconds = Number(number)
  if (seconds < firstTime) return { due: now + seconds * 1000, topic: inner }
  const due = seconds * 1000
  if (due - now > firstTime * 1000) return `${number} lies more than ${firstTime} seconds ahead`
  return { due: Math.max(due, now), topic: inner }
}
