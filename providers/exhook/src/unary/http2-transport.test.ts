import assert from 'node:assert/strict'
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { RecordingProvider } from '../testing/recording-provider.ts'
import { GrpcError, GrpcStatus } from './grpc-status.ts'
import { deadlineText, Http2Transport, placeOf } from './http2-transport.ts'
import { frameOf } from './reply-reader.ts'

// A server on bare HTTP/2, because a library would not make these mistakes.

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, body: Buffer) => void

interface Far {
  readonly server: Http2Server
  readonly sessions: ServerHttp2Session[]
  readonly sockets: Socket[]
  readonly transport: Http2Transport
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: Buffer }[]
  handler: Handler
  call(options?: { key?: string; deadline?: number; timeout?: number }): ReturnType<Http2Transport['call']>
}

const path = '/emqx.exhook.v3.HookProvider/OnClientAuthorize'
const request = Buffer.from('request')

async function listen(server: Http2Server, port = 0): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

async function start(t: TestContext, handler: Handler, { size = 1, maxReply = 1000 } = {}): Promise<Far> {
  const server = createServer()
  const sessions: ServerHttp2Session[] = []
  const requests: Far['requests'] = []
  const sockets: Socket[] = []
  server.on('connection', (socket) => void sockets.push(socket))
  server.on('session', (session) => void sessions.push(session))
  server.on('sessionError', () => {})
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {})
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
    stream.on('end', () => {
      const body = Buffer.concat(chunks)
      requests.push({ headers, body })
      far.handler(stream, headers, body)
    })
  })
  const port = await listen(server)
  const transport = new Http2Transport({
    scheme: 'http',
    host: `127.0.0.1:${port}`,
    size,
    open: () => connect({ host: '127.0.0.1', port }),
    userAgent: 'test/1',
    maxReply,
    window: 65_535,
  })
  const far: Far = {
    server,
    sessions,
    sockets,
    transport,
    requests,
    handler,
    call: ({ key = 'c', deadline = 10_000, timeout = 10_000 } = {}) =>
      transport.call(path, request, { key, deadline, timeout }),
  }
  t.after(() => {
    transport.close()
    for (const session of sessions) session.destroy()
    server.close()
  })
  return far
}

const good: Record<string, string> = { ':status': '200', 'content-type': 'application/grpc' }

/** An ordinary reply. */
function reply(
  stream: ServerHttp2Stream,
  message: Buffer,
  trailers: Record<string, string> = { 'grpc-status': '0' },
): void {
  stream.respond(good, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers))
  stream.end(frameOf(message))
}

async function failure(call: { readonly reply: Promise<unknown> }): Promise<GrpcError> {
  try {
    await call.reply
  } catch (error) {
    assert.ok(error instanceof GrpcError, String(error))
    return error
  }
  return assert.fail('the call did not fail')
}

describe('a call', () => {
  test('is what gRPC and EMQX say', async (t) => {
    const far = await start(t, (stream) =>
      reply(stream, Buffer.from('answer'), { 'grpc-status': '0', 'x-more': 'yes' }),
    )
    const answer = await far.call({ deadline: 5000 }).reply
    assert.equal(Buffer.from(answer.message).toString(), 'answer')
    assert.equal(answer.metadata('x-more'), 'yes')
    assert.equal(answer.metadata('content-type'), 'application/grpc')
    assert.equal(answer.metadata('x-none'), undefined)
    const [{ headers, body }] = far.requests
    assert.deepEqual(body, frameOf(request))
    const { ':method': method, te, 'content-type': type, 'grpc-timeout': timeout, 'user-agent': agent } = headers
    assert.deepEqual(
      [method, headers[':path'], te, type, timeout, agent],
      ['POST', path, 'trailers', 'application/grpc+proto', '5S', 'test/1'],
    )
    assert.equal(headers[':authority'], far.requests[0].headers[':authority'])
  })

  test('may have an empty answer, in several pieces', async (t) => {
    const far = await start(t, (stream) => {
      stream.respond(good, { waitForTrailers: true })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
      const frame = frameOf(Buffer.from('in pieces'))
      stream.write(frame.subarray(0, 3))
      setImmediate(() => {
        stream.write(frame.subarray(3, 7))
        setImmediate(() => stream.end(frame.subarray(7)))
      })
    })
    assert.equal(Buffer.from((await far.call().reply).message).toString(), 'in pieces')
    far.handler = (stream) => reply(stream, Buffer.alloc(0))
    assert.equal((await far.call().reply).message.length, 0)
  })

  test('deadlines are whole seconds above one, milliseconds below', () => {
    assert.deepEqual([5000, 4321, 1001, 1000, 999, 430, 1, 0, Number.POSITIVE_INFINITY].map(deadlineText), [
      '5S',
      '5S',
      '2S',
      '1000m',
      '1000m',
      '450m',
      '50m',
      '1m',
      '',
    ])
  })
})

