import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { after, describe, test } from 'node:test'
import type { Listener, ListenerHost, Logger, Transport, TransportHandler } from '../listener.ts'
import { until } from './recording-host.ts'

export interface ListenerSuiteOptions {
  /** 0 = no limit. */
  readonly maxConnections?: number
  readonly maxConnectRate?: number
  readonly maxConnectionsPerAddress?: number
}

/** How the suite makes a listener of one kind, and a client that speaks to it. */
export interface ListenerSuite {
  /** 'tcp' … as `Transport.socketType` has it. */
  readonly socketType: string
  /** The reason of `closed` when the peer ends the connection. */
  readonly closedReason: string
  /** Makes a listener on a free loopback address, not started. */
  create(
    options: ListenerSuiteOptions & { address?: string },
  ): Listener & { readonly refused: Readonly<Record<string, number>> }
  /** Opens a client: a stream of MQTT bytes. Rejects when it is refused on the way. */
  connect(address: string): Promise<Duplex>
  /** false: connections have no addresses, so a limit per address does not hold. */
  readonly hasAddresses?: boolean
  /** Connections that come and go in the last test; 2000 when left out. Less where a handshake costs milliseconds. */
  readonly cycles?: number
}

/** What every listener has to do. Call it from a test file of the listener. */
export function listenerSuite(name: string, suite: ListenerSuite): void {
  describe(`listener: ${name}`, () => {
    const stops: (() => Promise<void>)[] = []
    after(async () => {
      for (const stop of stops) await stop()
    })
    const start = async (options: ListenerSuiteOptions = {}, react: Reaction = echo): Promise<Running> => {
      const host = new SuiteHost(react)
      const listener = suite.create(options)
      await listener.start(host)
      stops.push(async () => {
        await listener.stop()
        for (const connection of host.connections) connection.transport.destroy()
      })
      return { host, listener }
    }
    /** A client and its connection on the other side. */
    const open = async ({ host, listener }: Running): Promise<{ client: Client; connection: Connection }> => {
      const known = host.connections.length
      const client = new Client(await suite.connect(listener.address))
      await until(() => host.connections.length > known, 'the connection is accepted')
      return { client, connection: host.connections[known] }
    }
    /** Whether a client gets in: whether it hears its echo. */
    const getsIn = async ({ listener }: Running): Promise<Client | undefined> => {
      const stream = await suite.connect(listener.address).catch(() => undefined)
      if (stream === undefined) return undefined
      const client = new Client(stream)
      client.write(Buffer.from('?'))
      await until(() => client.closed || client.count === 1, 'an echo or the end')
      return client.count === 1 ? client : undefined
    }

    test('a connection knows both its ends, its listener and its kind', async () => {
      const running = await start()
      const { connection } = await open(running)
      const { transport } = connection
      assert.equal(transport.socketType, suite.socketType)
      assert.equal(transport.listener, running.listener.id)
      assert.equal(transport.protocol, 'mqtt')
      assert.equal(transport.peerhost, '127.0.0.1')
      assert.equal(transport.sockhost, '127.0.0.1')
      assert.equal(transport.bufferedBytes, 0)
      if (suite.hasAddresses !== false) {
        assert.ok(transport.peerport > 0)
        assert.equal(transport.sockport, Number(running.listener.address.split(':').at(-1)))
      }
    })

    test('a port 0 is resolved', async () => {
      const { listener } = await start()
      assert.doesNotMatch(listener.address, /:0$/)
      assert.equal(listener.currentConnections, 0)
    })

    test('bytes go both ways, in order', async () => {
      const { client } = await open(await start())
      const sent: Buffer[] = []
      for (let index = 0; index < 500; index += 1) {
        const piece = Buffer.alloc(1 + ((index * 37) % 400), index % 251)
        sent.push(piece)
        client.write(piece)
      }
      const all = Buffer.concat(sent)
      await until(() => client.count >= all.length, 'all is echoed')
      assert.ok(client.bytes().equals(all))
    })

    test('connections do not get each other’s bytes', async () => {
      const running = await start()
      const clients = await Promise.all(
        Array.from({ length: 8 }, async () => new Client(await suite.connect(running.listener.address))),
      )
      const size = 20_000
      for (const [index, client] of clients.entries()) {
        for (let sent = 0; sent < size; sent += 1000) client.write(Buffer.alloc(1000, 65 + index))
      }
      for (const [index, client] of clients.entries()) {
        await until(() => client.count >= size, 'all is echoed')
        assert.ok(client.bytes().equals(Buffer.alloc(size, 65 + index)))
      }
    })

    test('a write beyond what the kernel takes is buffered, arrives whole, and then drains', async () => {
      const { client, connection } = await open(await start({}, silent))
      client.pause()
      const big = Buffer.alloc(16 * 1024 * 1024)
      for (let index = 0; index < big.length; index += 4096) big.writeUInt32BE(index, index)
      connection.transport.write(big)
      assert.ok(connection.transport.bufferedBytes > 0)
      assert.equal(connection.drains, 0)
      client.resume()
      await until(() => client.count >= big.length && connection.drains > 0, 'all arrives and drains')
      assert.equal(connection.transport.bufferedBytes, 0)
      assert.ok(client.bytes().equals(big))
    })

    test('small writes that pile up drain once they are gone', async () => {
      const { client, connection } = await open(await start({}, silent))
      const { transport } = connection
      client.pause()
      let written = 0
      while (transport.bufferedBytes < 300_000) {
        transport.write(Buffer.alloc(1000, 1))
        written += 1000
        if (written % 100_000 === 0) await turn()
      }
      const before = connection.drains
      client.resume()
      await until(() => client.count >= written && connection.drains > before, 'all arrives and drains')
      assert.ok(connection.drainedAt.every((bytes) => bytes === 0))
      // And again, with a single small write behind a pause.
      client.pause()
      const again = connection.drains
      let more = 0
      while (transport.bufferedBytes === 0 || more < 100_000) {
        transport.write(Buffer.alloc(10_000, 2))
        more += 10_000
        if (more % 1_000_000 === 0) await turn()
      }
      client.resume()
      await until(() => client.count >= written + more && connection.drains > again, 'it drains a second time')
    })

    test('nothing comes between pause and resume, and nothing is lost', async () => {
      const { client, connection } = await open(await start({}, silent))
      const { transport } = connection
      client.write(Buffer.alloc(100, 1))
      await until(() => connection.count === 100, 'the first bytes')
      transport.pause()
      const block = Buffer.alloc(50_000, 2)
      for (let index = 0; index < 20; index += 1) client.write(block)
      for (let index = 0; index < 20; index += 1) await turn()
      assert.equal(connection.count, 100)
      transport.resume()
      await until(() => connection.count === 100 + 20 * block.length, 'the rest')
    })

    test('pausing from within data holds what follows', async () => {
      const pauses: Reaction = (connection) => {
        if (connection.paused) connection.overlaps += 1
        connection.paused = true
        connection.transport.pause()
        setImmediate(() => {
          connection.paused = false
          connection.transport.resume()
        })
      }
      const { client, connection } = await open(await start({}, pauses))
      for (let index = 0; index < 200; index += 1) client.write(Buffer.alloc(1000, index))
      await until(() => connection.count === 200_000, 'all arrives')
      assert.equal(connection.overlaps, 0)
    })

    test('a client that does not read back-pressures without loss', async () => {
      const { client } = await open(await start())
      client.pause()
      const block = Buffer.alloc(64 * 1024, 7)
      for (let index = 0; index < 64; index += 1) client.write(block)
      for (let index = 0; index < 10; index += 1) await turn()
      client.resume()
      await until(() => client.count === 64 * block.length, 'all is echoed')
    })

    test('end sends what is queued first, then closes, once', async () => {
      const { client, connection } = await open(await start({}, silent))
      const { transport } = connection
      client.pause()
      const size = 4 * 1024 * 1024
      transport.write(Buffer.alloc(size, 3))
      transport.end()
      transport.end()
      transport.write(Buffer.from('too late'))
      client.resume()
      await until(() => client.closed && connection.reasons.length > 0, 'both sides close')
      assert.equal(client.count, size)
      assert.deepEqual(connection.reasons, [suite.closedReason])
    })

    test('after end the handler hears of nothing but the close', async () => {
      const { client, connection } = await open(await start({}, silent))
      connection.transport.end()
      client.write(Buffer.alloc(1000))
      await until(() => connection.reasons.length > 0, 'the close')
      assert.equal(connection.count, 0)
      assert.equal(connection.drains, 0)
    })

    test('end gives up on a client that does not read', async () => {
      const { client, connection } = await open(await start({}, silent))
      client.pause()
      connection.transport.write(Buffer.alloc(16 * 1024 * 1024))
      connection.transport.end(50)
      await until(() => connection.reasons.length > 0, 'the connection is given up')
      client.destroy()
    })

    test('destroy closes at once, later calls do nothing, closed comes once and not from within', async () => {
      const running = await start({}, silent)
      const { client, connection } = await open(running)
      const { transport } = connection
      transport.destroy()
      assert.deepEqual(connection.reasons, [])
      transport.write(Buffer.from('x'))
      transport.pause()
      transport.resume()
      transport.end()
      transport.destroy()
      await until(() => client.closed && connection.reasons.length > 0, 'both sides close')
      await turn()
      assert.deepEqual(connection.reasons, [suite.closedReason])
      assert.equal(connection.count, 0)
      await until(() => running.listener.currentConnections === 0, 'the connection is no longer counted')
    })

    test('destroy from within data', async () => {
      const { client, connection } = await open(await start({}, (connection) => connection.transport.destroy()))
      client.write(Buffer.alloc(10))
      client.write(Buffer.alloc(10))
      await until(() => connection.reasons.length > 0, 'the close')
      await turn()
      assert.equal(connection.calls, 1)
      assert.deepEqual(connection.reasons, [suite.closedReason])
    })

    test('the client ends', async () => {
      const { client, connection } = await open(await start())
      client.end(Buffer.from('bye'))
      await until(() => connection.reasons.length > 0 && client.closed, 'the close')
      assert.equal(connection.count, 3)
      assert.deepEqual(connection.reasons, [suite.closedReason])
    })

    test('the client vanishes', async () => {
      const { client, connection } = await open(await start())
      client.write(Buffer.from('x'))
      await until(() => client.count === 1, 'the echo')
      client.destroy()
      await until(() => connection.reasons.length > 0, 'the close')
      assert.equal(connection.reasons.length, 1)
    })

    test('a handler that throws loses its connection, with a log, and nothing else', async () => {
      const running = await start({}, (connection, chunk) => {
        if (chunk.includes('!')) throw new Error('broken handler')
        connection.transport.write(Buffer.from(chunk))
      })
      const other = await open(running)
      const { client, connection } = await open(running)
      client.write(Buffer.from('!'))
      await until(() => connection.reasons.length > 0 && client.closed, 'the close')
      assert.deepEqual(connection.reasons, ['internal_error'])
      assert.equal(running.host.errors.length, 1)
      other.client.write(Buffer.from('still here'))
      await until(() => other.client.count === 10, 'the echo of another connection')
    })

    test('a host that does not accept: the connection is closed, with a log', async () => {
      const running = await start()
      running.host.refuses = true
      const stream = await suite.connect(running.listener.address).catch(() => undefined)
      const client = stream === undefined ? undefined : new Client(stream)
      await until(() => client === undefined || client.closed, 'the close')
      assert.equal(running.host.errors.length, 1)
      running.host.refuses = false
      assert.ok(await getsIn(running))
      await until(() => running.listener.currentConnections === 1, 'only the second is counted')
    })

    test('maxConnections: one more is closed, counted, and let in when there is room', async () => {
      const running = await start({ maxConnections: 2 })
      assert.equal(running.listener.maxConnections, 2)
      const first = await getsIn(running)
      assert.ok(first)
      assert.ok(await getsIn(running))
      assert.equal(await getsIn(running), undefined)
      assert.equal(await getsIn(running), undefined)
      assert.equal(running.listener.currentConnections, 2)
      assert.equal(running.listener.refused.maxConnections, 2)
      assert.equal(running.host.connections.length, 2)
      first.destroy()
      await until(() => running.listener.currentConnections === 1, 'room')
      assert.ok(await getsIn(running))
    })

    test('maxConnectRate: what comes faster is closed and counted', async () => {
      const running = await start({ maxConnectRate: 0.001 })
      assert.ok(await getsIn(running))
      assert.equal(await getsIn(running), undefined)
      assert.equal(running.listener.refused.maxConnectRate, 1)
      assert.equal(running.listener.currentConnections, 1)
    })

    test('maxConnectionsPerAddress: one more is closed, counted, and let in when there is room', {
      skip: suite.hasAddresses === false && 'connections have no addresses',
    }, async () => {
      const running = await start({ maxConnectionsPerAddress: 1 })
      const first = await getsIn(running)
      assert.ok(first)
      assert.equal(await getsIn(running), undefined)
      assert.equal(running.listener.refused.maxConnectionsPerAddress, 1)
      await until(() => running.listener.currentConnections === 1, 'the refused one is not counted')
      first.destroy()
      await until(() => running.listener.currentConnections === 0, 'room')
      assert.ok(await getsIn(running))
    })

    test('an address in use: one line that names listener and address', async () => {
      const { listener } = await start()
      const second = suite.create({ address: listener.address })
      await assert.rejects(second.start(new SuiteHost(echo)), (error: Error) => {
        assert.match(error.message, /^listener [a-z]+:\w+: [^\n]+$/)
        const { address } = listener
        const port = address.slice(address.lastIndexOf(':') + 1)
        assert.ok(error.message.includes(port), error.message)
        return true
      })
    })

    test('stop frees the address, keeps open connections, and the listener starts again', async () => {
      const running = await start()
      const { client } = await open(running)
      const { address } = running.listener
      await running.listener.stop()
      await assert.rejects(suite.connect(address))
      client.write(Buffer.from('x'))
      await until(() => client.count === 1, 'the echo')
      await running.listener.start(running.host)
      assert.ok(await getsIn(running))
      await assert.rejects(running.listener.start(running.host), /started/)
      const successor = suite.create({ address })
      if (running.listener.address !== address) {
        await successor.start(running.host)
        await successor.stop()
      }
      await running.listener.stop()
      await running.listener.stop()
    })

    const cycles = suite.cycles ?? 2000
    test(`${cycles} connections come and go and leave nothing`, async () => {
      const running = await start()
      const resources = (): number =>
        process.getActiveResourcesInfo().filter((kind) => /Wrap|Timeout/.test(kind)).length
      const client = await getsIn(running)
      client?.destroy()
      await until(() => running.listener.currentConnections === 0, 'the first is gone')
      await turn()
      const before = resources()
      const cycle = async (index: number): Promise<void> => {
        const stream = await suite.connect(running.listener.address)
        const client = new Client(stream)
        client.write(Buffer.from('x'))
        // A third ends, a third vanishes, a third is gone before its echo.
        if (index % 3 !== 0) await until(() => client.count === 1, 'the echo')
        if (index % 3 === 1) client.end()
        else client.destroy()
        await until(() => client.closed, 'the close')
      }
      for (let index = 0; index < cycles; index += 40) {
        await Promise.all(Array.from({ length: 40 }, (_, offset) => cycle(index + offset)))
      }
      await until(() => running.listener.currentConnections === 0, 'all are gone')
      const { connections } = running.host
      await until(() => connections.every((connection) => connection.reasons.length === 1), 'each was told once')
      await until(() => resources() <= before, 'sockets and timers are freed')
    })
  })
}

