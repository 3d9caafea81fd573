import { type Alarm, type MessageInit, nodeOf } from '@hookmq/api'
import type { Clock } from './clock.ts'

/** Alarms that are over and still shown. */
const remembered = 1000

export interface AlarmOptions {
  readonly node: string
  /** The name of this process; '': there is only one. */
  readonly member: string
  readonly clock: Clock
  /** undefined: there is no $SYS tree. */
  readonly publish: ((message: MessageInit) => void) | undefined
}

/** What is wrong with the broker at present, and was: one of a name at a time. Told below `$SYS/brokers/NODE/alarms`. */
export class Alarms {
  readonly #options: AlarmOptions
  readonly #active = new Map<string, Alarm>()
  #over: Alarm[] = []

  constructor(options: AlarmOptions) {
    this.#options = options
  }

  /** Once more: nothing happens, but that its message and details are the new ones. */
  activate(name: string, message: string, details: Readonly<Record<string, unknown>> = {}): void {
    const before = this.#active.get(name)
    const { node, member, clock } = this.#options
    const activatedAt = before?.activatedAt ?? clock.now()
    const alarm: Alarm = { node: nodeOf(node, member), name, message, details, activatedAt }
    this.#active.set(name, alarm)
    if (before === undefined) this.#publish('activate', alarm)
  }

  /** Nothing happens when it is not active. */
  deactivate(name: string): void {
    const active = this.#active.get(name)
    if (active === undefined) return
    this.#active.delete(name)
    const alarm: Alarm = { ...active, deactivatedAt: this.#options.clock.now() }
    this.#over.push(alarm)
    if (this.#over.length > remembered) this.#over.shift()
    this.#publish('deactivate', alarm)
  }

  /** The latest comes first. */
  list(active: boolean): readonly Alarm[] {
    return (active ? [...this.#active.values()] : [...this.#over]).reverse()
  }

  /** Those that are over. */
  forget(): void {
    this.#over = []
  }

  /** Times are microseconds, as in EMQX. */
  #publish(what: string, { name, message, details, activatedAt, deactivatedAt }: Alarm): void {
    const { node, publish } = this.#options
    publish?.({
      topic: `$SYS/brokers/${node.replace(/[+#\0]/g, '_')}/alarms/${what}`,
      payload: JSON.stringify({
        name,
        message,
        details,
        activate_at: activatedAt * 1000,
        deactivate_at: deactivatedAt === undefined ? 'infinity' : deactivatedAt * 1000,
      }),
      qos: 0,
      retain: false,
      from: 'sys',
      headers: { protocol: 'internal', system: true },
    })
  }
}
