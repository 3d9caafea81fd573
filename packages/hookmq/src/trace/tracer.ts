import { resolve } from 'node:path'
import type { ClientInfo, HookHandle, HookHandler, HookOptions, HookPointName, Message } from '@hookmq/api'
import { topicMatches } from '@hookmq/mqtt'
import { messageOf } from '../errors.ts'
import { TraceFile } from './file.ts'

export type TraceType = 'client' | 'topic' | 'ip_address'

export interface TraceView {
  readonly type: TraceType
  /** A client id, a topic filter or an IP address. */
  readonly filter: string
  readonly file: string
  readonly level: string
}

interface Trace extends TraceView {
  readonly output: TraceFile
}

/** What one process of the broker tells the others of a trace: all of them write to the same file. */
export interface TraceChange {
  readonly start?: TraceView
  readonly stop?: Pick<TraceView, 'type' | 'filter'>
}

export type AddHook = <P extends HookPointName>(point: P, handler: HookHandler<P>, options: HookOptions) => HookHandle

/** Each of them costs something on every message. */
const maxTraces = 16
/** Before every other hook: what came in. */
const first = { priority: 1_000_000 }
/** Behind every other sink: what will be routed. */
const last: HookOptions = { priority: -1_000_000, phase: 'sink' }

/**
 * Writes what happens to chosen clients, topics and addresses to files. Its hooks are there only while there is a trace, and change nothing.
 * Payloads and passwords are never written, only how long a payload is.
 */
export class Tracer {
  readonly #addHook: AddHook
  readonly #maxBytes: number | undefined
  readonly #traces = new Map<string, Trace>()
  readonly #spread: (change: TraceChange) => Promise<unknown>
  #hooks: HookHandle[] = []

  /** `maxBytes`: of what this process writes to one file; default 64 MB. `spread`: has the tracers of other processes do the same, with `follow`. */
  constructor(
    addHook: AddHook,
    maxBytes?: number,
    spread: (change: TraceChange) => Promise<unknown> = () => Promise.resolve(),
  ) {
    this.#addHook = addHook
    this.#maxBytes = maxBytes
    this.#spread = spread
  }

  list(): readonly TraceView[] {
    return [...this.#traces.values()].map(({ type, filter, file, level }) => ({ type, filter, file, level }))
  }

  /** undefined: it runs. Else what is wrong, in a word or a sentence. The file is appended to. */
  async start(type: TraceType, filter: string, path: string, level = 'debug'): Promise<string | undefined> {
    const file = resolve(path)
    const problem = await this.#start({ type, filter, file, level })
    if (problem === undefined) await this.#spread({ start: { type, filter, file, level } })
    return problem
  }

  /** Resolves once what was traced is in the file. false: there is no such trace. */
  async stop(type: TraceType, filter: string): Promise<boolean> {
    const [stopped] = await Promise.all([this.#stop(type, filter), this.#spread({ stop: { type, filter } })])
    return stopped
  }

  /** Another process was told to begin or to end a trace. */
  async follow({ start, stop }: TraceChange): Promise<void> {
    if (start !== undefined) await this.#start(start)
    if (stop !== undefined) await this.#stop(stop.type, stop.filter)
  }

  async #start({ type, filter, file, level }: TraceView): Promise<string | undefined> {
    const key = `${type} ${filter}`
    if (this.#traces.has(key)) return 'already_existed'
    if (this.#traces.size >= maxTraces) return `there are ${maxTraces} traces already; stop one of them first`
    if ([...this.#traces.values()].some((trace) => trace.file === file)) return `${file} is the file of another trace`
    let output: TraceFile
    try {
      output = await TraceFile.open(file, this.#maxBytes)
    } catch (error) {
      return messageOf(error)
    }
    this.#traces.set(key, { type, filter, file, level, output })
    if (this.#hooks.length === 0) this.#listen()
    return undefined
  }

  async #stop(type: TraceType, filter: string): Promise<boolean> {
    const key = `${type} ${filter}`
    const trace = this.#traces.get(key)
    if (trace === undefined) return false
    this.#traces.delete(key)
    if (this.#traces.size === 0) for (const hook of this.#hooks.splice(0)) hook.remove()
    await trace.output.close()
    return true
  }

  #write(client: ClientInfo | undefined, topic: string | undefined, event: string, detail: string): void {
    for (const trace of this.#traces.values()) {
      if (!concerns(trace, client, topic)) continue
      const who = client === undefined ? '-' : `${client.clientId}@${client.peerhost}:${client.peerport}`
      trace.output.write(`${new Date().toISOString()} [${who}] ${event}: ${detail}`)
    }
  }

  #listen(): void {
    const add = <P extends HookPointName>(point: P, handler: HookHandler<P>, options: HookOptions = first): void => {
      this.#hooks.push(this.#addHook(point, handler, { ...options, name: 'trace' }))
    }
    add('client.check_authn_complete', ({ client, reasonCode, anonymous }) =>
      this.#write(client, undefined, 'CONNECT', `authentication ${code(reasonCode)}${anonymous ? ', anonymous' : ''}`),
    )
    add('client.connected', ({ client, connInfo }) =>
      this.#write(
        client,
        undefined,
        'CONNECTED',
        `${connInfo.protocolName} ${connInfo.protocolVersion}, keep alive ${connInfo.keepAlive} s, clean start ${connInfo.cleanStart}, user ${client.username ?? 'undefined'}`,
      ),
    )
    add('client.disconnected', ({ client, reason }) => this.#write(client, undefined, 'DISCONNECTED', reason))
    add('client.check_authz_complete', ({ client, action, topic, qos, result, from }) =>
      this.#write(client, topic, 'AUTHORIZE', `${action} ${topic} qos ${qos}: ${result} by ${from}`),
    )
    add('session.subscribed', ({ client, topic, options }) =>
      this.#write(client, topic, 'SUBSCRIBE', `${topic} qos ${options.qos}`),
    )
    add('session.unsubscribed', ({ client, topic }) => this.#write(client, topic, 'UNSUBSCRIBE', topic))
    add('message.publish', ({ client }, message) => this.#write(client, message.topic, 'PUBLISH', described(message)))
    add(
      'message.publish',
      ({ client }, message) => this.#write(client, message.topic, 'ROUTE', described(message)),
      last,
    )
    add('message.dropped', ({ message, reason }) =>
      this.#write(undefined, message.topic, 'DROPPED', `${reason}: ${described(message)}`),
    )
    add('message.delivered', ({ client }, message) =>
      this.#write(client, message.topic, 'DELIVER', `${described(message)} from ${message.from}`),
    )
    add('message.acked', ({ client, message }) => this.#write(client, message.topic, 'ACKED', described(message)))
    add('delivery.dropped', ({ client, message, reason }) =>
      this.#write(client, message.topic, 'DELIVERY DROPPED', `${reason}: ${described(message)}`),
    )
  }
}

function concerns({ type, filter }: TraceView, client: ClientInfo | undefined, topic: string | undefined): boolean {
  if (type === 'client') return client?.clientId === filter
  if (type === 'ip_address') return client?.peerhost === filter
  return topic !== undefined && (topic === filter || topicMatches(filter, topic))
}

function described({ topic, qos, retain, payload }: Message): string {
  return `${topic} qos ${qos}${retain ? ' retained' : ''}, ${payload.length} bytes`
}

function code(reasonCode: number): string {
  return reasonCode === 0 ? 'succeeded' : `refused with 0x${reasonCode.toString(16)}`
}
