import { create, exhookCalls, exhookHookNames, fromBinary, v3 } from '@hookmq/exhook-proto'
import type { Hooks } from './hooks.ts'
import { LazyMessageRequest, type Message, messageRequestTags } from './message.ts'
import { encodeVerdict, type ValueKind } from './verdict.ts'
import { Reader } from './wire.ts'

export const ignored: Buffer = Buffer.from([0x08, 0x01])
const nothing = Buffer.alloc(0)

/** One hook, ready to be called with bytes. */
export interface CompiledHook {
  readonly name: string
  readonly topics: readonly string[]
  readonly valued: boolean
  /**
   * Runs the hook. The answer is a ValuedResponse in bytes; undefined for IGNORE, and for notifications. A promise only when the
   * handler gave one. Throws what the handler throws.
   */
  run(
    buffer: Buffer,
    start: number,
    end: number,
    meta: v3.RequestMeta | undefined,
  ): Buffer | undefined | Promise<Buffer | undefined>
}

type Handler = (subject: unknown, request: unknown) => unknown

/** By the number of the call, which is the number of the field in an Event: client.connect is 3. */
export type HookTable = readonly (CompiledHook | undefined)[]

/** Throws when a name is unknown or a definition is no hook. */
export function compileHooks(hooks: Hooks): HookTable {
  for (const name of Object.keys(hooks)) if (!exhookHookNames.includes(name)) throw unknownHook(name)
  const table: (CompiledHook | undefined)[] = [undefined]
  for (const call of exhookCalls) {
    const { hook: name } = call
    const given: unknown = name === undefined ? undefined : hooks[name as keyof Hooks]
    if (name === undefined || given === undefined) {
      table.push(undefined)
      continue
    }
    const { handle, topics } = readDefinition(name, given)
    const kind = call.valued ? (name === 'message.publish' ? 'message' : 'boolean') : undefined
    const read = name in messageRequestTags ? messageReader(name) : plainReader(call.v3.request, name)
    table.push({ name, topics, valued: call.valued, run: runner(name, kind, handle, read) })
  }
  return table
}

interface ReadRequest {
  readonly subject: unknown
  readonly request: unknown
  readonly message: Message | undefined
}

type RequestReader = (buffer: Buffer, start: number, end: number, meta: v3.RequestMeta | undefined) => ReadRequest

function messageReader(name: string): RequestReader {
  const tags = messageRequestTags[name]
  return (buffer, start, end, meta) => {
    const request = new LazyMessageRequest(buffer, start, end, tags, meta)
    return { subject: request.message, request, message: request.message }
  }
}

function plainReader(schema: Parameters<typeof fromBinary>[0], name: string): RequestReader {
  const subject = name === 'client.connect' || name === 'client.connack' ? 'conninfo' : 'clientinfo'
  return (buffer, start, end, meta) => {
    const request = fromBinary(schema, buffer.subarray(start, end)) as unknown as Record<string, unknown>
    if (meta !== undefined) request.meta = meta
    for (const filter of (request.topicFilters as v3.TopicFilter[] | undefined) ?? []) addOptions(filter)
    request[subject] ??= fromBinary(subject === 'conninfo' ? v3.ConnInfoSchema : v3.ClientInfoSchema, nothing)
    return { subject: request[subject], request, message: undefined }
  }
}

/** EMQX 5.0 to 5.3 has the QoS as number 2, and no options. */
function addOptions(filter: v3.TopicFilter): void {
  const early = filter.$unknown?.find(({ no, wireType }) => no === 2 && wireType === 0)
  if (filter.subopts !== undefined || early === undefined) return
  filter.subopts = create(v3.SubOptsSchema, { qos: new Reader(Buffer.from(early.data)).varint() })
}

function runner(name: string, kind: ValueKind | undefined, handle: Handler, read: RequestReader): CompiledHook['run'] {
  return (buffer, start, end, meta) => {
    const { subject, request, message } = read(buffer, start, end, meta)
    const answer = handle(subject, request)
    if (answer === undefined) return undefined
    if (!isThenable(answer)) return kind === undefined ? undefined : encodeVerdict(name, kind, answer, message)
    return Promise.resolve(answer).then((verdict) =>
      kind === undefined ? undefined : encodeVerdict(name, kind, verdict, message),
    )
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}

function readDefinition(name: string, given: unknown): { handle: Handler; topics: readonly string[] } {
  if (typeof given === 'function') return { handle: given as Handler, topics: [] }
  const { handle, topics = [] } = (given ?? {}) as { readonly handle?: unknown; readonly topics?: unknown }
  if (typeof handle !== 'function')
    throw new TypeError(`hook '${name}': expected a function, or { topics, handle } with a function`)
  if (!Array.isArray(topics) || topics.some((topic) => typeof topic !== 'string' || topic === ''))
    throw new TypeError(`hook '${name}': topics must be a list of topic filters`)
  if (topics.length > 0 && !name.startsWith('message.'))
    throw new TypeError(`hook '${name}': only the hooks message.* take topics`)
  // Called on its definition, so that `this` works.
  return { handle: (subject, request) => handle.call(given, subject, request), topics }
}

function unknownHook(name: string): Error {
  const nearest = exhookHookNames
    .map((known) => ({ known, distance: editDistance(name, known) }))
    .sort((a, b) => a.distance - b.distance)[0]
  const hint = nearest.distance <= 4 ? `; did you mean '${nearest.known}'?` : ''
  return new TypeError(`'${name}' is no hook${hint} The hooks are ${exhookHookNames.join(', ')}`)
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]
}
