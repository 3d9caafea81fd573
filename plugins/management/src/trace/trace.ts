import { type ClientInfo, type HookHandle, type Message, type PluginContext, topicMatches } from '@hookmq/api'

export const traceTypes = ['clientid', 'topic', 'ip_address'] as const
export type TraceType = (typeof traceTypes)[number]
export type PayloadShown = 'hidden' | 'text' | 'hex'

/** Bytes of lines that a trace keeps; the oldest go first. */
const MOST_BYTES = 1024 * 1024
const MOST_PAYLOAD = 1024

export interface TraceSpec {
  readonly name: string
  readonly type: TraceType
  /** The client id, the topic filter or the address. */
  readonly value: string
  /** Milliseconds since the epoch. */
  readonly start: number
  readonly end: number
  readonly payload: PayloadShown
}

/** What happens around one client, topic or address, line for line, while it is watched. */
export class Trace {
  readonly spec: TraceSpec
  readonly #ctx: PluginContext
  readonly #lines: string[] = []
  #bytes = 0
  #hooks: HookHandle[] = []
  /** Stopped by hand: it does not start again. */
  #stopped = false

  constructor(ctx: PluginContext, spec: TraceSpec) {
    this.#ctx = ctx
    this.spec = spec
  }

  get status(): 'waiting' | 'running' | 'stopped' {
    const now = this.#ctx.now()
    if (this.#stopped || now >= this.spec.end) return 'stopped'
    return now < this.spec.start ? 'waiting' : 'running'
  }

  get bytes(): number {
    return this.#bytes
  }

  get text(): string {
    return this.#lines.join('')
  }

  /** Hooks in or out, as its time says. */
  adjust(): void {
    const running = this.status === 'running'
    if (running && this.#hooks.length === 0) this.#watch()
    else if (!running && this.#hooks.length > 0) {
      for (const hook of this.#hooks) hook.remove()
      this.#hooks = []
    }
  }

  stop(): void {
    this.#stopped = true
    this.adjust()
  }

  #watch(): void {
    const { type, value } = this.spec
    const ctx = this.#ctx
    const name = `trace ${this.spec.name}`
    const ofClient = ({ clientId, peerhost }: ClientInfo): boolean =>
      type === 'clientid' ? clientId === value : type === 'ip_address' && peerhost === value
    const onTopic = (topic: string): boolean => type === 'topic' && topicMatches(value, topic)
    // Last in the chain: what is shown is what went on.
    const options = { name, priority: -1000 } as const
    this.#hooks = [
      ctx.hook(
        'client.connected',
        ({ client, connInfo }) => {
          if (ofClient(client))
            this.#write('CONNECTED', client, `protocol: ${connInfo.protocolVersion}, listener: ${client.listener}`)
        },
        options,
      ),
      ctx.hook(
        'client.disconnected',
        ({ client, reason }) => {
          if (ofClient(client)) this.#write('DISCONNECTED', client, `reason: ${reason}`)
        },
        options,
      ),
      ctx.hook(
        'client.check_authz_complete',
        ({ client, action, topic, result, from }) => {
          if (ofClient(client) || onTopic(topic))
            this.#write('AUTHORIZE', client, `${action} ${quote(topic)}: ${result} by ${from}`)
        },
        options,
      ),
      ctx.hook(
        'session.subscribed',
        ({ client, topic, options: { qos } }) => {
          if (ofClient(client) || (type === 'topic' && topic === value))
            this.#write('SUBSCRIBED', client, `${quote(topic)} qos: ${qos}`)
        },
        options,
      ),
      ctx.hook(
        'session.unsubscribed',
        ({ client, topic }) => {
          if (ofClient(client) || (type === 'topic' && topic === value))
            this.#write('UNSUBSCRIBED', client, quote(topic))
        },
        options,
      ),
      ctx.hook(
        'message.publish',
        ({ client }, message) => {
          if ((client !== undefined && ofClient(client)) || onTopic(message.topic))
            this.#write('PUBLISH', client, this.#show(message))
        },
        { ...options, phase: 'sink' },
      ),
      ctx.hook(
        'message.delivered',
        ({ client }, message) => {
          if (ofClient(client) || onTopic(message.topic)) this.#write('DELIVERED', client, this.#show(message))
        },
        options,
      ),
      ctx.hook(
        'delivery.dropped',
        ({ client, message, reason }) => {
          if (ofClient(client) || onTopic(message.topic))
            this.#write('DROPPED', client, `reason: ${reason}, ${this.#show(message)}`)
        },
        options,
      ),
    ]
  }

  #show({ topic, qos, retain, from, payload }: Message): string {
    return `topic: ${quote(topic)}, qos: ${qos}, retain: ${retain}, from: ${quote(from)}, payload: ${this.#payload(payload)}`
  }

  #payload(payload: Uint8Array): string {
    if (this.spec.payload === 'hidden') return `(${payload.length} bytes)`
    const shown = Buffer.from(payload.subarray(0, MOST_PAYLOAD))
    const rest = payload.length > MOST_PAYLOAD ? ` … (${payload.length} bytes)` : ''
    return (this.spec.payload === 'hex' ? shown.toString('hex') : quote(shown.toString())) + rest
  }

  #write(event: string, client: ClientInfo | undefined, what: string): void {
    // The end may have come since the last look at the clock.
    if (this.status !== 'running') return
    const at = new Date(this.#ctx.now()).toISOString()
    const who = client === undefined ? '' : ` clientid: ${quote(client.clientId)}, peerhost: ${client.peerhost},`
    const line = `${at} [${event}]${who} ${what}\n`
    this.#lines.push(line)
    this.#bytes += Buffer.byteLength(line)
    while (this.#bytes > MOST_BYTES && this.#lines.length > 1)
      this.#bytes -= Buffer.byteLength(this.#lines.shift() ?? '')
  }
}

/** One line, whatever is in it. */
function quote(text: string): string {
  return JSON.stringify(text)
}
