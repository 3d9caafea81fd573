import type { MessageInit } from '@hookmq/api'
import type { Clock } from '../clock.ts'
import { formatDatetime, formatUptime } from './uptime.ts'

export interface SysOptions {
  readonly node: string
  readonly version: string
  /** Shown as `sysdescr`. Default 'HookMQ MQTT Broker'. */
  readonly description?: string
  /** Milliseconds between two rounds of everything; 0 = no $SYS tree at all. */
  readonly interval: number
  /** Milliseconds between two of uptime and datetime; 0 = never. */
  readonly heartbeat: number
  readonly clock: Clock
  /** Milliseconds since the epoch. Default: now. */
  readonly startedAt?: number
  /** Must not throw. */
  readonly publish: (message: MessageInit) => void
  /** Names of the nodes that run, this one included. */
  readonly nodes: () => readonly string[]
  /** Brings stats and metrics up to date; undefined: they are. Does not reject. */
  readonly refresh?: () => Promise<void> | undefined
  /** NAME.count and NAME.max, as Stats.snapshot gives them. */
  readonly stats: () => Readonly<Record<string, number>>
  /** As Metrics.snapshot gives them. */
  readonly metrics: () => Readonly<Record<string, number>>
}

/** Publishes what the broker knows about itself below `$SYS/brokers`. */
export class SysPublisher {
  readonly #options: SysOptions
  readonly #prefix: string
  readonly #startedAt: number
  #cancel: (() => void)[] = []

  constructor(options: SysOptions) {
    this.#options = options
    this.#prefix = `$SYS/brokers/${topicPart(options.node)}/`
    this.#startedAt = options.startedAt ?? options.clock.now()
  }

  /** Milliseconds since `startedAt`. */
  get uptime(): number {
    return Math.max(0, this.#options.clock.now() - this.#startedAt)
  }

  /** Publishes everything once, then on its timers. A second call changes nothing. */
  start(): void {
    const { interval, heartbeat, clock } = this.#options
    if (interval === 0 || this.#cancel.length !== 0) return
    this.#cancel.push(clock.every(interval, () => this.#round()))
    if (heartbeat !== 0) {
      this.#cancel.push(clock.every(heartbeat, () => this.#beat()))
      this.#beat()
    }
    this.#round()
  }

  stop(): void {
    for (const cancel of this.#cancel) cancel()
    this.#cancel = []
  }

  #round(): void {
    const fresh = this.#options.refresh?.()
    if (fresh === undefined) this.#publishAll()
    else
      void fresh.then(() => {
        if (this.#cancel.length !== 0) this.#publishAll()
      })
  }

  #publishAll(): void {
    const { node, nodes, version, description, stats, metrics } = this.#options
    const running = nodes()
    this.#publish('$SYS/brokers', (running.length === 0 ? [node] : running).join(','), true)
    this.#publish(`${this.#prefix}version`, version, true)
    this.#publish(`${this.#prefix}sysdescr`, description ?? 'HookMQ MQTT Broker', true)
    // As in EMQX 4: the dots of a stat stay, those of a metric become levels.
    for (const [name, value] of Object.entries(stats())) {
      this.#publish(`${this.#prefix}stats/${topicPart(name)}`, String(value), false)
    }
    for (const [name, value] of Object.entries(metrics())) {
      this.#publish(`${this.#prefix}metrics/${topicPart(name).replaceAll('.', '/')}`, String(value), false)
    }
  }

  #beat(): void {
    this.#publish(`${this.#prefix}uptime`, formatUptime(this.uptime), false)
    this.#publish(`${this.#prefix}datetime`, formatDatetime(this.#options.clock.now()), false)
  }

  #publish(topic: string, payload: string, retain: boolean): void {
    this.#options.publish({
      topic,
      payload,
      qos: 0,
      retain,
      from: 'sys',
      headers: { protocol: 'internal', system: true },
    })
  }
}

/** A name as it may stand in a topic name: a plugin is free to have a `+` in its own. */
function topicPart(name: string): string {
  return name.replace(/[+#\0]/g, '_')
}
