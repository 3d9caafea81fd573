import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { generate, type IConnectPacket, type Packet, type PacketCmd, parser } from 'mqtt-packet'
import { toHex } from './hex.ts'
import { assertMatches } from './match.ts'
import { severalWorkers, workersSettled } from './workers.ts'

// Kept from before any test mocks the clock: waiting for a socket always takes real time.
const realSetTimeout = globalThis.setTimeout
const realClearTimeout = globalThis.clearTimeout

/** Milliseconds. Generous: it only says when to give up, no test measures against it. */
const patience = 10_000

export type Version = 3 | 4 | 5
export type ConnectSettings = Partial<Omit<IConnectPacket, 'cmd' | 'protocolVersion'>> & { version?: Version }
/** A packet as mqtt-packet parsed it; every field of every type may be there. */
export type Received = { cmd: PacketCmd } & Record<string, unknown>
export type Expected = Record<string, unknown>

let clientNumber = 0

/** A fresh client identifier. */
function newClientId(prefix = 'client'): string {
  return `${prefix}${++clientNumber}`
}

/**
 * One socket that speaks MQTT through mqtt-packet, a codec that shares nothing with the broker's. It acknowledges nothing by itself.
 */
export class RawClient {
  readonly version: Version
  readonly socket: Socket
  clientId = ''
  /** All bytes from the broker so far. */
  readonly bytes: Buffer[] = []
  connack: Received | undefined
  #parser
  #packets: Received[] = []
  #wake: (() => void)[] = []
  #bytesTaken = 0
  #ended = false
  #problem: Error | undefined

