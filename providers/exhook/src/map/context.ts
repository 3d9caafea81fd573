import type { DescMessage, MessageInitShape } from '@hookmq/exhook-proto'
import { create, type ExHookVersion, toBinary, v3 } from '@hookmq/exhook-proto'

/** What requests are filled with beside the event itself. */
export interface MapContext {
  readonly version: ExHookVersion
  /** Name of this node. */
  readonly node: string
  /** In every request; undefined where it is said in another way. */
  readonly meta: RequestMeta | undefined
  /** The provider asked for what the messages of ExHook cannot carry: retain flag, MQTT 5 properties, reason codes. */
  readonly full: boolean
}

/** `bytes`: the same, encoded once. */
export interface RequestMeta {
  readonly fields: MessageInitShape<typeof v3.RequestMetaSchema>
  readonly bytes: Uint8Array
}

export function requestMeta(fields: MessageInitShape<typeof v3.RequestMetaSchema>): RequestMeta {
  return { fields, bytes: encode(v3.RequestMetaSchema, fields) }
}

/** The messages of v2 are those of v3 with fewer fields: one set of schemas encodes both. */
export function encode<S extends DescMessage>(schema: S, fields: MessageInitShape<S>): Uint8Array {
  return toBinary(schema, create(schema, fields))
}
