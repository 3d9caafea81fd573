/** Topic aliases that this broker assigns towards one client: the first topics get one each, and keep it. */
export class OutgoingAliases {
  readonly #aliases = new Map<string, number>()
  readonly #maximum: number

  /** `maximum` is what the client allows. [MQTT-3.1.2-26] */
  constructor(maximum: number) {
    this.#maximum = maximum
  }

  get(topic: string): number | undefined {
    return this.#aliases.get(topic)
  }

  /** The alias that `assign` would give. undefined: all are taken. */
  next(topic: string): number | undefined {
    return this.#aliases.get(topic) ?? (this.#aliases.size >= this.#maximum ? undefined : this.#aliases.size + 1)
  }

  /** Assigns the next alias. undefined: all are taken. */
  assign(topic: string): number | undefined {
    if (this.#aliases.size >= this.#maximum) return undefined
    const alias = this.#aliases.size + 1
    this.#aliases.set(topic, alias)
    return alias
  }
}
