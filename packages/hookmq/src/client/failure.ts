import { type Properties, reasonCodeName } from '@hookmq/mqtt'
import { HookmqError } from '../errors.ts'
import type { ClientEnd } from './options.ts'

export function lost(end: ClientEnd): HookmqError {
  return new HookmqError('CONNECTION_LOST', `the connection ended: ${end.reason}`, { reasonCode: end.reasonCode })
}

export function explainReason(reasonCode: number, properties: Properties): string {
  const code = `0x${reasonCode.toString(16).padStart(2, '0')} ${reasonCodeName(reasonCode)}`
  return properties.reasonString === undefined ? code : `${code} (${properties.reasonString})`
}

export function refuse(reasonCode: number, doing: string, properties: Properties): void {
  if (reasonCode < 0x80) return
  throw new HookmqError('REQUEST_REFUSED', `${doing} was refused: ${explainReason(reasonCode, properties)}`, {
    reasonCode,
  })
}
