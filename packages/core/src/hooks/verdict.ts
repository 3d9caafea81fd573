import { type HookPointName, hookPointTable, type RefusalVerdict } from '@hookmq/api'
import { isReasonCodeAllowed, type PacketType } from '@hookmq/mqtt'
import { Refusal } from '../refusal.ts'

const verdictKeys = ['ok', 'stop', 'drop', 'reject', 'disconnect'] as const
type VerdictKey = (typeof verdictKeys)[number]

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function'
  )
}

/** The word of a verdict ('ok', 'stop' …); undefined when the value is none. */
export function verdictName(answer: unknown): VerdictKey | undefined {
  if (answer === 'ok' || answer === 'stop') return answer
  if (typeof answer !== 'object' || answer === null) return undefined
  return verdictKeys.find((key) => key in answer)
}

/** Which packet carries the reason code of a reject, per point. */
const rejectPacket: { readonly [P in HookPointName]?: PacketType } = {
  'client.connect': 'connack',
  'client.authenticate': 'connack',
  'client.post_authn': 'connack',
  'message.publish': 'puback',
}

/** What a point takes, in words, for the log line of a hook that answered otherwise. */
export function expectedVerdicts(point: HookPointName, phase: 'mutate' | 'sink'): string {
  if (phase === 'sink') return "nothing, 'ok', 'stop' or { drop: true }: a sink cannot change the message"
  const refusals: Record<RefusalVerdict, string> = {
    drop: '{ drop: true }',
    reject: '{ reject: code }',
    disconnect: '{ disconnect: code }',
  }
  const words = ["nothing, 'ok', { ok: value }, 'stop', { stop: value }"]
  for (const refusal of allowedRefusals(point)) words.push(refusals[refusal])
  return words.join(', ')
}

function allowedRefusals(point: HookPointName): RefusalVerdict[] {
  return Object.keys(hookPointTable[point].refusals) as RefusalVerdict[]
}

/** The refusal that a drop, reject or disconnect verdict means; a sentence when the point does not take it or it is malformed. */
export function readRefusal(
  point: HookPointName,
  phase: 'mutate' | 'sink',
  verdict: 'drop' | 'reject' | 'disconnect',
  answer: object,
  by: string,
): Refusal | string {
  if (!(verdict in hookPointTable[point].refusals) || (phase === 'sink' && verdict !== 'drop'))
    return `expected ${expectedVerdicts(point, phase)}; got { ${verdict} }`
  const value = (answer as Record<string, unknown>)[verdict]
  const { reason, serverReference } = answer as { readonly reason?: unknown; readonly serverReference?: unknown }
  if (reason !== undefined && typeof reason !== 'string') return `reason must be a string, got ${typeof reason}`
  if (serverReference !== undefined && typeof serverReference !== 'string')
    return `serverReference must be a string, got ${typeof serverReference}`
  if (verdict === 'drop') {
    if (value !== true) return `drop must be true, got ${String(value)}`
    return new Refusal('drop', 0x10, by, reason)
  }
  const packet = verdict === 'disconnect' ? 'disconnect' : rejectPacket[point]
  if (typeof value !== 'number' || packet === undefined) return `${verdict} must be a reason code, got ${typeof value}`
  // 0x00 closes a connection in an orderly way; every other code that refuses is an error.
  const refuses = value >= 0x80 || (verdict === 'disconnect' && value === 0)
  if (!refuses || !isReasonCodeAllowed(packet, value))
    return `${verdict} must be a reason code of ${packet.toUpperCase()} that refuses, got 0x${value.toString(16)}`
  return new Refusal(verdict, value, by, reason, serverReference)
}