describe('a status', () => {
  for (const [said, respond, code, text] of [
    [
      'of trailers alone',
      (stream: ServerHttp2Stream) =>
        stream.respond({ ...good, 'grpc-status': '12', 'grpc-message': 'unknown%20service' }, { endStream: true }),
      GrpcStatus.UNIMPLEMENTED,
      'UNIMPLEMENTED: unknown service',
    ],
    [
      'of trailers after a message',
      (stream: ServerHttp2Stream) => reply(stream, request, { 'grpc-status': '9', 'grpc-message': 'bad%E9%' }),
      GrpcStatus.FAILED_PRECONDITION,
      'FAILED_PRECONDITION: bad%E9%',
    ],
    [
      'that does not exist',
      (stream: ServerHttp2Stream) => stream.respond({ ...good, 'grpc-status': '77' }, { endStream: true }),
      77,
      'status 77: the server gave no reason',
    ],
    [
      'that is missing',
      (stream: ServerHttp2Stream) => stream.respond(good, { endStream: true }),
      GrpcStatus.UNKNOWN,
      'UNKNOWN: a reply without grpc-status',
    ],
    [
      'of a web server',
      (stream: ServerHttp2Stream) => stream.respond({ ':status': '404' }, { endStream: true }),
      GrpcStatus.UNIMPLEMENTED,
      'UNIMPLEMENTED: HTTP status 404: not a gRPC server?',
    ],
    [
      'of a proxy',
      (stream: ServerHttp2Stream) => stream.respond({ ':status': '503' }, { endStream: true }),
      GrpcStatus.UNAVAILABLE,
      'UNAVAILABLE: HTTP status 503: not a gRPC server?',
    ],
    [
      'of a call that was reset',
      (stream: ServerHttp2Stream) => stream.close(2),
      GrpcStatus.INTERNAL,
      'INTERNAL: the server reset the call (HTTP/2 error 2)',
    ],
    [
      'of a call that was cancelled over there',
      (stream: ServerHttp2Stream) => stream.close(8),
      GrpcStatus.CANCELLED,
      'CANCELLED: the server reset the call (HTTP/2 error 8)',
    ],
    [
      'of a server that wants less of it',
      (stream: ServerHttp2Stream) => stream.close(11),
      GrpcStatus.RESOURCE_EXHAUSTED,
      'RESOURCE_EXHAUSTED: the server reset the call (HTTP/2 error 11)',
    ],
  ] as const)
    test(said, async (t) => {
      const error = await failure((await start(t, respond)).call())
      assert.deepEqual([error.code, error.message], [code, text])
    })
})

