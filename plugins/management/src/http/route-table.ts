import type { Endpoint } from './endpoint.ts'

interface Branch {
  readonly literals: Map<string, Branch>
  /** For a named part; one branch for all names, the endpoints know theirs. */
  named?: Branch
  /** By method. */
  readonly endpoints: Map<string, Entry>
}

interface Entry {
  readonly endpoint: Endpoint
  readonly names: readonly string[]
}

export type Match =
  | { readonly endpoint: Endpoint; readonly params: Readonly<Record<string, string>> }
  /** The path is known, the method is not. */
  | { readonly methods: readonly string[] }

/** Endpoints by path, part for part. A literal part wins over a named one. */
export class RouteTable {
  readonly #root = branch()
  readonly #list: Endpoint[] = []

  /** Those that are hidden by an earlier one with the same method and path. */
  readonly hidden: Endpoint[] = []

  constructor(endpoints: Iterable<Endpoint>) {
    for (const endpoint of endpoints) this.#add(endpoint)
  }

  get endpoints(): readonly Endpoint[] {
    return this.#list
  }

  /** `parts` of the path, decoded. */
  match(method: string, parts: readonly string[]): Match | undefined {
    const values: string[] = []
    const found = find(this.#root, parts, 0, values)
    if (found === undefined) return undefined
    const entry = found.endpoints.get(method)
    if (entry === undefined) return { methods: [...found.endpoints.keys()] }
    const params: Record<string, string> = Object.create(null)
    for (const [index, name] of entry.names.entries()) params[name] = values[index] ?? ''
    return { endpoint: entry.endpoint, params }
  }

  #add(endpoint: Endpoint): void {
    let place = this.#root
    const names: string[] = []
    for (const part of partsOf(endpoint.path)) {
      if (part.startsWith(':')) {
        names.push(part.slice(1))
        place.named ??= branch()
        place = place.named
      } else {
        let next = place.literals.get(part)
        if (next === undefined) {
          next = branch()
          place.literals.set(part, next)
        }
        place = next
      }
    }
    if (place.endpoints.has(endpoint.method)) {
      this.hidden.push(endpoint)
      return
    }
    place.endpoints.set(endpoint.method, { endpoint, names })
    this.#list.push(endpoint)
  }
}

/** `/a/b` is ['a', 'b']; a slash at the end does not count. */
export function partsOf(path: string): string[] {
  const inner = path.replace(/^\//, '').replace(/\/$/, '')
  return inner === '' ? [] : inner.split('/')
}

function branch(): Branch {
  return { literals: new Map(), endpoints: new Map() }
}

/** Fills `values` with the parts that named ones stand for. */
function find(place: Branch, parts: readonly string[], index: number, values: string[]): Branch | undefined {
  const part = parts[index]
  if (part === undefined) return place.endpoints.size > 0 ? place : undefined
  const literal = place.literals.get(part)
  const found = literal === undefined ? undefined : find(literal, parts, index + 1, values)
  if (found !== undefined || place.named === undefined || part === '') return found
  const { length } = values
  values.push(part)
  const below = find(place.named, parts, index + 1, values)
  if (below === undefined) values.length = length
  return below
}
