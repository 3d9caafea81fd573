import type { DescMessage } from '@bufbuild/protobuf'
import * as v2 from './generated/emqx/exhook/v2/exhook_pb.ts'
import * as v3 from './generated/emqx/exhook/v3/exhook_pb.ts'

export type ExHookVersion = 'v2' | 'v3'

/** One of the 21 calls of a HookProvider. */
export interface ExHookCall {
  /** Such as OnClientConnect. */
  readonly name: string
  /** What a provider writes into its LoadedResponse to get this call; undefined for the two about the provider itself. */
  readonly hook: string | undefined
  /** true: the answer is a ValuedResponse and decides or changes something. */
  readonly valued: boolean
  readonly v2: { readonly request: DescMessage; readonly reply: DescMessage }
  readonly v3: { readonly request: DescMessage; readonly reply: DescMessage }
}

function call(method: keyof typeof v3.HookProvider.method, hook: string | undefined): ExHookCall {
  const [second, third] = [v2.HookProvider.method[method], v3.HookProvider.method[method]]
  return {
    name: third.name,
    hook,
    valued: third.output.typeName === v3.ValuedResponseSchema.typeName,
    v2: { request: second.input, reply: second.output },
    v3: { request: third.input, reply: third.output },
  }
}

/** In the order of the service. */
export const exhookCalls: readonly ExHookCall[] = [
  call('onProviderLoaded', undefined),
  call('onProviderUnloaded', undefined),
  call('onClientConnect', 'client.connect'),
  call('onClientConnack', 'client.connack'),
  call('onClientConnected', 'client.connected'),
  call('onClientDisconnected', 'client.disconnected'),
  call('onClientAuthenticate', 'client.authenticate'),
  call('onClientAuthorize', 'client.authorize'),
  call('onClientSubscribe', 'client.subscribe'),
  call('onClientUnsubscribe', 'client.unsubscribe'),
  call('onSessionCreated', 'session.created'),
  call('onSessionSubscribed', 'session.subscribed'),
  call('onSessionUnsubscribed', 'session.unsubscribed'),
  call('onSessionResumed', 'session.resumed'),
  call('onSessionDiscarded', 'session.discarded'),
  call('onSessionTakenover', 'session.takenover'),
  call('onSessionTerminated', 'session.terminated'),
  call('onMessagePublish', 'message.publish'),
  call('onMessageDelivered', 'message.delivered'),
  call('onMessageDropped', 'message.dropped'),
  call('onMessageAcked', 'message.acked'),
]

const byHook: ReadonlyMap<string, ExHookCall> = new Map(
  exhookCalls.flatMap((one) => (one.hook === undefined ? [] : [[one.hook, one] as const])),
)

/** The 19 names that a provider may register; exact and case-sensitive. */
export const exhookHookNames: readonly string[] = [...byHook.keys()]

export function exhookCallOf(hook: string): ExHookCall | undefined {
  return byHook.get(hook)
}

/** HTTP/2 path of a call: `/emqx.exhook.v3.HookProvider/OnClientConnect`. */
export function exhookPath(version: ExHookVersion, name: string): string {
  return `/emqx.exhook.${version}.HookProvider/${name}`
}
