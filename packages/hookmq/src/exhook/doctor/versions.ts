import { topicFilterError } from '@hookmq/mqtt'
import {
  type ExHookPoint,
  type ExHookVersion,
  exchangePath,
  exhookCallOf,
  exhookHookNames,
  fromBinary,
  GrpcError,
  GrpcStatus,
  StreamTransport,
  v3,
} from '@hookmq/provider-exhook/client'
import { messageOf } from '../../errors.ts'
import { meta, type ServerLink } from '../link.ts'
import type { Findings } from './findings.ts'

/** One of the hooks that a provider asks for. */
export interface RegisteredHook {
  readonly name: ExHookPoint
  /** message.* only; empty: all. */
  readonly topics: readonly string[]
}

/** A version that the provider speaks. */
export interface SpokenVersion {
  readonly version: ExHookVersion
  /** Milliseconds that OnProviderLoaded took. */
  readonly took: number
  readonly hooks: readonly RegisteredHook[]
}

/** A provider takes this long to start, and events are missed: worth a word. */
const longStart = 1000

/** Asks for each version; those that are there, the newest first. */
export async function findVersions(link: ServerLink, findings: Findings): Promise<SpokenVersion[]> {
  const { settings } = link.place
  const wanted: readonly ExHookVersion[] = settings.version === 'auto' ? ['v3', 'v2'] : [settings.version]
  const spoken: SpokenVersion[] = []
  let unknown = 0
  for (const version of wanted) {
    const began = performance.now()
    try {
      const { message } = await link.introduce(version)
      const took = performance.now() - began
      const hooks = readHooks(message, findings)
      spoken.push({ version, took, hooks })
      if (took >= longStart) findings.add('late-start', `OnProviderLoaded of ${version} took ${Math.round(took)} ms`)
    } catch (error) {
      if (error instanceof GrpcError && error.code === GrpcStatus.UNIMPLEMENTED && !isHttp(error)) unknown++
      else {
        loadFailed(version, error, settings.requestTimeout, findings)
        break
      }
    }
  }
  if (spoken.length === 0 && unknown === wanted.length) await noVersion(link, wanted, findings)
  if (spoken.length === 2 && registration(spoken[0]) !== registration(spoken[1]))
    findings.add('versions-differ', 'v3 and v2 register different hooks')
  return spoken
}

function registration({ hooks }: SpokenVersion): string {
  return JSON.stringify([...hooks].sort((one, other) => (one.name < other.name ? -1 : 1)))
}

function isHttp(error: GrpcError): boolean {
  return error.message.includes('HTTP status')
}

function loadFailed(version: string, error: unknown, timeout: number, findings: Findings): void {
  const what = `OnProviderLoaded of ${version}`
  if (!(error instanceof GrpcError)) findings.add('load-refused', `${what}: ${messageOf(error)}`)
  else if (isHttp(error) || error.message.includes('without grpc-status'))
    findings.add('not-grpc', `${what}: ${error.message}`)
  else if (error.code === GrpcStatus.DEADLINE_EXCEEDED)
    findings.add('slow-start', `${what} was not answered within ${timeout} ms`)
  else if (error.message.includes('compressed')) findings.add('compressed-answer', `${what} is answered compressed`)
  else if (!error.fromServer && error.code === GrpcStatus.UNAVAILABLE)
    findings.add('connection-broken', `${what}: ${error.message}`)
  else findings.add('load-refused', `${what} failed: ${error.message}`)
}

async function noVersion(link: ServerLink, wanted: readonly string[], findings: Findings): Promise<void> {
  const old = await link.introduce('v1').then(
    () => true,
    () => false,
  )
  if (old) findings.add('only-v1', 'The server speaks emqx.exhook.v1 and nothing newer')
  else
    findings.add(
      'no-exhook-service',
      `This gRPC server has no HookProvider of ${wanted.map((one) => `emqx.exhook.${one}`).join(' or ')}`,
    )
}

function readHooks(reply: Uint8Array, findings: Findings): RegisteredHook[] {
  let specs: readonly v3.HookSpec[]
  try {
    specs = fromBinary(v3.LoadedResponseSchema, reply).hooks
  } catch (error) {
    findings.add('bad-loaded-response', `The reply to OnProviderLoaded is no LoadedResponse: ${messageOf(error)}`)
    return []
  }
  const hooks = new Map<string, RegisteredHook>()
  for (const { name, topics } of specs) {
    if (!isHook(name)) {
      findings.add('unknown-hook', `There is no hook ${JSON.stringify(name)}${nearTo(name)}`)
      continue
    }
    if (hooks.has(name)) findings.add('duplicate-hook', `${name} is registered twice`)
    else hooks.set(name, { name, topics: checkedTopics(name, topics, findings) })
  }
  if (specs.length === 0) findings.add('no-hooks', 'The provider registers no hooks')
  return [...hooks.values()]
}

function isHook(name: string): name is ExHookPoint {
  return exhookCallOf(name) !== undefined
}

function checkedTopics(hook: string, topics: readonly string[], findings: Findings): string[] {
  if (topics.length > 0 && !hook.startsWith('message.')) {
    findings.add('topics-ignored', `${hook} is registered with topics`)
    return []
  }
  for (const filter of topics) {
    const problem = topicFilterError(filter)
    if (problem !== undefined)
      findings.add('invalid-topic-filter', `${hook}: ${JSON.stringify(filter)}: ${problem.message}`)
    else if (filter.startsWith('$SYS/')) findings.add('topics-never-sent', `${hook}: ${filter}`)
  }
  return [...topics]
}

/** Names of EMQX 4, of the calls, and of other ways to write them. */
const otherNames: Readonly<Record<string, string>> = {
  'client.check_acl': 'client.authorize',
  'client.acl': 'client.authorize',
  'client.auth': 'client.authenticate',
  'session.takeovered': 'session.takenover',
  'session.takeover': 'session.takenover',
  'message.deliver': 'message.delivered',
  'message.drop': 'message.dropped',
  'message.ack': 'message.acked',
}

function nearTo(name: string): string {
  const plain = (text: string) =>
    text
      .toLowerCase()
      .replace(/^on/, '')
      .replace(/[^a-z]/g, '')
  const meant = otherNames[name] ?? exhookHookNames.find((one) => plain(one) === plain(name)) ?? nearest(name)
  return meant === undefined ? `; the hooks are ${exhookHookNames.join(', ')}` : `; did you mean ${meant}?`
}

/** The one whose second word begins, or ends, alike. */
function nearest(name: string): string | undefined {
  const [, word = ''] = name.toLowerCase().split('.')
  if (word.length < 4) return undefined
  return exhookHookNames.find((one) => {
    const [, other] = one.split('.')
    return other.startsWith(word.slice(0, 5)) || word.startsWith(other.slice(0, 5))
  })
}

/** Whether the provider also has the stream of batches. */
export async function findStream(link: ServerLink, findings: Findings): Promise<boolean> {
  let ended: string | undefined
  const stream = new StreamTransport(link.transport, {
    streams: 1,
    meta: meta.bytes,
    timeout: link.place.settings.requestTimeout,
    maxWaiting: 1,
    maxWaitingBytes: 1024,
    ahead: 0,
    maxFrameBytes: link.place.settings.maxReplySize,
    observe: (news) => {
      if (news.what === 'closed') ended = news.details
    },
  })
  const open = await stream.start()
  stream.stop()
  if (!open && ended !== undefined) findings.add('stream-broken', `${exchangePath.slice(1)}: ${ended}`)
  return open
}
