import type { CommandResult } from '@hookmq/api'

/** `name      : value`, the name padded to a width. */
export function field(name: string, value: unknown, width: number): string {
  return `${name.padEnd(width)}: ${String(value)}`
}

/** The fields of `Name(id, a=1, b=2)`; an Erlang program prints what is missing as undefined. */
export function record(name: string, first: string, fields: Readonly<Record<string, unknown>>): string {
  return `${name}(${[first, ...Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`)].join(', ')})`
}

/** `[{cause,3}]`, without what has not happened. */
export function tuples(values: Readonly<Record<string, number>>): string {
  return `[${Object.entries(values)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `{${name},${count}}`)
    .join(',')}]`
}

/** An address of a peer as `ip:port`. */
export function peer(host: string, port: number): string {
  return `${host}:${port}`
}

/** Whole seconds of a time in milliseconds. */
export function seconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.floor(milliseconds / 1000)
}

export function say(...lines: string[]): CommandResult {
  return { lines }
}

export const notFound: CommandResult = { lines: ['Not Found.'], json: { error: 'not_found' } }

/** Entries that are looked at before others get their turn: a list of a million must not stop the broker. */
const batch = 500

/** Takes what is wanted of each value, and gives way to the event loop now and then. `undefined` leaves one out. */
export async function collect<Value, Taken>(
  values: Iterable<Value>,
  take: (value: Value) => Taken | undefined,
): Promise<Taken[]> {
  const taken: Taken[] = []
  let seen = 0
  for (const value of values) {
    const one = take(value)
    if (one !== undefined) taken.push(one)
    if (++seen % batch === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  return taken
}

/** A list as lines or as JSON; neither is made before it is asked for. */
export function list<Item>(
  items: readonly Item[],
  line: (item: Item) => string | readonly string[],
  json: (item: Item) => unknown = (item) => item,
): CommandResult {
  return {
    get lines() {
      return items.flatMap(line)
    },
    get json() {
      return items.map(json)
    },
  }
}
