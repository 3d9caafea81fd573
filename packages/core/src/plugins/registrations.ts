import type { Command, HttpRoute } from '@hookmq/api'
import type { Registry } from './registry.ts'

/** A list whose items take the places of those that they are instead of. `alike`: the same thing in a newer form. */
class Listed<T> implements Registry<T> {
  items: readonly T[] = []
  readonly #changed: () => void
  readonly #alike: (one: T, other: T) => boolean
  readonly #check: (coming: T, others: readonly T[]) => void

  constructor(
    changed: () => void,
    alike: (one: T, other: T) => boolean,
    check: (coming: T, others: readonly T[]) => void,
  ) {
    this.#changed = changed
    this.#alike = alike
    this.#check = check
  }

  check(leaving: readonly T[], coming: readonly T[]): void {
    const others = this.items.filter((item) => !leaving.includes(item))
    for (const [index, item] of coming.entries()) this.#check(item, [...others, ...coming.slice(0, index)])
  }

  exchange(leaving: readonly T[], coming: readonly T[]): void {
    if (leaving.length === 0 && coming.length === 0) return
    const left = new Set(coming)
    const replaced = this.items.flatMap((item) => {
      if (!leaving.includes(item)) return [item]
      for (const successor of left) {
        if (!this.#alike(item, successor)) continue
        left.delete(successor)
        return [successor]
      }
      return []
    })
    this.items = [...replaced, ...left]
    this.#changed()
  }
}

/** Commands of one name as one. */
function together(name: string, commands: readonly Command[]): Command {
  const [first] = commands
  if (commands.length === 1 && first !== undefined) return first
  return {
    name,
    usage: commands.flatMap(({ usage }) => usage),
    run: (args) =>
      (
        commands.find(({ subcommand }) => subcommand !== undefined && subcommand === args[0]) ??
        commands.find(({ subcommand }) => subcommand === undefined)
      )?.run(args),
  }
}

/** Commands and HTTP endpoints that plugins and the broker itself offer; whoever serves them looks here. */
export class Registrations {
  readonly #listeners = new Set<() => void>()
  readonly commandRegistry: Registry<Command>
  readonly routeRegistry: Registry<HttpRoute>
  readonly #commands: Listed<Command>
  readonly #routes: Listed<HttpRoute>

  constructor() {
    const changed = (): void => {
      for (const listener of this.#listeners) listener()
    }
    this.#commands = new Listed<Command>(
      changed,
      (one, other) => one.name === other.name && one.subcommand === other.subcommand,
      checkCommand,
    )
    this.#routes = new Listed<HttpRoute>(changed, sameRoute, checkRoute)
    this.commandRegistry = this.#commands
    this.routeRegistry = this.#routes
  }

  /** One for each name: of those with the same subcommand, or none, the one registered last hides the others until it goes. */
  get commands(): readonly Command[] {
    const byName = new Map<string, Map<string | undefined, Command>>()
    for (const command of this.#commands.items) {
      const same = byName.get(command.name) ?? new Map<string | undefined, Command>()
      byName.set(command.name, same.set(command.subcommand, command))
    }
    return [...byName].map(([name, same]) => together(name, [...same.values()]))
  }

  get routes(): readonly HttpRoute[] {
    return this.#routes.items
  }

  addCommand(command: Command): () => void {
    return add(this.#commands, command)
  }

  addRoute(route: HttpRoute): () => void {
    return add(this.#routes, route)
  }

  /** Returns what ends it. */
  onChange(changed: () => void): () => void {
    this.#listeners.add(changed)
    return () => void this.#listeners.delete(changed)
  }
}

function add<T>(registry: Registry<T>, item: T): () => void {
  registry.check([], [item])
  registry.exchange([], [item])
  return () => registry.exchange([item], [])
}

function checkCommand(command: Command): void {
  if (!/^[a-z][\w-]*$/.test(command.name)) {
    throw new TypeError(`command name '${command.name}': expected one word of letters, digits, '_' and '-'`)
  }
}

function sameRoute(one: HttpRoute, other: HttpRoute): boolean {
  return one.method === other.method && one.path === other.path
}

function checkRoute(route: HttpRoute, others: readonly HttpRoute[]): void {
  if (!route.path.startsWith('/')) throw new TypeError(`route path '${route.path}' must begin with '/'`)
  if (others.some((other) => sameRoute(other, route))) {
    throw new Error(`there already is a route ${route.method} ${route.path}`)
  }
}