describe('garbage in place of a message', () => {
  for (const [said, bytes, text] of [
    ['nothing', [], 'INTERNAL: no message in the reply'],
    ['half a prefix', [0, 0], 'INTERNAL: the reply ends in the middle of its message'],
    ['half a message', [0, 0, 0, 0, 5, 1], 'INTERNAL: the reply ends in the middle of its message'],
    ['two messages', [0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 'INTERNAL: more than one message in the reply'],
    ['a compressed message', [1, 0, 0, 0, 0], 'INTERNAL: the reply is compressed, which was not asked for'],
    ['more than is allowed', [0, 0, 0, 4, 0], 'RESOURCE_EXHAUSTED: the reply has 1024 bytes, more than 1000'],
  ] as const)
    test(said, async (t) => {
      const far = await start(t, (stream) => {
        stream.respond(good, { waitForTrailers: true })
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
        stream.end(Buffer.from(bytes))
      })
      assert.equal((await failure(far.call())).message, text)
      far.handler = (stream) => reply(stream, request)
      assert.equal((await far.call().reply).message.length, request.length, 'the connection still works')
    })
})

describe('an end without an answer', () => {
  test('the time is up: the server is told', async (t) => {
    const reset = Promise.withResolvers<number>()
    const far = await start(t, (stream) => void stream.on('close', () => reset.resolve(stream.rstCode)))
    const error = await failure(far.call({ timeout: 20 }))
    assert.equal(error.code, GrpcStatus.DEADLINE_EXCEEDED)
    assert.equal(await reset.promise, 8)
  })

  test('nobody waits any more: the server is told', async (t) => {
    const asked = Promise.withResolvers<void>()
    const reset = Promise.withResolvers<number>()
    const far = await start(t, (stream) => {
      asked.resolve()
      stream.on('close', () => reset.resolve(stream.rstCode))
    })
    const call = far.call()
    await asked.promise
    call.cancel()
    call.cancel()
    assert.equal((await failure(call)).code, GrpcStatus.CANCELLED)
    assert.equal(await reset.promise, 8)
    assert.equal(far.transport.counters.cancelled, 1)
  })

  test('the connection breaks: calls fail, and later ones go over a new one', async (t) => {
    const far = await start(t, () => far.sockets[0].destroy())
    const errors = await Promise.all([failure(far.call()), failure(far.call())])
    assert.deepEqual(
      errors.map(({ code }) => code),
      [GrpcStatus.UNAVAILABLE, GrpcStatus.UNAVAILABLE],
    )
    far.handler = (stream) => reply(stream, request)
    assert.equal(await far.transport.probe(10_000), true)
    await far.call().reply
    assert.deepEqual([far.transport.counters.connected, far.transport.counters.broken], [2, 1])
    assert.equal(far.requests.length <= 3, true, 'what failed was not sent again')
  })

  test('bytes that are no HTTP/2 break the connection, not the program', async (t) => {
    const server = createTcpServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const host = `127.0.0.1:${port}`
    const open = () => connect({ host: '127.0.0.1', port })
    const transport = new Http2Transport({
      scheme: 'http',
      host,
      size: 1,
      open,
      userAgent: 't',
      maxReply: 1000,
      window: 65_535,
    })
    t.after(() => {
      transport.close()
      server.close()
    })
    const error = await failure(transport.call(path, request, { key: '', deadline: 1000, timeout: 10_000 }))
    assert.equal(error.code, GrpcStatus.UNAVAILABLE)
  })

  test('nobody there: it fails at once, says why, and is not tried again for each call', async (t) => {
    const far = await start(t, (stream) => reply(stream, request))
    far.server.close()
    assert.match((await failure(far.call())).message, /^UNAVAILABLE: connect ECONNREFUSED 127\.0\.0\.1:\d+$/)
    const { broken } = far.transport.counters
    const errors = await Promise.all(Array.from({ length: 100 }, () => failure(far.call())))
    assert.ok(errors.every(({ message }) => message.includes('ECONNREFUSED')))
    assert.ok(far.transport.counters.broken - broken <= 1, 'a hundred calls are not a hundred attempts')
    assert.equal(await far.transport.probe(10_000), false)
  })

  test('closed: calls fail, and so do those after it', async (t) => {
    const far = await start(t, () => {})
    const call = far.call()
    far.transport.close()
    assert.equal((await failure(call)).code, GrpcStatus.UNAVAILABLE)
    assert.equal((await failure(far.call())).code, GrpcStatus.UNAVAILABLE)
    assert.equal(await far.transport.probe(1000), false)
  })
})

describe('a server that goes away in an orderly way', () => {
  test('finishes what it has; new calls go over a new connection', async (t) => {
    const held: ServerHttp2Stream[] = []
    const far = await start(t, (stream) => void held.push(stream))
    const first = far.call()
    while (held.length === 0) await new Promise(setImmediate)
    far.sessions[0].goaway(0)
    await new Promise<void>((resolve) => setTimeout(resolve, 20))
    far.handler = (stream) => reply(stream, Buffer.from('second'))
    assert.equal(Buffer.from((await far.call().reply).message).toString(), 'second')
    assert.equal(far.sessions.length, 2)
    reply(held[0], Buffer.from('first'))
    assert.equal(Buffer.from((await first.reply).message).toString(), 'first')
    assert.equal(far.transport.counters.broken, 0)
  })

  test('what it refused unseen is sent once more, and never a third time', async (t) => {
    let refusals = 1
    const far = await start(t, (stream) => {
      if (refusals-- > 0) stream.close(7)
      else reply(stream, request)
    })
    await far.call().reply
    assert.equal(far.transport.counters.resent, 1)
    refusals = 2
    const error = await failure(far.call())
    assert.equal(error.code, GrpcStatus.UNAVAILABLE)
    assert.equal(far.requests.length, 4)
  })
})

describe('connections', () => {
  test('the calls of one key leave in order over one; keys are spread over all', async (t) => {
    const bySession = new Map<unknown, string[]>()
    const far = await start(
      t,
      (stream, _headers, body) => {
        const seen = bySession.get(stream.session) ?? []
        seen.push(body.subarray(5).toString())
        bySession.set(stream.session, seen)
        reply(stream, Buffer.alloc(0))
      },
      { size: 8 },
    )
    const keys = Array.from({ length: 40 }, (_, index) => `client-${index}`)
    const calls = Array.from({ length: 5 }, (_, round) =>
      keys.map((key) =>
        far.transport.call(path, Buffer.from(`${key} ${round}`), { key, deadline: 10_000, timeout: 10_000 }),
      ),
    )
    await Promise.all(calls.flat().map(({ reply }) => reply))
    assert.equal(bySession.size, 8)
    assert.equal(far.transport.connections, 8)
    for (const key of keys) {
      const places = [...bySession.values()].filter((seen) => seen.some((one) => one.startsWith(`${key} `)))
      assert.equal(places.length, 1, key)
      assert.deepEqual(
        places[0].filter((one) => one.startsWith(`${key} `)),
        Array.from({ length: 5 }, (_, round) => `${key} ${round}`),
      )
    }
  })

  test('a key has one place, whatever it is; an empty one, too', () => {
    assert.equal(placeOf('', 8), placeOf('', 8))
    assert.equal(placeOf('any', 1), 0)
    const places = new Set(Array.from({ length: 1000 }, (_, index) => placeOf(`device/${index}`, 8)))
    assert.equal(places.size, 8)
  })

  test('an idle connection is not pinged: servers in Go would close it', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    const far = await start(t, (stream) => reply(stream, request))
    await far.call({ timeout: 0 }).reply
    let pings = 0
    far.sessions[0].on('ping', () => pings++)
    t.mock.timers.tick(3_600_000)
    await far.call({ timeout: 0 }).reply
    assert.equal(pings, 0)
  })
})

