import { CarriedMessage, changesOnly } from './message.ts'

/** A handler's answer as little as it can be sent: nothing when it changes nothing, of a message only what has changed. */
export function shortVerdict(answer: unknown, accumulator: unknown): unknown {
  if (answer === undefined || answer === 'ok' || typeof answer !== 'object' || answer === null) {
    return answer === 'ok' ? undefined : answer
  }
  if ('ok' in answer) {
    const next = changed(answer.ok, accumulator)
    return next === accumulator ? undefined : { ok: next }
  }
  if ('stop' in answer) {
    const next = changed(answer.stop, accumulator)
    return next === accumulator ? 'stop' : { stop: next }
  }
  return answer
}

function changed(next: unknown, accumulator: unknown): unknown {
  if (!(accumulator instanceof CarriedMessage)) return next
  return changesOnly(accumulator, next) ?? accumulator
}
