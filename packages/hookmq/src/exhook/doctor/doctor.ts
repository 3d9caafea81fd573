import type { ExHookVersion } from '@hookmq/provider-exhook/client'
import { messageOf } from '../../errors.ts'
import { identity, ServerLink, type ServerPlace } from '../link.ts'
import { burst, type Measured } from './burst.ts'
import { type Tried, tryCalls } from './calls.ts'
import { type Finding, Findings } from './findings.ts'
import { outlook, type Prospect } from './outlook.ts'
import { tryPings } from './pings.ts'
import { reach } from './reach.ts'
import { findStream, findVersions, type SpokenVersion } from './versions.ts'

export interface DoctorOptions {
  readonly place: ServerPlace
  /** Milliseconds for which a provider that is not there yet is waited for. */
  readonly wait: number
  /** Calls of the burst; 0: none. */
  readonly calls: number
  readonly concurrency: number
  /** Told what is being done. */
  readonly progress: (what: string) => void
}

/** All that was found out. Times in milliseconds. */
export interface Diagnosis {
  readonly url: string
  /** Waited for it; undefined: it could not be spoken to. */
  readonly waited: number | undefined
  /** What the provider was told of the broker. */
  readonly told: typeof identity
  readonly versions: readonly SpokenVersion[]
  /** The one that the broker would use. */
  readonly used: ExHookVersion | undefined
  readonly stream: boolean
  readonly answers: readonly Tried[]
  readonly latency: readonly Measured[]
  readonly outlook: readonly Prospect[]
  readonly findings: readonly Finding[]
}

/** Plays the broker against a provider, and looks at what it does. Rejects only for bugs. */
export async function examine({ place, wait, calls, concurrency, progress }: DoctorOptions): Promise<Diagnosis> {
  const findings = new Findings()
  progress('connecting')
  const waited = await reach(place, wait, findings)
  const found: { -readonly [K in keyof Diagnosis]: Diagnosis[K] } = {
    url: place.settings.url,
    waited,
    told: identity,
    versions: [],
    used: undefined,
    stream: false,
    answers: [],
    latency: [],
    outlook: [],
    findings: [],
  }
  if (waited === undefined) return { ...found, findings: findings.all }
  const link = new ServerLink(place)
  try {
    progress('loading')
    found.versions = await findVersions(link, findings)
    const [used] = found.versions
    if (used !== undefined) {
      found.used = used.version
      if (used.version === 'v3' && place.settings.stream !== 'off') found.stream = await findStream(link, findings)
      for (const version of found.versions)
        found.answers = [...found.answers, ...(await tryCalls(link, version, findings, progress))]
      const able = used.hooks.filter(({ name }) => !found.answers.some(({ hook, failed }) => failed && hook === name))
      found.latency = await burst(link, { ...used, hooks: able }, { calls, concurrency }, findings, progress)
      progress('pinging')
      await tryPings(place, place.settings.requestTimeout, findings)
      await unload(link, found.versions, findings)
      found.outlook = outlook(used.hooks, place.settings)
    }
  } finally {
    link.close()
  }
  return { ...found, findings: findings.all }
}

/** 0: nothing is wrong. 1: there are mistakes; `strict`: advice counts as well. 2: nobody could be reached. */
export function exitCodeOf({ findings }: Diagnosis, strict: boolean): 0 | 1 | 2 {
  const has = (level: Finding['level']) => findings.some((finding) => finding.level === level)
  if (has('unreachable')) return 2
  return has('mistake') || (strict && has('advice')) ? 1 : 0
}

async function unload(link: ServerLink, versions: readonly SpokenVersion[], findings: Findings): Promise<void> {
  for (const { version } of versions) {
    try {
      await link.leave(version)
    } catch (error) {
      findings.add('unload-unanswered', `OnProviderUnloaded of ${version}: ${messageOf(error)}`)
    }
  }
}
