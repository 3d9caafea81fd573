// An ExHook server that can be told to behave badly, made of a socket server and node:http2 alone. It tells its parent of each event that reaches it.
import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { createServer, type Socket } from 'node:net'
import { create, exhookCallOf, exhookPath, fromBinary, stream, toBinary, v3 } from '@hookmq/exhook-proto'

/**
 * - good: changes the payload of each message. hang: answers nothing. late: answers when nobody waits any more. error: each call fails.
 * - garbage: answers are no protobuf. nonsense: what comes back is no HTTP/2. refuse: each call is refused unseen.
 * - reset: connections are reset as soon as something comes. gone: nobody listens.
 */
export type Mood = 'good' | 'hang' | 'late' | 'error' | 'garbage' | 'nonsense' | 'refuse' | 'reset' | 'gone'

export interface Settings {
  readonly port: number
  /** Whether it serves HookStream as well. */
  readonly stream: boolean
  /** Milliseconds. */
  readonly late: number
}

const [port, streaming, late] = process.argv.slice(2)
const settings: Settings = { port: Number(port), stream: streaming === 'stream', late: Number(late) }
const exchangePath = '/hookmq.exhook.v1.HookStream/Exchange'
const sockets = new Map<Socket, ServerHttp2Session>()
let mood: Mood = 'good'
let arrived: string[] = []

/** In batches: the parent is told before the answer leaves. */
function note(key: string): void {
  if (arrived.push(key) === 1) setImmediate(report)
}

function report(): void {
  if (arrived.length > 0) process.send?.({ arrived })
  arrived = []
}

const bad = () => Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, mood.length])

function changed(message: v3.Message): Buffer {
  const payload = Buffer.concat([message.payload, Buffer.from(' seen')])
  const value = { case: 'message' as const, value: create(v3.MessageSchema, { ...message, payload }) }
  return Buffer.from(toBinary(v3.ValuedResponseSchema, create(v3.ValuedResponseSchema, { type: 0, value })))
}

const loaded = Buffer.from(
  toBinary(
    v3.LoadedResponseSchema,
    create(v3.LoadedResponseSchema, {
      hooks: ['message.publish', 'message.delivered', 'client.connected'].map((name) =>
        create(v3.HookSpecSchema, { name, topics: name.startsWith('message') ? ['soak/#'] : [] }),
      ),
    }),
  ),
)

/** Notes a request, and gives the answer that a good server has for it. */
function handle(hook: string, request: Uint8Array): Buffer {
  if (hook === 'message.publish') {
    const { message } = fromBinary(v3.MessagePublishRequestSchema, request)
    if (message === undefined) throw new Error('a request without a message')
    note(`publish ${Buffer.from(message.payload)}`)
    return changed(message)
  }
  if (hook === 'message.delivered') {
    const { message, clientinfo } = fromBinary(v3.MessageDeliveredRequestSchema, request)
    note(`delivered ${clientinfo?.clientid} ${Buffer.from(message?.payload ?? [])}`)
  } else if (hook === 'client.connected') {
    note(`connected ${fromBinary(v3.ClientConnectedRequestSchema, request).clientinfo?.clientid}`)
  }
  return Buffer.alloc(0)
}

const paths = new Map(
  ['message.publish', 'message.delivered', 'client.connected'].map((hook) => [
    exhookPath('v3', exhookCallOf(hook)?.name ?? ''),
    hook,
  ]),
)

function framed(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

/** Calls back with each gRPC message of a stream. */
function messages(call: ServerHttp2Stream, got: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0)
  call.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
      const end = 5 + rest.readUInt32BE(1)
      const message = Buffer.from(rest.subarray(5, end))
      rest = rest.subarray(end)
      got(message)
    }
  })
}

function end(call: ServerHttp2Stream, code: number, details = ''): void {
  if (call.closed || call.destroyed) return
  if (!call.headersSent) {
    call.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code, 'grpc-message': details },
      { endStream: true },
    )
    return
  }
  call.sendTrailers({ 'grpc-status': code, 'grpc-message': details })
}

function reply(call: ServerHttp2Stream, answer: Buffer): void {
  if (call.closed || call.destroyed) return
  call.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  call.on('wantTrailers', () => call.sendTrailers({ 'grpc-status': 0 }))
  call.end(framed(answer))
}

