import type { Draft, ListenerDraft } from './definition.ts'
import { ConfigError, type Origin } from './error.ts'
import type { Layers } from './merge.ts'
import type { BrokerSettings, CertificateFiles, ListenerSettings, TlsSettings, TlsVersion } from './settings.ts'

/** Turns the drafts into listeners; what is missing goes to the errors. */
export function finishListeners(all: Draft, layers: Layers): ListenerSettings[] {
  const listeners: ListenerSettings[] = []
  // A packet that the broker takes must fit into a WebSocket message, and clients put several into one.
  const maxFrameSize = Math.max(2 * 1024 * 1024, 2 * all.options.maxPacketSize)
  for (const draft of all.listeners.values()) {
    const key = `listener.${draft.kind}.${draft.name.replaceAll('.', '\\.')}`
    if (draft.address === undefined) {
      // `listener.tcp.external =` turns a listener off; the other lines about it may stay.
      if (!layers.emptied.has(key) && !layers.chosen.has(key)) layers.errors.push(withoutAddress(draft, key, layers))
      continue
    }
    const origin = layers.chosen.get(key)?.origin ?? { kind: 'default' }
    const secure = draft.kind === 'ssl' || draft.kind === 'wss'
    const tls = secure ? finishTls(draft, key, origin, layers) : undefined
    if (secure && tls === undefined) continue
    const { host, port, path } = { host: '', port: 0, path: '', ...draft.address }
    listeners.push({
      id: `${draft.kind}:${draft.name}`,
      kind: draft.kind,
      name: draft.name,
      address:
        path === '' ? { host, port } : { path, ...(draft.socketMode === undefined ? {} : { mode: draft.socketMode }) },
      maxConnections: draft.maxConnections,
      maxConnectRate: draft.maxConnectRate,
      maxConnectionsPerAddress: draft.maxConnectionsPerAddress,
      proxyProtocol: draft.proxyProtocol,
      proxyProtocolTimeout: draft.proxyProtocolTimeout,
      mountpoint: draft.mountpoint ?? all.mountpoint,
      backlog: draft.backlog,
      noDelay: draft.noDelay,
      ...(tls === undefined ? {} : { tls }),
      ...(draft.kind === 'ws' || draft.kind === 'wss' ? { webSocket: { maxFrameSize, ...draft.webSocket } } : {}),
    })
  }
  return listeners
}

function withoutAddress(draft: ListenerDraft, key: string, layers: Layers): ConfigError {
  const expected = `${key} = ${draft.kind === 'unix' ? 'PATH' : 'PORT or IP:PORT'}`
  const [line] = [...layers.chosen].filter(([other]) => other.startsWith(`${key}.`))
  const problem = `the listener has no address; expected a line ${expected}`
  return new ConfigError(line?.[1].origin ?? { kind: 'default' }, line?.[1].written ?? key, problem, expected)
}

function finishTls(draft: ListenerDraft, key: string, origin: Origin, layers: Layers): TlsSettings | undefined {
  const { tls } = draft
  const missing = (name: string, why: string): void => {
    const expected = `a line ${key}.${name} = FILE`
    layers.errors.push(new ConfigError(origin, key, `${why} needs ${name}; expected ${expected}`, expected))
  }
  const certificate = certificateFiles(tls, '', missing, 'TLS')
  if (tls.verify && tls.caFile === undefined) missing('cacertfile', 'verify = verify_peer')
  const sni: Record<string, CertificateFiles> = {}
  for (const [host, files] of Object.entries(tls.sni)) {
    const found = certificateFiles(files, `sni.${host}.`, missing, `sni.${host}`)
    if (found !== undefined) sni[host] = found
  }
  if (certificate === undefined) return undefined
  return {
    ...certificate,
    caFile: tls.caFile,
    verify: tls.verify,
    requirePeerCertificate: tls.verify && tls.requirePeerCertificate,
    // The type of the key lets nothing but these names through, oldest first.
    minVersion: tls.versions[0] as TlsVersion,
    maxVersion: tls.versions[tls.versions.length - 1] as TlsVersion,
    ciphers: tls.ciphers,
    handshakeTimeout: tls.handshakeTimeout,
    sni,
  }
}

function certificateFiles(
  files: Partial<CertificateFiles>,
  prefix: string,
  missing: (name: string, why: string) => void,
  why: string,
): CertificateFiles | undefined {
  const { certFile, keyFile, keyPassword } = files
  if (certFile === undefined) missing(`${prefix}certfile`, why)
  if (keyFile === undefined) missing(`${prefix}keyfile`, why)
  if (certFile === undefined || keyFile === undefined) return undefined
  return keyPassword === undefined ? { certFile, keyFile } : { certFile, keyFile, keyPassword }
}

/** EMQX sets these on a listener, the broker has one value: listeners that have one must agree. */
export function agreeOnCertificates(drafts: Iterable<ListenerDraft>, options: BrokerSettings, layers: Layers): void {
  for (const name of ['peerCertAsUsername', 'peerCertAsClientId'] as const) {
    let first: ListenerDraft | undefined
    for (const draft of drafts) {
      const value = draft[name]
      if (value === undefined || draft.address === undefined) continue
      if (first !== undefined && first[name] !== value) {
        const key = `listener.${draft.kind}.${draft.name}.${name === 'peerCertAsUsername' ? 'peer_cert_as_username' : 'peer_cert_as_clientid'}`
        const origin = layers.chosen.get(key)?.origin ?? { kind: 'default' }
        const expected = `${first[name]}, as on listener.${first.kind}.${first.name}`
        layers.errors.push(new ConfigError(origin, key, `expected ${expected}, got "${value}"`, expected))
      }
      first ??= draft
      options[name] = value
    }
  }
}
