export interface Share {
  /** `$share/name` or `$queue`: what keeps groups of one filter apart. */
  readonly prefix: string
  /** Group name; '$queue' for the implicit group of `$queue/filter`. */
  readonly name: string
  /** The filter that topics are matched with. [MQTT-4.8.2-2] */
  readonly filter: string
}

/** The parts of a shared filter; undefined for an ordinary one. Throws RangeError when group or filter is missing. */
export function parseShared(filter: string): Share | undefined {
  if (filter.charCodeAt(0) !== 0x24) return undefined
  if (filter.startsWith('$queue/')) {
    if (filter.length === 7)
      throw new RangeError(`shared filter ${JSON.stringify(filter)} lacks a filter after '$queue/'`)
    return { prefix: '$queue', name: '$queue', filter: filter.slice(7) }
  }
  if (!filter.startsWith('$share/')) return undefined
  const end = filter.indexOf('/', 7)
  if (end <= 7 || end === filter.length - 1) {
    throw new RangeError(`shared filter ${JSON.stringify(filter)} is not of the form $share/group/filter`)
  }
  return { prefix: filter.slice(0, end), name: filter.slice(7, end), filter: filter.slice(end + 1) }
}
