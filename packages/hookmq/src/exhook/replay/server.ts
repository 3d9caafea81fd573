import { topicMatches } from '@hookmq/mqtt'
import {
  type ExHookVersion,
  exhookCallOf,
  fromBinary,
  GrpcError,
  GrpcStatus,
  isValued,
  v3,
} from '@hookmq/provider-exhook/client'
import { HookmqError, messageOf } from '../../errors.ts'
import { type Answer, readAnswer } from '../answer.ts'
import { meta, placeOf, ServerLink } from '../link.ts'
import type { RecordedEvent, RecordedVerdict } from '../record/format.ts'
import { requestBytes } from '../record/request-fields.ts'
import { publishVerdict } from '../record/verdict.ts'
import type { Target } from './target.ts'

const jsonMeta = {
  node: meta.fields.node,
  version: meta.fields.version,
  sysdescr: meta.fields.sysdescr,
  cluster_name: meta.fields.clusterName,
}

/** A provider behind an address. Rejects with a HookmqError when it cannot be loaded. */
export async function serverTarget(url: string, settings: readonly string[]): Promise<Target> {
  const link = new ServerLink(placeOf(url, settings))
  try {
    const { version, hooks } = await load(link)
    const names = [...hooks.keys()]
    const way = await wayOf(link, version)
    return {
      name: url,
      about: `emqx.exhook.${version}${way}, ${names.length === 0 ? 'no hooks' : names.join(', ')}`,
      ask: (event) => ask(link, version, hooks, event),
      async close() {
        await link.leave(version).catch(() => {})
        link.close()
      },
    }
  } catch (error) {
    link.close()
    if (error instanceof HookmqError) throw error
    throw new HookmqError('CONNECT_FAILED', `${url}: ${messageOf(error)}; hookmq exhook doctor ${url} says more`)
  }
}

/** Opens the stream as the broker would, with `--set stream=…`. In words: how events go. */
async function wayOf(link: ServerLink, version: ExHookVersion): Promise<string> {
  const { stream } = link.place.settings
  if (version !== 'v3' || stream === 'off') return ''
  if (await link.openStream()) return ' over the stream'
  if (stream === 'on') throw new Error('it has no hookmq.exhook.v1.HookStream, and --set stream=on asks for it')
  return ''
}

type Registered = ReadonlyMap<string, readonly string[]>

async function load(link: ServerLink): Promise<{ version: ExHookVersion; hooks: Registered }> {
  const { version } = link.place.settings
  const wanted: readonly ExHookVersion[] = version === 'auto' ? ['v3', 'v2'] : [version]
  for (const [index, one] of wanted.entries()) {
    try {
      const { message } = await link.introduce(one)
      const { hooks } = fromBinary(v3.LoadedResponseSchema, message)
      const wrong = hooks.find(({ name }) => exhookCallOf(name) === undefined)
      if (wrong !== undefined) throw new Error(`the provider registers ${JSON.stringify(wrong.name)}, which is no hook`)
      return { version: one, hooks: new Map(hooks.map(({ name, topics }) => [name, topics])) }
    } catch (error) {
      const missing = error instanceof GrpcError && error.code === GrpcStatus.UNIMPLEMENTED
      if (!missing || index === wanted.length - 1) throw error
    }
  }
  throw new Error('unreachable')
}

interface About {
  readonly clientinfo?: { readonly clientid?: string }
  readonly conninfo?: { readonly clientid?: string }
  readonly message?: {
    readonly from?: string
    readonly topic?: string
    readonly qos?: number
    readonly payload?: string
  }
  readonly result?: boolean
}

async function ask(
  link: ServerLink,
  version: ExHookVersion,
  hooks: Registered,
  { hook, request, masked }: RecordedEvent,
): Promise<RecordedVerdict> {
  const about = request as About
  const topics = hooks.get(hook)
  const topic = about.message?.topic ?? ''
  const matches =
    topics !== undefined &&
    (topics.length === 0 || !hook.startsWith('message.') || topics.some((filter) => topicMatches(filter, topic)))
  if (!matches) return { ...undecided(hook, about), answer: 'not asked' }
  try {
    const bytes = requestBytes(hook, request, masked, version, jsonMeta)
    const key = about.clientinfo?.clientid ?? about.conninfo?.clientid ?? about.message?.from ?? ''
    const { message } = await link.call(version, exhookCallOf(hook)?.name ?? '', bytes, { key })
    if (!isValued(hook)) return { result: 'told' }
    return verdictOf(hook, about, bytes, readAnswer(hook, message))
  } catch (error) {
    return { result: 'error', reason: messageOf(error) }
  }
}

/** What holds when it says nothing. */
function undecided(hook: string, { result }: About): RecordedVerdict {
  if (hook === 'message.publish') return { result: 'pass' }
  return isValued(hook) ? { result: result === true ? 'allow' : 'deny' } : { result: 'told' }
}

function verdictOf(
  hook: string,
  about: About,
  request: Uint8Array,
  { type, allowed, message, problem }: Answer,
): RecordedVerdict {
  if (problem?.fails === true) return { result: 'error', reason: problem.text }
  if (problem !== undefined) return { ...undecided(hook, about), answer: `${type}, not usable: ${problem.text}` }
  if (allowed !== undefined) return { result: allowed ? 'allow' : 'deny', answer: type }
  if (message === undefined) return { ...undecided(hook, about), answer: type }
  if (message.headers.allow_publish === 'false') return { result: 'drop', code: 0x10, answer: type }
  const before = fromBinary(v3.MessagePublishRequestSchema, request).message
  const sent = { topic: before?.topic ?? '', qos: before?.qos ?? 0, payload: before?.payload ?? new Uint8Array() }
  return { ...publishVerdict(sent, message, true), answer: type }
}
