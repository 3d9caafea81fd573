import type { Packet } from 'mqtt-packet'
import { Connection } from './connection.ts'
import type { Ledger } from './ledger.ts'
import type { Random } from './random.ts'

/** A client that comes back: what it does between, and what it does again, is up to its kind. */
export abstract class Member {
  readonly clientId: string
  protected readonly ledger: Ledger
  protected readonly random: Random
  protected connection: Connection | undefined
  readonly #version: 4 | 5
  readonly #clean: boolean
  #known = false
  #attempt = 0
  #connecting = false
  #lastPacketId = 0

  constructor(clientId: string, version: 4 | 5, clean: boolean, ledger: Ledger, random: Random) {
    this.clientId = clientId
    this.#version = version
    this.#clean = clean
    this.ledger = ledger
    this.random = random
  }

  /** Settles when it is connected; rejects when that does not come about, which it may while brokers are killed. */
  async connect(port: number): Promise<void> {
    const attempt = ++this.#attempt
    this.connection?.destroy()
    this.connection = undefined
    const identity = { clientId: this.clientId, version: this.#version, clean: this.#clean }
    const early: Packet[] = []
    let connection: Connection | undefined
    const opened = await Connection.open(port, identity, {
      packet: (packet) => {
        if (connection === undefined) early.push(packet)
        else if (this.connection === connection) this.packet(connection, packet)
      },
      closed: () => {
        if (this.connection === connection) this.connection = undefined
      },
    })
    if (attempt !== this.#attempt) return opened.destroy()
    connection = opened
    this.connection = opened
    // Not the other way round: one whose CONNACK was lost is there.
    if (this.#known && !this.#clean && !opened.sessionPresent)
      this.ledger.violated(`${this.clientId}: its session is gone`)
    this.#known = true
    this.connected(opened)
    for (const packet of early) this.packet(opened, packet)
  }

  get here(): boolean {
    return this.connection !== undefined
  }

  /** Connects when it is not connected, and not about to be. */
  async comeBack(port: number): Promise<void> {
    if (this.connection !== undefined || this.#connecting) return
    this.#connecting = true
    // While a store fails, clients are refused; while brokers end, connections do.
    await this.connect(port).catch(() => {})
    this.#connecting = false
  }

  /** The connection is gone, without a word. */
  drop(): void {
    this.#attempt++
    this.connection?.destroy()
    this.connection = undefined
  }

  protected nextPacketId(taken: (id: number) => boolean): number {
    do this.#lastPacketId = (this.#lastPacketId % 0xffff) + 1
    while (taken(this.#lastPacketId))
    return this.#lastPacketId
  }

  protected abstract connected(connection: Connection): void
  protected abstract packet(connection: Connection, packet: Packet): void
}
