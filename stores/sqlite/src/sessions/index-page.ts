import type { SessionIndexPage } from '@hookmq/api'

/** A page of the index as the thread posts it: few large values are copied faster than many small ones. */
export interface PackedIndexPage extends Omit<SessionIndexPage, 'filters'> {
  /** UTF-8, a zero byte behind each: no string of MQTT has it. [MQTT-1.5.4-2] */
  readonly filters: Uint8Array
}

/** Each filter on its own: parts of one long string would be slow keys of a map. */
export function unpack(page: PackedIndexPage): SessionIndexPage {
  const bytes = Buffer.from(page.filters.buffer, page.filters.byteOffset, page.filters.byteLength)
  const filters: string[] = new Array(page.owners.length)
  for (let index = 0, start = 0; index < filters.length; index++) {
    const end = bytes.indexOf(0, start)
    filters[index] = bytes.toString('utf8', start, end)
    start = end + 1
  }
  return { ...page, filters }
}

/** Memory of the page that is given to who asked, not copied. */
export function memoryOf(answer: unknown): ArrayBuffer[] {
  if (typeof answer !== 'object' || answer === null || !('clientIds' in answer)) return []
  const { numbers, clientIds, dues, waiting, waitingBytes, inflight, owners, filters, bits, identifiers } =
    answer as PackedIndexPage
  return [numbers, clientIds, dues, waiting, waitingBytes, inflight, owners, filters, bits, identifiers].map(
    ({ buffer }) => buffer as ArrayBuffer,
  )
}
