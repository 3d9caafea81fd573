import type { Logger } from '@hookmq/api'
import { hookPointNames } from '@hookmq/api'
import type { ProviderScript, ProviderUnderTest, Received, ScriptedAnswer } from '@hookmq/api/testing'
import { type ExHookVersion, exhookCallOf, exhookCalls, fromBinary } from '@hookmq/exhook-proto'
import { readServer, type SettingTexts } from '../settings.ts'
import { UnaryProvider, type UnaryProviderOptions } from '../unary/provider.ts'
import { answers, type RecordedCall, RecordingProvider } from './recording-provider.ts'
import type { Answer, Script } from './script.ts'

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent }

export const testIdentity: UnaryProviderOptions['broker'] = {
  node: 'hookmq@127.0.0.1',
  version: '0.1.0',
  clusterName: 'emqxcl',
  startedAt: 0,
}

/** An ExHook server in another process that does what the conformance suite's script says, and our provider for it. */
export async function underTest(
  script: ProviderScript,
  version: ExHookVersion,
  texts: SettingTexts = {},
  carrier?: UnaryProviderOptions['carrier'],
): Promise<ProviderUnderTest> {
  const ends: (() => unknown)[] = []
  const far = await RecordingProvider.start({ after: (run) => void ends.push(run) }, scriptOf(script, version))
  const settings = readServer('far', { url: far.url, request_timeout: '10s', ...texts })
  const provider = new UnaryProvider({ settings, broker: testIdentity, log: silent, carrier })
  const count = async (name: string) => (await far.calls()).filter(({ call }) => call === name).length
  return {
    provider,
    received: async () => (await far.calls()).flatMap((call) => receivedOf(call)),
    release: () => far.release(),
    loads: () => count('OnProviderLoaded'),
    unloads: () => count('OnProviderUnloaded'),
    async dispose() {
      for (const end of ends) await end()
    },
  }
}

function scriptOf(script: ProviderScript, version: ExHookVersion): Script {
  const scripted: Record<string, Answer> = {
    OnProviderLoaded:
      script.refuseLoad === undefined
        ? { metadata: { 'hookmq-messages': 'full' } }
        : answers.fail(9, script.refuseLoad),
  }
  for (const [point, answer] of Object.entries(script.answers ?? {})) {
    const name = exhookCallOf(point)?.name
    if (name !== undefined && answer !== undefined) scripted[name] = answerOf(answer)
  }
  return {
    versions: [version],
    hooks: script.hooks.map(({ name, topics }) => ({ name, topics })),
    answers: scripted,
  }
}

/** The topic is the one that the suite publishes to: a message that comes back is taken as it is. */
const topic = 'a/b'

function answerOf(answer: ScriptedAnswer): Answer {
  const code = (name: string, value: number) =>
    answers.message('stop', { topic, headers: { [`hookmq.${name}`]: `0x${value.toString(16)}` } })
  switch (answer.do) {
    case 'continue':
      return {}
    case 'hold':
      return { hold: true }
    case 'throw':
      return answers.fail()
    case 'payload':
      return answers.message(answer.stop === true ? 'stop' : 'go', { topic, payload: Buffer.from(answer.payload) })
    case 'drop':
      return answers.message('stop', { headers: { allow_publish: 'false' } })
    case 'reject':
    case 'disconnect':
      return code(answer.do, answer.code)
    case 'allow':
    case 'deny':
      return answers.stop(answer.do === 'allow')
  }
}

function receivedOf({ call, bytes }: RecordedCall): Received[] {
  const found = exhookCalls.find(({ name }) => name === call)
  const point = hookPointNames.find((name) => name === found?.hook)
  if (found === undefined || point === undefined) return []
  const request = fromBinary(found.v3.request, bytes) as unknown as {
    readonly clientinfo?: { readonly clientid: string }
    readonly message?: { readonly from: string; readonly topic: string }
    readonly topic?: string
  }
  const where = request.topic ?? request.message?.topic
  const clientId = request.clientinfo?.clientid ?? request.message?.from ?? ''
  return [{ point, clientId, ...(where === undefined ? {} : { topic: where }) }]
}
