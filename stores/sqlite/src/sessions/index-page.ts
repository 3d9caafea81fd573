import type { SessionIndexPage } from '@hookmq/api'

/** A page of the index as the thread posts it: few large values are copied faster than many small ones. */
export interface PackedIndexPage {
  readonly numbers: Float64Array
  readonly clientIds: string
  readonly dues: Float64Array
  readonly owners: Uint32Array
  readonly filters: string
  readonly bits: Uint8Array
  readonly identifiers: Uint32Array
}

/** No string of MQTT has this character in it. [MQTT-1.5.4-2] */
const separator = '\0'

export function pack({
  numbers,
  clientIds,
  dues,
  owners,
  filters,
  bits,
  identifiers,
}: SessionIndexPage): PackedIndexPage {
  return {
    numbers: Float64Array.from(numbers),
    clientIds: clientIds.join(separator),
    dues: Float64Array.from(dues),
    owners: Uint32Array.from(owners),
    filters: filters.join(separator),
    bits: Uint8Array.from(bits),
    identifiers: Uint32Array.from(identifiers),
  }
}

export function unpack({
  numbers,
  clientIds,
  dues,
  owners,
  filters,
  bits,
  identifiers,
}: PackedIndexPage): SessionIndexPage {
  return {
    numbers: Array.from(numbers),
    clientIds: numbers.length === 0 ? [] : clientIds.split(separator),
    dues: Array.from(dues),
    owners: Array.from(owners),
    filters: owners.length === 0 ? [] : filters.split(separator),
    bits: Array.from(bits),
    identifiers: Array.from(identifiers),
  }
}
