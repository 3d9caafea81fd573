import type { HookSpec } from '@hookmq/api'
import { type ExHookVersion, exhookCallOf, exhookHookNames, exhookPath, fromBinary, v3 } from '@hookmq/exhook-proto'
import { encode, type RequestMeta } from '../map/index.ts'
import type { ServerSettings } from '../settings.ts'
import { GrpcError, GrpcStatus } from './grpc-status.ts'
import type { UnaryReply, UnaryTransport } from './transport.ts'

/** What servers are told about the broker. */
export interface BrokerIdentity {
  readonly node: string
  readonly version: string
  readonly clusterName: string
  /** Milliseconds since the epoch. */
  readonly startedAt: number
}

/** How a server has introduced itself. */
export interface Introduction {
  readonly version: ExHookVersion
  readonly reply: UnaryReply
}

/** What the broker is called. */
export const product = 'HookMQ'

const observed = new Set([
  'client.connect',
  'client.connack',
  'client.subscribe',
  'client.unsubscribe',
  'message.delivered',
])

/** OnProviderLoaded, in the newest version that the server knows. */
export async function introduce(
  transport: UnaryTransport,
  settings: ServerSettings,
  broker: BrokerIdentity,
  meta: RequestMeta,
): Promise<Introduction> {
  const request = encode(v3.ProviderLoadedRequestSchema, {
    broker: {
      version: broker.version,
      sysdescr: product,
      uptime: BigInt(Math.max(0, Date.now() - broker.startedAt)),
      datetime: localTime(new Date()),
    },
    meta: meta.fields,
  })
  const options = { key: '', deadline: settings.requestTimeout, timeout: settings.requestTimeout }
  const ask = async (version: ExHookVersion): Promise<Introduction> => ({
    version,
    reply: await transport.call(exhookPath(version, 'OnProviderLoaded'), request, options).reply,
  })
  if (settings.version !== 'auto') return ask(settings.version)
  try {
    return await ask('v3')
  } catch (error) {
    if (!isUnimplemented(error)) throw error
  }
  try {
    return await ask('v2')
  } catch (error) {
    if (!isUnimplemented(error)) throw error
    throw new Error(
      `${settings.url} has neither emqx.exhook.v3 nor emqx.exhook.v2: no ExHook server? (${error.message})`,
    )
  }
}

/** The hooks that a server registers. Throws for a name that does not exist: as in EMQX, one is enough to fail the load. */
export function readHooks(reply: Uint8Array): HookSpec[] {
  let response: v3.LoadedResponse
  try {
    response = fromBinary(v3.LoadedResponseSchema, reply)
  } catch (error) {
    throw new Error(
      `the reply to OnProviderLoaded is no LoadedResponse: ${error instanceof Error ? error.message : error}`,
    )
  }
  const hooks = new Map<string, HookSpec>()
  for (const { name, topics } of response.hooks) {
    if (exhookCallOf(name) === undefined)
      throw new Error(
        `unknown_hookpoint: the server asks for the hook ${JSON.stringify(name)}, which does not exist; the hooks are ${exhookHookNames.join(', ')}`,
      )
    // As EMQX has it: the first of two counts, and only messages have topics.
    if (!hooks.has(name))
      hooks.set(name, { name, observe: observed.has(name), ...(name.startsWith('message.') ? { topics } : {}) })
  }
  return [...hooks.values()]
}

/** RFC 3339 with nanoseconds and offset, in local time. */
export function localTime(now: Date): string {
  const offset = -now.getTimezoneOffset()
  const local = new Date(now.getTime() + offset * 60_000).toISOString().slice(0, -1)
  const two = (value: number) => String(Math.trunc(value)).padStart(2, '0')
  const distance = Math.abs(offset)
  return `${local}000000${offset < 0 ? '-' : '+'}${two(distance / 60)}:${two(distance % 60)}`
}

function isUnimplemented(error: unknown): error is GrpcError {
  return error instanceof GrpcError && error.code === GrpcStatus.UNIMPLEMENTED
}
