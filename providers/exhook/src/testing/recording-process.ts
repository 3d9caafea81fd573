/** A gRPC server of its own process that writes down what it is asked: an ExHook provider for tests, made with nothing of the broker's. */
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js'
import {
  create,
  type ExHookVersion,
  exhookCalls,
  exhookHookNames,
  exhookPath,
  fromBinary,
  toBinary,
  v3,
} from '@hookmq/exhook-proto'
import type { Answer, Answered, Command, Recorded, Report, Script } from './script.ts'

type Call = ServerUnaryCall<Buffer, Buffer>
type Reply = sendUnaryData<Buffer>

const asIs = (bytes: Buffer): Buffer => bytes

class Recorder {
  readonly recorded: Recorded[] = []
  readonly #peers: string[] = []
  readonly #released = Promise.withResolvers<void>()
  readonly #server = new Server()
  script: Script
  cancelled = 0

  constructor(script: Script) {
    this.script = script
  }

  start(): Promise<Answered> {
    for (const version of this.script.versions ?? (['v2', 'v3'] as const)) this.#serve(version)
    return new Promise((resolve) => {
      this.#server.bindAsync(this.script.address ?? '127.0.0.1:0', this.#credentials(), (error, port) =>
        resolve(error === null ? { port } : { failed: error.message }),
      )
    })
  }

  stop(): void {
    this.#server.forceShutdown()
  }

  release(): void {
    this.#released.resolve()
  }

  #serve(version: ExHookVersion): void {
    const methods = exhookCalls.map(({ name }) => {
      const method: ServiceDefinition[string] = {
        path: exhookPath(version, name),
        requestStream: false,
        responseStream: false,
        requestSerialize: asIs,
        requestDeserialize: asIs,
        responseSerialize: asIs,
        responseDeserialize: asIs,
      }
      return [name, method] as const
    })
    const handlers = exhookCalls.map(({ name, valued }) => {
      const handler = (call: Call, reply: Reply): void => void this.#answer(version, name, valued, call, reply)
      return [name, handler] as const
    })
    this.#server.addService(Object.fromEntries(methods), Object.fromEntries(handlers))
  }

  async #answer(version: ExHookVersion, name: string, valued: boolean, call: Call, reply: Reply): Promise<void> {
    this.#record(version, name, call)
    call.on('cancelled', () => {
      this.cancelled++
    })
    const what: Answer = this.script.answers?.[name] ?? {}
    if (what.hold === true) await this.#released.promise
    if (what.delay !== undefined) await new Promise((resolve) => setTimeout(resolve, what.delay))
    if (what.status !== undefined) return reply(what.status)
    const metadata = new Metadata()
    for (const [key, value] of Object.entries(what.metadata ?? {})) metadata.set(key, value)
    call.sendMetadata(metadata)
    if (what.reply !== undefined) return reply(null, Buffer.from(what.reply, 'base64'))
    if (name === 'OnProviderLoaded') return reply(null, loaded(this.script))
    if (!valued) return reply(null, Buffer.alloc(0))
    reply(null, this.script.convention === true ? decide(name, call.request) : valuedReply({ type: IGNORE }))
  }

  #record(version: ExHookVersion, name: string, call: Call): void {
    const peer = call.getPeer()
    if (!this.#peers.includes(peer)) this.#peers.push(peer)
    const deadline = call.getDeadline()
    this.recorded.push({
      version,
      call: name,
      request: call.request.toString('base64'),
      metadata: Object.fromEntries(Object.entries(call.metadata.getMap()).map(([key, value]) => [key, String(value)])),
      deadline: typeof deadline === 'number' && Number.isFinite(deadline) ? deadline - Date.now() : undefined,
      connection: this.#peers.indexOf(peer),
    })
  }

  #credentials(): ServerCredentials {
    const { tls } = this.script
    if (tls === undefined) return ServerCredentials.createInsecure()
    const ca = tls.ca === undefined ? null : Buffer.from(tls.ca)
    const pair = { private_key: Buffer.from(tls.key), cert_chain: Buffer.from(tls.cert) }
    return ServerCredentials.createSsl(ca, [pair], ca !== null)
  }
}

function loaded(script: Script): Buffer {
  const hooks: NonNullable<Script['hooks']> = script.hooks ?? exhookHookNames.map((name) => ({ name }))
  const response = create(v3.LoadedResponseSchema, {
    hooks: hooks.map(({ name, topics = [] }) => ({ name, topics: [...topics] })),
  })
  return Buffer.from(toBinary(v3.LoadedResponseSchema, response))
}

const { CONTINUE, IGNORE, STOP_AND_RETURN } = v3.ValuedResponse_ResponsedType

function valuedReply(fields: Parameters<typeof create<typeof v3.ValuedResponseSchema>>[1]): Buffer {
  return Buffer.from(toBinary(v3.ValuedResponseSchema, create(v3.ValuedResponseSchema, fields)))
}

function decide(name: string, request: Buffer): Buffer {
  if (name === 'OnMessagePublish') {
    const from = fromBinary(v3.MessagePublishRequestSchema, request).message?.from
    if (from !== 'baduser' && from !== 'gooduser') return valuedReply({ type: IGNORE })
    const headers = { allow_publish: String(from === 'gooduser') }
    const text = from === 'gooduser' ? from : ''
    return valuedReply({
      type: STOP_AND_RETURN,
      value: {
        case: 'message',
        value: create(v3.MessageSchema, { from, headers, topic: text, payload: Buffer.from(text) }),
      },
    })
  }
  const schema = name === 'OnClientAuthorize' ? v3.ClientAuthorizeRequestSchema : v3.ClientAuthenticateRequestSchema
  const username = fromBinary(schema, request).clientinfo?.username
  const value = (allowed: boolean) => ({ case: 'boolResult', value: allowed }) as const
  switch (username) {
    case 'baduser':
      return valuedReply({ type: STOP_AND_RETURN, value: value(false) })
    case 'gooduser':
      return valuedReply({ type: STOP_AND_RETURN, value: value(true) })
    case 'normaluser':
      return valuedReply({ type: CONTINUE, value: value(true) })
    default:
      return valuedReply({ type: IGNORE })
  }
}

const recorders = new Map<number, Recorder>()

async function obey(command: Command): Promise<Answered> {
  if (command.do === 'start') {
    const recorder = new Recorder(command.script)
    recorders.set(command.id, recorder)
    return recorder.start()
  }
  const recorder = recorders.get(command.id)
  if (recorder === undefined) return { failed: 'no such server' }
  switch (command.do) {
    case 'script':
      recorder.script = command.script
      return 0
    case 'calls':
      return recorder.recorded
    case 'release':
      recorder.release()
      return 0
    case 'cancelled':
      return recorder.cancelled
    case 'stop':
      recorder.stop()
      return 0
  }
}

process.on('message', (command: Command) => {
  const answered = (report: Answered): void => void process.send?.({ number: command.number, report } satisfies Report)
  void obey(command).then(answered)
})
process.on('disconnect', () => process.exit())
