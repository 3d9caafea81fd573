import { type ExHookVersion, exhookCallOf, GrpcError, GrpcStatus, isValued } from '@hookmq/provider-exhook/client'
import { messageOf } from '../../errors.ts'
import { type Answer, readAnswer } from '../answer.ts'
import type { ServerLink } from '../link.ts'
import type { Findings } from './findings.ts'
import { type Sample, samplesOf } from './samples.ts'
import type { RegisteredHook, SpokenVersion } from './versions.ts'

/** What came back for one sample. */
export interface Tried {
  readonly version: ExHookVersion
  readonly hook: string
  readonly about: string
  /** Milliseconds. */
  readonly took: number
  /** In words. */
  readonly answer: string
  readonly failed: boolean
}

/** Each hook of a version with each of its samples, one after the other. */
export async function tryCalls(
  link: ServerLink,
  { version, hooks }: SpokenVersion,
  findings: Findings,
  progress: (what: string) => void,
): Promise<Tried[]> {
  const tried: Tried[] = []
  for (const hook of hooks) {
    progress(`calling ${hook.name}`)
    for (const sample of samplesOf(hook.name, hook.topics)) {
      const one = await tryCall(link, version, hook, sample, findings)
      tried.push(one)
      // What is not there, or does not answer, is the same with the next sample.
      if (one.failed) break
    }
  }
  return tried
}

async function tryCall(
  link: ServerLink,
  version: ExHookVersion,
  { name }: RegisteredHook,
  sample: Sample,
  findings: Findings,
): Promise<Tried> {
  const call = exhookCallOf(name)?.name ?? ''
  const began = performance.now()
  const result = (answer: string, failed: boolean): Tried => ({
    version,
    hook: name,
    about: sample.about,
    took: performance.now() - began,
    answer,
    failed,
  })
  try {
    const { message } = await link.call(version, call, sample.request(version), { key: 'greenhouse-7' })
    if (!isValued(name)) return result('told', false)
    const answer = readAnswer(name, message)
    const { problem } = answer
    if (problem !== undefined) findings.add(problem.name, `${call}: ${problem.text}`)
    if (name === 'client.authenticate' && answer.allowed === true && sample.about.includes('no user name'))
      findings.add('lets-strangers-in', `${call} lets in a client without user name and password`)
    if (lostQoS(answer, sample)) findings.add('qos-lost', `${call} answers with a message of QoS 0`)
    return result(
      problem === undefined ? inWords(answer) : `${problem.text}: ${problem.fails ? 'a failure' : 'counts as IGNORE'}`,
      false,
    )
  } catch (error) {
    callFailed(call, version, sample, error, link.place.settings.requestTimeout, findings)
    return result(messageOf(error), true)
  }
}

/** The sample of QoS 1 comes back as it was, but for its QoS. */
function lostQoS({ message }: Answer, sample: Sample): boolean {
  return (
    message !== undefined &&
    message.qos === 0 &&
    message.headers.allow_publish !== 'false' &&
    sample.about.includes('QoS 1')
  )
}

function inWords({ type, allowed, message }: Answer): string {
  if (type === 'IGNORE') return 'IGNORE: as if it had not been asked'
  const last = type === 'STOP_AND_RETURN' ? '; nobody else is asked' : ''
  if (allowed !== undefined) return `${type}: ${allowed ? 'yes' : 'no'}${last}`
  if (message?.headers.allow_publish === 'false') return `${type}: not published${last}`
  return `${type}: published to ${message?.topic}, QoS ${message?.qos}, ${message?.payload.length} bytes${last}`
}

function callFailed(
  call: string,
  version: string,
  sample: Sample,
  error: unknown,
  timeout: number,
  findings: Findings,
): void {
  const { message } = error as Error
  const where = `${call} (${sample.about})`
  if (!(error instanceof GrpcError)) findings.add('call-failed', `${where}: ${messageOf(error)}`)
  else if (error.code === GrpcStatus.UNIMPLEMENTED)
    findings.add(
      'unimplemented-method',
      `${sample.hook} is registered, but emqx.exhook.${version}.HookProvider/${call} is not there`,
    )
  else if (!error.fromServer && error.code === GrpcStatus.DEADLINE_EXCEEDED)
    findings.add('no-answer', `${where} was not answered within ${timeout} ms`)
  else if (message.includes('compressed')) findings.add('compressed-answer', `${call} is answered compressed`)
  else if (message.includes('more than') && error.code === GrpcStatus.RESOURCE_EXHAUSTED)
    findings.add('answer-too-large', `${call}: ${message}`)
  else if (!error.fromServer && error.code === GrpcStatus.RESOURCE_EXHAUSTED)
    findings.add('too-many-pings', `${call}: the server says ENHANCE_YOUR_CALM`)
  else if (!error.fromServer && error.code === GrpcStatus.UNAVAILABLE)
    findings.add('connection-broken', `${where}: ${message}`)
  else findings.add('call-failed', `${where}: ${message}`)
}
