import type { Command, HttpRoute } from '@hookmq/api'

/** Commands and HTTP endpoints that plugins and the broker itself offer; whoever serves them looks here. */
export class Registrations {
  #commands: readonly Command[] = []
  #routes: readonly HttpRoute[] = []
  readonly #listeners = new Set<() => void>()

  /** One for each name: the one registered last hides the others until it goes. */
  get commands(): readonly Command[] {
    const byName = new Map<string, Command>()
    for (const command of this.#commands) byName.set(command.name, command)
    return [...byName.values()]
  }

  get routes(): readonly HttpRoute[] {
    return this.#routes
  }

  addCommand(command: Command): () => void {
    if (!/^[a-z][\w-]*$/.test(command.name)) {
      throw new TypeError(`command name '${command.name}': expected one word of letters, digits, '_' and '-'`)
    }
    this.#commands = [...this.#commands, command]
    this.#changed()
    return () => {
      this.#commands = this.#commands.filter((other) => other !== command)
      this.#changed()
    }
  }

  addRoute(route: HttpRoute): () => void {
    if (!route.path.startsWith('/')) throw new TypeError(`route path '${route.path}' must begin with '/'`)
    const taken = this.#routes.some((other) => other.method === route.method && other.path === route.path)
    if (taken) throw new Error(`there already is a route ${route.method} ${route.path}`)
    this.#routes = [...this.#routes, route]
    this.#changed()
    return () => {
      this.#routes = this.#routes.filter((other) => other !== route)
      this.#changed()
    }
  }

  /** Returns what ends it. */
  onChange(changed: () => void): () => void {
    this.#listeners.add(changed)
    return () => void this.#listeners.delete(changed)
  }

  #changed(): void {
    for (const listener of this.#listeners) listener()
  }
}
