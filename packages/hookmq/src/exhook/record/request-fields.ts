import {
  ClientInfoCache,
  type EncodeContext,
  type ExHookPoint,
  encodeRequest,
  exhookCallOf,
  fromBinary,
  fromJson,
  type JsonValue,
  toBinary,
  toJson,
} from '@hookmq/provider-exhook/client'
import type { Masked, RequestFields } from './format.ts'

/** What stands in the place of a password. */
const maskedText = '******'
const authenticationData = 'Authentication-Data'

export interface Masking {
  readonly payloads: boolean
  readonly passwords: boolean
}

/** How requests are written down: as those of v3. */
export function recordContext(node: string): EncodeContext {
  const fields = { version: 'v3', node, meta: undefined, full: false } as const
  return { ...fields, clients: new ClientInfoCache(fields) }
}

/** An event as the fields of its request; undefined: no provider gets it. */
export function requestFields(
  context: EncodeContext,
  hook: ExHookPoint,
  args: unknown,
  accumulator: unknown,
  keep: Masking,
): { readonly request: RequestFields; readonly masked?: Masked } | undefined {
  const bytes = encodeRequest(context, hook, args as never, accumulator as never)
  const schema = exhookCallOf(hook)?.v3.request
  if (bytes === undefined || schema === undefined) return undefined
  const request = toJson(schema, fromBinary(schema, bytes), { useProtoFieldName: true }) as Record<string, unknown>
  const masked = mask(request, keep)
  return masked === undefined ? { request } : { request, masked }
}

function mask(request: Record<string, unknown>, keep: Masking): Masked | undefined {
  const masked: { -readonly [K in keyof Masked]: Masked[K] } = {}
  const { clientinfo, message, props } = request as {
    clientinfo?: { password?: string }
    message?: { payload?: string }
    props?: { name: string; value: string }[]
  }
  if (!keep.passwords && clientinfo?.password !== undefined && clientinfo.password !== '') {
    clientinfo.password = maskedText
    masked.password = true
  }
  const data = keep.passwords ? undefined : props?.find(({ name }) => name === authenticationData)
  if (data !== undefined) {
    data.value = maskedText
    masked.authentication_data = true
  }
  if (!keep.payloads && message?.payload !== undefined && message.payload !== '') {
    masked.payload = Buffer.from(message.payload, 'base64').length
    delete message.payload
  }
  return Object.keys(masked).length === 0 ? undefined : masked
}

/** The same request, as bytes; what was masked is filled with something of its kind. `meta`: what goes with it. */
export function requestBytes(
  hook: string,
  request: RequestFields,
  masked: Masked | undefined,
  version: 'v2' | 'v3',
  meta: unknown,
): Uint8Array {
  const schema = exhookCallOf(hook)?.v3.request
  if (schema === undefined) throw new Error(`there is no hook ${hook}`)
  const fields: Record<string, unknown> = { ...filled(request, masked), meta }
  if (version === 'v2') {
    delete fields.user_props
    if (hook === 'message.publish') delete fields.props
  }
  return toBinary(schema, fromJson(schema, fields as JsonValue, { ignoreUnknownFields: true }))
}

/** Masked payloads become as many letters x. */
export function filled(request: RequestFields, masked: Masked | undefined): RequestFields {
  if (masked?.payload === undefined) return request
  return {
    ...request,
    message: { ...(request.message as object), payload: Buffer.alloc(masked.payload, 'x').toString('base64') },
  }
}