interface Running {
  readonly host: SuiteHost
  readonly listener: Listener & { readonly refused: Readonly<Record<string, number>> }
}

type Reaction = (connection: Connection, chunk: Buffer) => void

// The chunk is only borrowed.
const echo: Reaction = (connection, chunk) => connection.transport.write(Buffer.from(chunk))
const silent: Reaction = () => {}

/** Stands in for the broker. */
class SuiteHost implements ListenerHost {
  readonly connections: Connection[] = []
  readonly errors: string[] = []
  refuses = false
  readonly log: Logger
  private readonly react: Reaction

  constructor(react: Reaction) {
    this.react = react
    const quiet = (): void => {}
    const log: Logger = {
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: (message) => this.errors.push(message),
      child: () => log,
    }
    this.log = log
  }

  accept(transport: Transport): TransportHandler {
    if (this.refuses) throw new Error('the host does not accept')
    const connection = new Connection(transport, this.react)
    this.connections.push(connection)
    return connection
  }
}

class Connection implements TransportHandler {
  readonly transport: Transport
  readonly reasons: string[] = []
  readonly drainedAt: number[] = []
  count = 0
  calls = 0
  drains = 0
  paused = false
  /** Data that came within a pause. */
  overlaps = 0
  private readonly react: Reaction

  constructor(transport: Transport, react: Reaction) {
    this.transport = transport
    this.react = react
  }