  constructor(socket: Socket, version: Version) {
    this.socket = socket
    this.version = version
    this.#parser = parser({ protocolVersion: version })
    this.#parser.on('packet', (packet) => this.#packets.push(packet as unknown as Received))
    this.#parser.on('error', (error) => {
      this.#problem = new Error(`mqtt-packet cannot read what the broker sent: ${String(error)}`)
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk) => {
      this.bytes.push(chunk)
      this.#parser.parse(chunk)
      this.#notify()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#ended = true
      this.#notify()
    })
  }

  /** A connected socket; nothing is sent. */
  static async open(port: number, version: Version = 5): Promise<RawClient> {
    const socket = createConnection({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return new RawClient(socket, version)
  }

  /** Connects with a CONNECT that is clean and has keep alive off unless `settings` says otherwise; CONNACK must say success. */
  static async connect(port: number, settings: ConnectSettings = {}): Promise<RawClient> {
    const client = await RawClient.open(port, settings.version ?? 5)
    client.sendConnect(settings)
    client.connack = await client.expect('connack')
    const code = client.connack.reasonCode ?? client.connack.returnCode
    const { reasonString = '' } = (client.connack.properties ?? {}) as { readonly reasonString?: string }
    assert.equal(code, 0, `CONNACK refuses ${client.clientId} with 0x${Number(code).toString(16)} ${reasonString}`)
    return client
  }

  sendConnect(settings: ConnectSettings = {}): void {
    const { version: _, ...rest } = settings
    const connect: IConnectPacket = {
      cmd: 'connect',
      protocolId: this.version === 3 ? 'MQIsdp' : 'MQTT',
      protocolVersion: this.version,
      clean: true,
      keepalive: 0,
      ...rest,
      clientId: rest.clientId ?? newClientId(),
    }
    this.clientId = connect.clientId
    this.send(connect)
  }

  send(...packets: (Packet | Uint8Array)[]): void {
    const encoded = packets.map((packet) =>
      packet instanceof Uint8Array ? packet : generate(packet, { protocolVersion: this.version }),
    )
    this.socket.write(Buffer.concat(encoded))
  }

  /** Number of packets that have come and were not asked for yet. */
  get pending(): number {
    return this.#packets.length
  }

  get closed(): boolean {
    return this.#ended
  }

  /** The next packet, whatever it is. */
  async next(awaited = 'a packet'): Promise<Received> {
    await this.#until(() => this.#packets.length > 0, awaited, true)
    const packet = this.#packets.shift()
    assert.ok(packet)
    return packet
  }

  /** The next packet, which must be of this type and have these fields. */
  async expect(cmd: PacketCmd, fields: Expected = {}): Promise<Received> {
    const packet = await this.next(`${cmd} ${JSON.stringify(fields)}`)
    assertMatches(packet, { cmd, ...fields }, `${this.clientId} awaited ${cmd}, got ${describe(packet)}`)
    return packet
  }

  /** Everything that comes before the answer to a PINGREQ sent now: what follows from packets that the broker has taken. */
  async settle(): Promise<Received[]> {
    const before = await this.#ping()
    if (!severalWorkers()) return before
    // What it sent may have gone to another worker, and come back from there.
    await workersSettled()
    return [...before, ...(await this.#ping())]
  }

  async #ping(): Promise<Received[]> {
    this.send({ cmd: 'pingreq' })
    const before: Received[] = []
    for (;;) {
      const packet = await this.next('pingresp')
      if (packet.cmd === 'pingresp') return before
      before.push(packet)
    }
  }

  /** Asserts that nothing more was sent to this client. */
  async expectNothing(): Promise<void> {
    assert.deepEqual((await this.settle()).map(describe), [], `${this.clientId} should have got nothing`)
  }

  /** Asserts the next bytes exactly; those of earlier calls do not count again. */
  async expectBytes(expected: Uint8Array, label = 'bytes'): Promise<void> {
    const from = this.#bytesTaken
    const enough = () => this.#byteCount() - from >= expected.length
    await this.#until(enough, `${label}: ${toHex(expected)}`, true).catch((error: unknown) => {
      throw new Error(`${(error as Error).message}\nbytes so far: ${toHex(Buffer.concat(this.bytes).subarray(from))}`)
    })
    const actual = Buffer.concat(this.bytes).subarray(from, from + expected.length)
    assert.equal(toHex(actual), toHex(expected), label)
    this.#bytesTaken = from + expected.length
    this.#packets.length = 0
  }

  /** Asserts that the broker closes without another packet. */
  async expectClose(): Promise<void> {
    await this.#until(() => this.#ended, 'the connection to be closed', false)
    assert.deepEqual(this.#packets.map(describe), [], `${this.clientId}: packets before the close`)
  }

  /** DISCONNECT with this code, then the end; for versions that have no such packet only the end. */
  async expectDisconnect(reasonCode: number): Promise<Received | undefined> {
    const packet = this.version === 5 ? await this.expect('disconnect', { reasonCode }) : undefined
    await this.expectClose()
    return packet
  }

  /** Sends DISCONNECT and waits for the end. */
  async disconnect(reasonCode = 0, properties?: Record<string, unknown>): Promise<void> {
    const packet = this.version === 5 ? { cmd: 'disconnect', reasonCode, properties } : { cmd: 'disconnect' }
    this.send(packet as Packet)
    await this.#until(() => this.#ended, 'the broker to close after DISCONNECT', false)
  }

  /** Vanishes without DISCONNECT. */
  destroy(): void {
    this.socket.resetAndDestroy()
  }

  #byteCount(): number {
    return this.bytes.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake()
  }

  async #until(condition: () => boolean, awaited: string, needsOpen: boolean): Promise<void> {
    let expired = false
    const timer = realSetTimeout(() => {
      expired = true
      this.#notify()
    }, patience)
    try {
      while (!condition()) {
        if (this.#problem !== undefined) throw this.#problem
        if (this.#ended && needsOpen) throw new Error(`${this.clientId}: closed while waiting for ${awaited}`)
        if (expired) throw new Error(`${this.clientId}: waited ${patience} ms in vain for ${awaited}`)
        await new Promise<void>((resolve) => this.#wake.push(resolve))
      }
    } finally {
      realClearTimeout(timer)
    }
  }
}

/** A packet in one line, for messages of failed tests. */
function describe(packet: Received): string {
  return JSON.stringify(packet, (key, value) => {
    if (key === 'length') return undefined
    return value?.type === 'Buffer' ? Buffer.from(value.data).toString() : value
  })
}