describe('a server that says nothing while a call waits', () => {
  /** Moves the time by hand; sockets are real. Whole milliseconds: a minute added to a fraction may come out as a little less than a minute. */
  function clockOf(t: TestContext): (milliseconds: number) => void {
    let now = Math.ceil(performance.now())
    t.mock.method(performance, 'now', () => now)
    t.mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
    return (milliseconds) => {
      now += milliseconds
      t.mock.timers.tick(milliseconds)
    }
  }

  test('is pinged after a minute, and not again within five', async (t) => {
    const advance = clockOf(t)
    const asked = Promise.withResolvers<void>()
    const far = await start(t, () => asked.resolve())
    const call = far.call({ timeout: 0 })
    await asked.promise
    const [session] = far.sessions
    let pings = 0
    session.on('ping', () => pings++)
    /** Pings that have come once so much time has passed. The other side's answer to a ping of this one comes after all that it sent before. */
    const after = async (milliseconds: number): Promise<number> => {
      advance(milliseconds)
      await new Promise<void>((resolve, reject) =>
        session.ping((error) => (error === null ? resolve() : reject(error))),
      )
      return pings
    }
    assert.equal(await after(30_000), 0)
    assert.equal(await after(30_000), 1)
    for (let minute = 0; minute < 4; minute++) assert.equal(await after(60_000), 1)
    assert.equal(await after(60_000), 2)
    call.cancel()
    await call.reply.catch(() => {})
  })

  test('is given up when it does not answer the ping either', async (t) => {
    const provider = await RecordingProvider.start(
      t,
      { answers: { OnClientAuthorize: { hold: true } } },
      { alone: true },
    )
    const { port } = provider
    const host = `127.0.0.1:${port}`
    const open = () => connect({ host: '127.0.0.1', port })
    const advance = clockOf(t)
    const transport = new Http2Transport({
      scheme: 'http',
      host,
      size: 1,
      open,
      userAgent: 't',
      maxReply: 1000,
      window: 65_535,
    })
    t.after(() => transport.close())
    let ended = false
    const call = failure(transport.call(path, Buffer.alloc(0), { key: '', deadline: 10_000, timeout: 0 })).finally(
      () => {
        ended = true
      },
    )
    while ((await provider.calls()).length === 0) await new Promise(setImmediate)
    provider.freeze()
    // A ping that it answered before it froze is followed by another after five minutes.
    while (!ended || transport.connections > 0) {
      advance(10_000)
      await new Promise(setImmediate)
    }
    assert.equal((await call).code, GrpcStatus.UNAVAILABLE)
    provider.thaw()
  })
})

