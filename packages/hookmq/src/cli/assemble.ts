import { HookmqBroker } from '../broker/hookmq.ts'
import { partsOfConfig } from '../broker/parts.ts'
import { loggerOptions, readConfig, type SettingFlags } from '../config/read.ts'
import { type AdjustableLogger, createLogger } from '../log/logger.ts'
import { version } from '../version.ts'

export interface Assembly {
  readonly broker: HookmqBroker
  readonly log: AdjustableLogger
  /** Reads certificates and access rules again; resolves to what was read. What fails leaves the old one in force. */
  reload(): Promise<readonly string[]>
}

/** Certificates can be read again. */
interface Reloadable {
  readonly id: string
  reloadCertificates(): void
}

/** A broker as the command line and the configuration describe it; not started. */
export async function assemble(flags: SettingFlags & { plugin?: readonly string[] }): Promise<Assembly> {
  const config = readConfig(flags)
  const log = createLogger(loggerOptions(config))
  for (const warning of config.warnings) log.warn(warning)
  const { options, listeners, plugins, problems, aclFile } = await partsOfConfig(
    config,
    config.place.home,
    flags.plugin ?? [],
  )
  const broker = new HookmqBroker({ options: { ...options, version, log }, listeners, plugins, problems })

  async function reload(): Promise<readonly string[]> {
    const done: string[] = []
    for (const listener of broker.listeners) {
      if (!('reloadCertificates' in listener)) continue
      const { id, reloadCertificates } = listener as unknown as Reloadable
      reloadCertificates.call(listener)
      done.push(`certificates of ${id}`)
    }
    if (aclFile !== undefined) {
      await aclFile.reload()
      broker.forgetPermissions()
      done.push('access rules')
    }
    return done
  }

  return { broker, log, reload }
}