function unary(call: ServerHttp2Stream, path: string): void {
  if (mood === 'refuse') return call.close(constants.NGHTTP2_REFUSED_STREAM)
  messages(call, (request) => {
    const hook = paths.get(path)
    const answer =
      hook === undefined ? (path.endsWith('OnProviderLoaded') ? loaded : Buffer.alloc(0)) : handle(hook, request)
    if (mood === 'good') return reply(call, answer)
    if (mood === 'garbage') return reply(call, bad())
    if (mood === 'error') return end(call, 13, 'as it was told')
    if (mood === 'late') setTimeout(() => reply(call, answer), settings.late).unref()
  })
}

function exchange(call: ServerHttp2Stream): void {
  call.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  const send = (init: Parameters<typeof create<typeof stream.ProviderFrameSchema>>[1]): void => {
    if (call.closed || call.destroyed || call.writableEnded) return
    call.write(framed(toBinary(stream.ProviderFrameSchema, create(stream.ProviderFrameSchema, init))))
  }
  call.on('wantTrailers', () => call.sendTrailers({ 'grpc-status': 0 }))
  call.on('end', () => call.end())
  messages(call, (bytes) => {
    const frame = fromBinary(stream.BrokerFrameSchema, bytes)
    if (frame.hello !== undefined) send({ hello: { version: 1, grant: 1000 } })
    let id = frame.first
    for (const { request } of frame.events) {
      const hook =
        { messagePublish: 'message.publish', messageDelivered: 'message.delivered' }[String(request.case)] ??
        'client.connected'
      const schema = exhookCallOf(hook)?.v3.request ?? v3.MessagePublishRequestSchema
      const answer = handle(hook, toBinary(schema, request.value as never))
      eventually(id++, hook, answer)
    }
  })

  function eventually(id: bigint, hook: string, answer: Buffer): void {
    const good = (): void =>
      hook === 'message.publish'
        ? send({ verdicts: [{ id, response: fromBinary(v3.ValuedResponseSchema, answer) }], grant: 1 })
        : send({ done: [{ first: id }], grant: 1 })
    if (mood === 'good') good()
    else if (mood === 'late') setTimeout(good, settings.late).unref()
    else if (mood === 'error') send({ verdicts: [{ id, error: { code: 13, message: 'as it was told' } }], grant: 1 })
    else if (mood === 'garbage' && !call.destroyed && !call.writableEnded) call.write(framed(bad()))
    else if (mood === 'refuse') call.close(constants.NGHTTP2_INTERNAL_ERROR)
  }
}

function accept(socket: Socket): void {
  socket.on('error', () => {})
  if (mood === 'reset') return void socket.resetAndDestroy()
  if (mood === 'nonsense') return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  const session = performServerHandshake(socket)
  sockets.set(socket, session)
  socket.on('close', () => sockets.delete(socket))
  session.on('error', () => {})
  session.on('stream', (call, headers) => {
    call.on('error', () => {})
    const path = String(headers[':path'])
    if (mood === 'reset') return void socket.resetAndDestroy()
    if (mood === 'nonsense') return void socket.destroy()
    if (path !== exchangePath) return unary(call, path)
    if (settings.stream) exchange(call)
    else end(call, 12, 'there is no such service')
  })
}

const server = createServer(accept)

function listen(done: () => void): void {
  server.listen(settings.port, '127.0.0.1', done)
}

function become(next: Mood, done: () => void): void {
  const was = mood
  mood = next
  if (next === 'gone' || next === 'reset' || next === 'nonsense')
    for (const [socket] of sockets) {
      if (next === 'nonsense') socket.write('this is no HTTP/2 at all\r\n\r\n')
      socket.resetAndDestroy()
    }
  if (next === 'gone') server.close(done)
  else if (was === 'gone') listen(done)
  else done()
}

process.on('message', (next: Mood) => become(next, () => process.send?.({ mood: next })))
process.on('disconnect', () => process.exit())
listen(() => {
  const address = server.address()
  process.send?.({ port: typeof address === 'object' ? address?.port : undefined })
})
