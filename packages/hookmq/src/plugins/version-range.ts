/** Three numbers; what is missing is a wildcard in a range. */
type Version = readonly [major: number, minor: number, patch: number]

const part = String.raw`(\d{1,9}|[xX*])`
const comparator = new RegExp(String.raw`^(\^|~|>=|<=|>|<|=)?\s*v?${part}(?:\.${part})?(?:\.${part})?(-[\w.-]+)?$`)

/** `1.2.3`, with an optional `-pre.release` that does not count here. */
export function readVersion(text: string): Version | undefined {
  const match = /^(\d{1,9})\.(\d{1,9})\.(\d{1,9})(?:[-+][\w.+-]+)?$/.exec(text)
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])]
}

/**
 * Whether a version is in a range as package.json writes it: `^0.1.0`, `~1.2`, `>=1.2 <3`, `1.x`, `*`, `1.2.3`, and several of them with `||` between.
 * @returns undefined when the text is no range
 */
export function inRange(version: Version, range: string): boolean | undefined {
  let matches = false
  for (const alternative of range.split('||')) {
    const comparators = alternative
      .trim()
      .replace(/([<>=^~])\s+/g, '$1')
      .split(/\s+/)
    let all = true
    for (const text of comparators) {
      const bounds = text === '' ? everything : readComparator(text)
      if (bounds === undefined) return undefined
      if (compare(version, bounds.from) < 0 || compare(version, bounds.below) >= 0) all = false
    }
    matches ||= all
  }
  return matches
}

interface Bounds {
  readonly from: Version
  readonly below: Version
}

const top = Number.MAX_SAFE_INTEGER
const everything: Bounds = { from: [0, 0, 0], below: [top, top, top] }

function readComparator(text: string): Bounds | undefined {
  const match = comparator.exec(text)
  if (match === null) return undefined
  const [, operator = '', ...numbers] = match
  const given = numbers
    .slice(0, 3)
    .map((number) => (number === undefined || /[xX*]/.test(number) ? undefined : Number(number)))
  const known = given.indexOf(undefined)
  const count = known === -1 ? 3 : known
  const from: Version = [given[0] ?? 0, count > 1 ? (given[1] ?? 0) : 0, count > 2 ? (given[2] ?? 0) : 0]
  if (count === 0)
    return operator === '<' || operator === '>' ? { from: everything.below, below: everything.below } : everything
  // What comes after everything that the text stands for: after 1.2 comes 1.3.
  const after = bump(from, count - 1)
  switch (operator) {
    case '>=':
      return { from, below: everything.below }
    case '>':
      return { from: after, below: everything.below }
    case '<':
      return { from: everything.from, below: from }
    case '<=':
      return { from: everything.from, below: after }
    case '~':
      return { from, below: bump(from, Math.min(1, count - 1)) }
    case '^': {
      // Up to the next change of the first number that is not 0.
      const first = from.findIndex((number) => number > 0)
      return { from, below: bump(from, first === -1 || first >= count ? count - 1 : first) }
    }
    default:
      return { from, below: after }
  }
}

function bump(version: Version, index: number): Version {
  return [
    version[0] + (index === 0 ? 1 : 0),
    index === 0 ? 0 : version[1] + (index === 1 ? 1 : 0),
    index < 2 ? 0 : version[2] + 1,
  ]
}

function compare(one: Version, other: Version): number {
  return one[0] - other[0] || one[1] - other[1] || one[2] - other[2]
}
