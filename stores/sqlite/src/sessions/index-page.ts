import type { SessionIndexPage } from '@hookmq/api'

/** A page of the index as the thread posts it: few large values are copied faster than many small ones. */
export interface PackedIndexPage extends Omit<SessionIndexPage, 'filters'> {
  readonly filters: string
}

/** No string of MQTT has this character in it. [MQTT-1.5.4-2] */
const separator = '\0'

export function unpack(page: PackedIndexPage): SessionIndexPage {
  return { ...page, filters: page.owners.length === 0 ? [] : page.filters.split(separator) }
}

/** Memory of the page that is given to who asked, not copied. */
export function memoryOf(answer: unknown): ArrayBuffer[] {
  if (typeof answer !== 'object' || answer === null || !('clientIds' in answer)) return []
  const { numbers, clientIds, dues, waiting, waitingBytes, inflight, owners, bits, identifiers } =
    answer as PackedIndexPage
  return [numbers, clientIds, dues, waiting, waitingBytes, inflight, owners, bits, identifiers].map(
    ({ buffer }) => buffer as ArrayBuffer,
  )
}