test('a connection that does not come about is given up after ten seconds, and made anew', async (t) => {
  const far = await start(t, (stream) => reply(stream, request))
  const silent = createTcpServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  t.after(() => silent.close())
  const { port } = silent.address() as AddressInfo
  const taken = new Promise<Socket>((resolve) => silent.on('connection', resolve))
  const { port: good } = far.server.address() as AddressInfo
  let attempts = 0
  // The first server takes the connection, and never answers the handshake of TLS.
  const open = () => (attempts++ === 0 ? connectTls({ host: '127.0.0.1', port }) : connect(good, '127.0.0.1'))
  const options = { scheme: 'http', host: 'x', size: 1, open, userAgent: 't', maxReply: 1000, window: 65_535 } as const
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const transport = new Http2Transport(options)
  t.after(() => transport.close())
  const call = () => transport.call(path, request, { key: '', deadline: 5000, timeout: 0 })
  const first = failure(call())
  const socket = await taken
  t.after(() => socket.destroy())
  t.mock.timers.tick(9999)
  assert.deepEqual([transport.counters.broken, attempts], [0, 1])
  t.mock.timers.tick(1)
  assert.deepEqual(
    [(await first).code, (await first).message],
    [GrpcStatus.UNAVAILABLE, 'UNAVAILABLE: no connection within 10000 ms'],
  )
  while (transport.counters.broken === 0) await new Promise(setImmediate)
  while (attempts === 1) await call().reply.catch(() => {})
  assert.deepEqual((await call().reply).message, request)
})