  data(chunk: Buffer): void {
    assert.equal(this.reasons.length, 0, 'data after closed')
    this.calls += 1
    this.count += chunk.length
    this.react(this, chunk)
  }

  drain(): void {
    assert.equal(this.reasons.length, 0, 'drain after closed')
    this.drains += 1
    this.drainedAt.push(this.transport.bufferedBytes)
  }

  closed(reason: string): void {
    this.reasons.push(reason)
  }
}

class Client {
  count = 0
  closed = false
  private readonly stream: Duplex
  private readonly chunks: Buffer[] = []

  constructor(stream: Duplex) {
    this.stream = stream
    stream.on('data', (chunk: Buffer) => {
      this.count += chunk.length
      this.chunks.push(chunk)
    })
    stream.on('error', () => {})
    const closed = (): void => {
      this.closed = true
    }
    stream.on('end', closed)
    stream.on('close', closed)
  }

  bytes(): Buffer {
    return Buffer.concat(this.chunks)
  }

  write(bytes: Buffer): void {
    this.stream.write(bytes)
  }

  end(bytes?: Buffer): void {
    this.stream.end(bytes)
  }

  pause(): void {
    this.stream.pause()
  }

  resume(): void {
    this.stream.resume()
  }

  destroy(): void {
    this.stream.destroy()
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
