import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  create,
  exhookCalls,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
  v3,
} from '@hookmq/exhook-proto'
import type { Answer, Answered, Command, Order, Recorded, Report, Script } from './script.ts'

const entry = fileURLToPath(new URL('./recording-process.ts', import.meta.url))

/** A call with its request decoded: what the test looks at. */
export interface RecordedCall extends Omit<Recorded, 'request'> {
  readonly bytes: Buffer
}

/** A process with recording providers in it. */
class Far {
  readonly child: ChildProcess = fork(entry, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  readonly #waiting = new Map<number, (answer: Answered) => void>()
  #number = 0

  constructor() {
    // A test file must be able to end while it is there; it ends with its parent.
    this.child.unref()
    this.child.channel?.unref()
    this.child.on('message', ({ number, report }: Report) => {
      this.#waiting.get(number)?.(report)
      this.#waiting.delete(number)
      if (this.#waiting.size === 0) this.child.channel?.unref()
    })
    this.child.on('exit', () => {
      for (const answer of this.#waiting.values()) answer({ failed: 'the process is gone' })
      this.#waiting.clear()
    })
  }

  ask(id: number, order: Order): Promise<Answered> {
    if (!this.child.connected) return Promise.resolve({ failed: 'the process is gone' })
    const number = ++this.#number
    const { promise, resolve } = Promise.withResolvers<Answered>()
    this.#waiting.set(number, resolve)
    this.child.channel?.ref()
    this.child.send({ ...order, id, number } satisfies Command)
    return promise
  }

  async kill(): Promise<void> {
    const { child } = this
    if (child.exitCode !== null || child.signalCode !== null) return
    const { promise, resolve } = Promise.withResolvers<void>()
    child.once('exit', () => resolve())
    child.kill('SIGKILL')
    await promise
  }
}

let shared: Far | undefined
let servers = 0

/** A gRPC server in another process that writes down what it is asked. */
export class RecordingProvider {
  readonly #far: Far
  readonly #id: number
  readonly port: number
  readonly scheme: string
  #script: Script

  constructor(far: Far, id: number, port: number, script: Script) {
    this.#far = far
    this.#id = id
    this.port = port
    this.#script = script
    this.scheme = script.tls === undefined ? 'http' : 'https'
  }

  /** `alone`: in a process of its own, which can be killed and frozen. */
  static async start(
    scope: { after(run: () => unknown): void },
    script: Script = {},
    { alone = false }: { readonly alone?: boolean } = {},
  ): Promise<RecordingProvider> {
    if (!alone) shared ??= new Far()
    const far = alone || shared === undefined ? new Far() : shared
    const id = ++servers
    scope.after(() => (alone ? far.kill() : far.ask(id, { do: 'stop' })))
    const report = await far.ask(id, { do: 'start', script })
    if (typeof report !== 'object' || !('port' in report))
      throw new Error(`recording provider: ${JSON.stringify(report)}`)
    return new RecordingProvider(far, id, report.port, script)
  }

  get url(): string {
    return `${this.scheme}://127.0.0.1:${this.port}`
  }

  /** All calls so far, in the order of arrival. */
  async calls(): Promise<RecordedCall[]> {
    const recorded = (await this.#ask({ do: 'calls' })) as readonly Recorded[]
    return recorded.map(({ request, ...rest }) => ({ ...rest, bytes: Buffer.from(request, 'base64') }))
  }

  /** Names of the calls so far, in snake case without `on`, as EMQX's documentation writes them: client_connect. */
  async trace(): Promise<string[]> {
    return (await this.calls()).map(({ call }) => snake(call))
  }

  /** The requests of one call, decoded. */
  async requests<N extends keyof RequestOf>(call: N): Promise<RequestOf[N][]> {
    const schema = exhookCalls.find(({ name }) => name === call)?.v3.request
    if (schema === undefined) throw new Error(`there is no call ${call}`)
    const bytes = (await this.calls()).filter((one) => one.call === call)
    return bytes.map((one) => fromBinary(schema, one.bytes) as unknown as RequestOf[N])
  }

  /** Changes what it answers from now on; what is not named stays. */
  async change(script: Script): Promise<void> {
    this.#script = { ...this.#script, ...script }
    await this.#ask({ do: 'script', script: this.#script })
  }

  async release(): Promise<void> {
    await this.#ask({ do: 'release' })
  }

  /** Calls whose caller has told that nobody waits any more. */
  async cancelled(): Promise<number> {
    return (await this.#ask({ do: 'cancelled' })) as number
  }

  /** Ends all connections and takes no more. */
  async stop(): Promise<void> {
    await this.#ask({ do: 'stop' })
  }

  /** Ends the process at once. */
  async kill(): Promise<void> {
    await this.#far.kill()
  }

  /** Stops it without killing it: connections stay, nothing is answered. */
  freeze(): void {
    this.#far.child.kill('SIGSTOP')
  }

  thaw(): void {
    this.#far.child.kill('SIGCONT')
  }

  #ask(order: Order): Promise<Answered> {
    return this.#far.ask(this.#id, order)
  }
}

/** What the requests of the 21 calls are. */
export interface RequestOf {
  readonly OnProviderLoaded: v3.ProviderLoadedRequest
  readonly OnProviderUnloaded: v3.ProviderUnloadedRequest
  readonly OnClientConnect: v3.ClientConnectRequest
  readonly OnClientConnack: v3.ClientConnackRequest
  readonly OnClientConnected: v3.ClientConnectedRequest
  readonly OnClientDisconnected: v3.ClientDisconnectedRequest
  readonly OnClientAuthenticate: v3.ClientAuthenticateRequest
  readonly OnClientAuthorize: v3.ClientAuthorizeRequest
  readonly OnClientSubscribe: v3.ClientSubscribeRequest
  readonly OnClientUnsubscribe: v3.ClientUnsubscribeRequest
  readonly OnSessionCreated: v3.SessionCreatedRequest
  readonly OnSessionSubscribed: v3.SessionSubscribedRequest
  readonly OnSessionUnsubscribed: v3.SessionUnsubscribedRequest
  readonly OnSessionResumed: v3.SessionResumedRequest
  readonly OnSessionDiscarded: v3.SessionDiscardedRequest
  readonly OnSessionTakenover: v3.SessionTakenoverRequest
  readonly OnSessionTerminated: v3.SessionTerminatedRequest
  readonly OnMessagePublish: v3.MessagePublishRequest
  readonly OnMessageDelivered: v3.MessageDeliveredRequest
  readonly OnMessageDropped: v3.MessageDroppedRequest
  readonly OnMessageAcked: v3.MessageAckedRequest
}

const { CONTINUE, IGNORE, STOP_AND_RETURN } = v3.ValuedResponse_ResponsedType

/** Replies to valued calls, for scripts. */
export const answers = {
  ignore: (): Answer => valued({ type: IGNORE }),
  /** CONTINUE without a value. */
  empty: (): Answer => ({ reply: '' }),
  go: (value: boolean): Answer => valued({ type: CONTINUE, value: { case: 'boolResult', value } }),
  stop: (value: boolean): Answer => valued({ type: STOP_AND_RETURN, value: { case: 'boolResult', value } }),
  message: (type: 'go' | 'stop', fields: MessageInitShape<typeof v3.MessageSchema>): Answer =>
    valued({
      type: type === 'go' ? CONTINUE : STOP_AND_RETURN,
      value: { case: 'message', value: create(v3.MessageSchema, fields) },
    }),
  fail: (code = 13, details = 'scripted'): Answer => ({ status: { code, details } }),
}

function valued(fields: MessageInitShape<typeof v3.ValuedResponseSchema>): Answer {
  return { reply: encoded(create(v3.ValuedResponseSchema, fields)) }
}

function encoded(response: MessageShape<typeof v3.ValuedResponseSchema>): string {
  return Buffer.from(toBinary(v3.ValuedResponseSchema, response)).toString('base64')
}

function snake(call: string): string {
  return call
    .replace(/^On/, '')
    .replace(/[A-Z]/g, (letter, index: number) => `${index === 0 ? '' : '_'}${letter.toLowerCase()}`)
}
