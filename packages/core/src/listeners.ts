import type { Listener, ListenerHost, ListenerView } from '@hookmq/api'

interface Entry {
  readonly listener: Listener
  running: boolean
}

/** The listeners of one broker, by id. */
export class Listeners {
  readonly #host: ListenerHost
  readonly #entries = new Map<string, Entry>()

  constructor(host: ListenerHost) {
    this.#host = host
  }

  values(): Listener[] {
    return [...this.#entries.values()].map(({ listener }) => listener)
  }

  /** Binds it and keeps it. Rejects, with nothing kept, when it cannot listen. */
  async add(listener: Listener): Promise<void> {
    if (this.#entries.has(listener.id)) throw new Error(`there already is a listener ${listener.id}`)
    await listener.start(this.#host)
    this.#entries.set(listener.id, { listener, running: true })
  }

  /** false: no such listener. */
  async start(id: string): Promise<boolean> {
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    if (!entry.running) await entry.listener.start(this.#host)
    entry.running = true
    return true
  }

  async stop(id: string): Promise<boolean> {
    const entry = this.#entries.get(id)
    if (entry === undefined) return false
    if (entry.running) await entry.listener.stop()
    entry.running = false
    return true
  }

  async stopAll(): Promise<void> {
    for (const id of this.#entries.keys()) await this.stop(id)
  }

  views(): ListenerView[] {
    return [...this.#entries.values()].map(({ listener, running }) => ({
      id: listener.id,
      type: listener.id.slice(0, listener.id.indexOf(':')),
      address: listener.address,
      running,
      currentConnections: listener.currentConnections,
      maxConnections: listener.maxConnections,
      shutdownCount: listener.refused ?? {},
    }))
  }
}
