import type { HookPointName, ListenerHost, Transport, TransportHandler } from '@hookmq/api'
import { type Packet, parser } from 'mqtt-packet'

/** Points that say little in most sequences; `lines` leaves them out unless asked for. */
const internalPoints: readonly string[] = [
  'client.check_authn_complete',
  'client.post_authn',
  'client.check_authz_complete',
]

export interface HookCall {
  readonly point: HookPointName
  readonly args: Record<string, unknown>
  readonly accumulator: unknown
}

/** All that happened in one broker, in order: hook calls and packets on the wire. */
export class Recorder {
  readonly calls: HookCall[] = []
  #lines: { line: string; point: string; client: string }[] = []

  /** Forgets everything so far. */
  clear(): void {
    this.calls.length = 0
    this.#lines.length = 0
  }

  hook(point: HookPointName, args: unknown, accumulator: unknown): void {
    const values = args as Record<string, unknown>
    this.calls.push({ point, args: values, accumulator })
    const client = clientOf(point, values, accumulator)
    this.#lines.push({ line: [point, ...details(point, values, accumulator)].join(' '), point, client })
  }

  packet(client: string, direction: '<' | '>', packet: Packet): void {
    this.#lines.push({ line: `${direction}${packet.cmd.toUpperCase()}`, point: 'wire', client })
  }

  /** How often a point ran. */
  count(point: HookPointName): number {
    return this.calls.filter((call) => call.point === point).length
  }

  of(point: HookPointName): HookCall[] {
    return this.calls.filter((call) => call.point === point)
  }

  /**
   * One line for each event: 'message.dropped t no_subscribers', '>PUBLISH' (to the broker), '<PUBACK' (from it).
   * `client` keeps those of one client.
   */
  lines(options: { client?: string; wire?: boolean; internal?: boolean } = {}): string[] {
    return this.#lines
      .filter(({ point }) => (options.wire ?? true) || point !== 'wire')
      .filter(({ point }) => options.internal === true || !internalPoints.includes(point))
      .filter(({ client }) => options.client === undefined || client === options.client)
      .map(({ line }) => line)
  }

  /** A listener whose connections are written down. */
  watch(host: ListenerHost): ListenerHost {
    const recorder = this
    return {
      log: host.log,
      accept(transport: Transport): TransportHandler {
        let client = ''
        const incoming = parser({ protocolVersion: 4 })
        let outgoing = parser({ protocolVersion: 4 })
        incoming.on('packet', (packet) => {
          if (packet.cmd === 'connect') {
            client = packet.clientId
            outgoing = parser({ protocolVersion: packet.protocolVersion })
            outgoing.on('packet', (sent) => recorder.packet(client, '<', sent))
            outgoing.on('error', () => {})
          }
          recorder.packet(client, '>', packet)
        })
        incoming.on('error', () => {})
        outgoing.on('error', () => {})
        const handler = host.accept(watchWrites(transport, (bytes) => outgoing.parse(Buffer.from(bytes))))
        return {
          data(chunk) {
            incoming.parse(Buffer.from(chunk))
            handler.data(chunk)
          },
          drain: () => handler.drain(),
          closed: (reason) => handler.closed(reason),
        }
      },
    }
  }
}

/** The same transport, with `seen` called for all that is written. */
function watchWrites(transport: Transport, seen: (bytes: Uint8Array) => void): Transport {
  return new Proxy(transport, {
    get(target, name) {
      if (name === 'write') {
        return (bytes: Uint8Array) => {
          seen(bytes)
          target.write(bytes)
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
}

function clientOf(point: HookPointName, args: Record<string, unknown>, accumulator: unknown): string {
  const id = field(args.client, 'clientId') ?? field(args.connInfo, 'clientId')
  if (typeof id === 'string') return id
  const message = point === 'message.publish' ? accumulator : args.message
  return String(field(message, 'from') ?? '')
}

function details(point: HookPointName, args: Record<string, unknown>, accumulator: unknown): string[] {
  switch (point) {
    case 'client.connack':
    case 'client.disconnected':
    case 'session.terminated':
      return [String(args.reason)]
    case 'client.authorize':
      return [String(args.action), String(args.topic)]
    case 'client.check_authz_complete':
      return [String(args.action), String(args.topic), String(args.result), String(args.from)]
    case 'client.check_authn_complete':
      return [`0x${Number(args.reasonCode).toString(16)}`]
    case 'client.subscribe':
    case 'client.unsubscribe':
      return (accumulator as readonly { filter: string }[]).map(({ filter }) => filter)
    case 'session.subscribed':
      return [String(args.topic), args.isNew === true ? 'new' : 'again']
    case 'session.unsubscribed':
      return [String(args.topic)]
    case 'message.publish':
    case 'message.delivered':
      return [String(field(accumulator, 'topic'))]
    case 'message.acked':
    case 'delivery.completed':
      return [String(field(args.message, 'topic'))]
    case 'message.dropped':
    case 'delivery.dropped':
      return [String(field(args.message, 'topic')), String(args.reason)]
    case 'message.puback':
      return [`0x${Number(accumulator).toString(16)}`]
    default:
      return []
  }
}
