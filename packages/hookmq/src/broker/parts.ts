import { type Config, type ListenerSettings, safetyProblems, type TlsSettings } from '@hookmq/config'
import type { BrokerOptions } from '@hookmq/core'
import type { CertificateFiles, TlsOptions, TlsVersion } from '@hookmq/kit'
import { type AclFilePlugin, createAclFilePlugin } from '@hookmq/plugin-acl-file'
import { placesOf, requireKnownKeys } from '../plugins/places.ts'
import { type PluginSpec, type PreparedPlugin, preparePlugin } from '../plugins/prepare.ts'
import type { BrokerParts } from './hookmq.ts'
import type { ListenerSpec } from './listeners.ts'

export interface ConfiguredParts
  extends Pick<BrokerParts, 'options' | 'listeners' | 'plugins' | 'pluginNames' | 'places' | 'problems'> {
  /** Present when there is a file of access rules. */
  readonly aclFile: AclFilePlugin | undefined
}

/**
 * What a configuration says, as the parts of a broker. `home`: the folder that relative plugin paths in files are in.
 * `plugins`: those that the broker cannot do without; paths are relative to the working directory. Rejects with a HookmqError, or a ConfigError for a key
 * that nobody knows.
 */
export async function partsOfConfig(
  config: Config,
  home: string,
  plugins: readonly PluginSpec[] = [],
): Promise<ConfiguredParts> {
  const { allowAnonymous, ...rest } = config.options
  // Only what somebody wrote down counts as a decision.
  const options: Partial<BrokerOptions> = config.sources.has('allow_anonymous') ? { ...rest, allowAnonymous } : rest
  const prepared: PreparedPlugin[] = []
  const aclFile = config.aclFile === undefined ? undefined : createAclFilePlugin({ file: config.aclFile })
  if (aclFile !== undefined) prepared.push({ plugin: aclFile })
  for (const spec of plugins) prepared.push(await preparePlugin(spec))
  const places = placesOf(config, home)
  await requireKnownKeys(config, places, prepared)
  return {
    options,
    listeners: config.listeners.map(listenerOf),
    plugins: prepared,
    pluginNames: config.plugins.load.filter((name) => !isBuiltIn(name)),
    places,
    problems: (authenticates) => safetyProblems(config, authenticates),
    aclFile,
  }
}

/** Loaded with `acl_file`, whether it is named or not. */
function isBuiltIn(name: string): boolean {
  return name === 'acl-file' || name === 'acl_file'
}

function listenerOf(settings: ListenerSettings): ListenerSpec {
  const { kind, address, tls, webSocket, id: _, ...common } = settings
  if ('path' in address) return { ...common, ...address, type: 'unix' }
  const place = { ...common, ...address }
  const { path: mqttPath, ...webSocketRest } = webSocket ?? {}
  const path = { mqttPath, ...webSocketRest }
  if (tls === undefined) return kind === 'tcp' ? { ...place, type: 'tcp' } : { ...place, ...path, type: 'ws' }
  const secure = { ...place, tls: tlsOf(tls), handshakeTimeout: tls.handshakeTimeout }
  return kind === 'ssl' ? { ...secure, type: 'tls' } : { ...secure, ...path, type: 'wss' }
}

// Oldest first.
const versions: readonly TlsVersion[] = ['tlsv1', 'tlsv1.1', 'tlsv1.2', 'tlsv1.3']

function tlsOf(settings: TlsSettings): TlsOptions {
  const { minVersion, maxVersion, sni } = settings
  const place = (version: string): number => versions.indexOf(version.toLowerCase() as TlsVersion)
  return {
    ...filesOf(settings),
    ca: settings.caFile,
    verify: settings.verify ? 'verify_peer' : 'verify_none',
    failIfNoPeerCert: settings.requirePeerCertificate,
    versions: versions.slice(place(minVersion), place(maxVersion) + 1),
    ciphers: settings.ciphers,
    sni: Object.fromEntries(Object.entries(sni).map(([name, files]) => [name, filesOf(files)])),
  }
}

function filesOf({ certFile, keyFile, keyPassword }: TlsSettings['sni'][string]): CertificateFiles {
  return { cert: certFile, key: keyFile, passphrase: keyPassword }
}
