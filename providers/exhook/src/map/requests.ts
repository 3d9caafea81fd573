import type { HookAccumulator, HookArgs, HookPointName } from '@hookmq/api'
import { clientRequests } from './client.ts'
import type { ClientInfoCache } from './client-info.ts'
import type { MapContext } from './context.ts'
import { decisionRequests } from './decision.ts'
import { messageRequests } from './message-requests.ts'
import { sessionRequests } from './session.ts'

/** The 19 points that ExHook knows: their names are the same on both sides. */
export type ExHookPoint =
  | 'client.connect'
  | 'client.connack'
  | 'client.connected'
  | 'client.disconnected'
  | 'client.authenticate'
  | 'client.authorize'
  | 'client.subscribe'
  | 'client.unsubscribe'
  | 'session.created'
  | 'session.subscribed'
  | 'session.unsubscribed'
  | 'session.resumed'
  | 'session.discarded'
  | 'session.takenover'
  | 'session.terminated'
  | 'message.publish'
  | 'message.delivered'
  | 'message.dropped'
  | 'message.acked'

export interface EncodeContext extends MapContext {
  readonly clients: ClientInfoCache
}

/** An event as the bytes of its request; undefined: this one is not sent. */
type Encoder<P extends HookPointName> = (
  context: EncodeContext,
  args: HookArgs<P>,
  accumulator: HookAccumulator<P> | undefined,
) => Uint8Array | undefined

export type Encoders = { readonly [P in ExHookPoint]: Encoder<P> }

const encoders: Encoders = { ...clientRequests, ...decisionRequests, ...sessionRequests, ...messageRequests }

export function isExHookPoint(point: HookPointName): point is ExHookPoint {
  return Object.hasOwn(encoders, point)
}

/** The request of an event; undefined: this one is not sent. */
export function encodeRequest<P extends HookPointName>(
  context: EncodeContext,
  point: P,
  args: HookArgs<P>,
  accumulator: HookAccumulator<P> | undefined,
): Uint8Array | undefined {
  if (!isExHookPoint(point)) return undefined
  // The key picks the encoder of this very point; TypeScript does not follow it through the table.
  const encoder = encoders[point] as unknown as Encoder<P>
  return encoder(context, args, accumulator)
}

/** Whose event it is: all events of one key go over one connection, in order. */
export function keyOf(args: unknown, accumulator: unknown): string {
  const { client, connInfo, message } = args as {
    readonly client?: { readonly clientId: string }
    readonly connInfo?: { readonly clientId: string }
    readonly message?: { readonly from: string }
  }
  if (client !== undefined) return client.clientId
  if (connInfo !== undefined) return connInfo.clientId
  return message?.from ?? (accumulator as { readonly from?: string } | undefined)?.from ?? ''
}
