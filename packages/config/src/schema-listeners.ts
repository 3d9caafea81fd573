import { type Captures, type Draft, define, type KeyDefinition, type ListenerDraft } from './definition.ts'
import type { ListenerKind } from './settings.ts'
import {
  byteSize,
  flag,
  integer,
  limit,
  listenAddress,
  matching,
  oneOf,
  path,
  secret,
  string,
  stringList,
  timer,
  type ValueType,
} from './types.ts'

/** The draft of a listener; made by the first key that names it. */
function listener(draft: Draft, kind: ListenerKind, name: string): ListenerDraft {
  const id = `${kind}:${name}`
  let found = draft.listeners.get(id)
  if (found === undefined) {
    found = {
      kind,
      name,
      maxConnections: 1_024_000,
      maxConnectRate: 0,
      maxConnectionsPerAddress: 0,
      proxyProtocol: false,
      proxyProtocolTimeout: 3000,
      backlog: 511,
      noDelay: true,
      tls: {
        verify: false,
        requirePeerCertificate: false,
        versions: ['TLSv1.2', 'TLSv1.3'],
        handshakeTimeout: 15_000,
        sni: {},
      },
      webSocket: { path: '/mqtt', failIfNoSubprotocol: true, subprotocols: ['mqtt', 'mqttv3.1'] },
    }
    draft.listeners.set(id, found)
  }
  return found
}

const titles: Readonly<Record<ListenerKind, string>> = {
  tcp: 'TCP listeners',
  ssl: 'TLS listeners',
  ws: 'WebSocket listeners',
  wss: 'Secure WebSocket listeners',
  unix: 'Unix socket listeners',
}

interface ListenerKeyInit<T> {
  /** After `listener.KIND.$name`. */
  readonly suffix: string
  readonly type: ValueType<T>
  readonly default?: string
  readonly text: string
  readonly aliases?: readonly string[]
  apply(listener: ListenerDraft, value: T, captures: Captures): void
}

function forKind(kind: ListenerKind): <T>(init: ListenerKeyInit<T>) => KeyDefinition {
  const start = `listener.${kind}.$name`
  return (init) =>
    define(titles[kind], {
      key: start + init.suffix,
      type: init.type,
      default: init.default,
      text: init.text,
      aliases: (init.aliases ?? []).map((alias) => start + alias),
      apply: (draft, value, captures) => init.apply(listener(draft, kind, captures.name), value, captures),
    })
}

function limits(kind: ListenerKind): KeyDefinition[] {
  const key = forKind(kind)
  return [
    key({
      suffix: '.max_connections',
      aliases: ['.max_clients'],
      type: limit,
      default: '1024000',
      text: 'Connections of this listener; 0 is no limit.',
      apply: (listener, value) => {
        listener.maxConnections = value
      },
    }),
    key({
      suffix: '.max_conn_rate',
      type: limit,
      // After a power cut a whole fleet comes back at once; turning it away would only make it come again.
      default: '0',
      text: 'New connections per second, the others are turned away; 0 is no limit.',
      apply: (listener, value) => {
        listener.maxConnectRate = value
      },
    }),
    key({
      suffix: '.max_connections_per_address',
      type: limit,
      default: '0',
      text: 'Connections of this listener from one address; 0 is no limit.',
      apply: (listener, value) => {
        listener.maxConnectionsPerAddress = value
      },
    }),
    key({
      suffix: '.backlog',
      type: integer({ min: 1, max: 65_535 }),
      default: '511',
      text: 'Connections that the system keeps waiting until they are accepted.',
      apply: (listener, value) => {
        listener.backlog = value
      },
    }),
    key({
      suffix: '.mountpoint',
      aliases: ['.mount_point'],
      type: string,
      text: 'Prefix for every topic of its clients, such as `devices/%c/`; `%c` is the client id, `%u` the user name.',
      apply: (listener, value) => {
        listener.mountpoint = value
      },
    }),
  ]
}

function network(kind: ListenerKind): KeyDefinition[] {
  const key = forKind(kind)
  return [
    key({
      suffix: '.proxy_protocol',
      type: flag,
      default: 'off',
      text: 'Connections come through a proxy that puts a PROXY protocol header (version 1 or 2) before them.',
      apply: (listener, value) => {
        listener.proxyProtocol = value
      },
    }),
    key({
      suffix: '.proxy_protocol_timeout',
      type: timer({ min: 1 }),
      default: '3s',
      text: 'Time for that header.',
      apply: (listener, value) => {
        listener.proxyProtocolTimeout = value
      },
    }),
    key({
      suffix: '.nodelay',
      type: flag,
      default: 'true',
      text: 'Sends small packets at once (TCP_NODELAY).',
      apply: (listener, value) => {
        listener.noDelay = value
      },
    }),
  ]
}

function tls(kind: 'ssl' | 'wss'): KeyDefinition[] {
  const key = forKind(kind)
  const certificatePart = oneOf({ off: 'off', cn: 'cn', dn: 'dn' })
  return [
    key({
      suffix: '.certfile',
      type: path,
      text: 'Certificate of the broker with those that vouch for it, PEM. Needed.',
      apply: (listener, value) => {
        listener.tls.certFile = value
      },
    }),
    key({
      suffix: '.keyfile',
      type: path,
      text: 'Private key of the certificate, PEM. Needed.',
      apply: (listener, value) => {
        listener.tls.keyFile = value
      },
    }),
    key({
      suffix: '.key_password',
      type: secret,
      text: 'Password of the private key.',
      apply: (listener, value) => {
        listener.tls.keyPassword = value
      },
    }),
    key({
      suffix: '.cacertfile',
      type: path,
      text: 'Certificates that client certificates are checked against, PEM.',
      apply: (listener, value) => {
        listener.tls.caFile = value
      },
    }),
    key({
      suffix: '.verify',
      type: oneOf({ verify_none: false, verify_peer: true }),
      default: 'verify_none',
      text: 'Whether clients are asked for a certificate.',
      apply: (listener, value) => {
        listener.tls.verify = value
      },
    }),
    key({
      suffix: '.fail_if_no_peer_cert',
      type: flag,
      default: 'false',
      text: 'With `verify_peer`: whether a client without certificate is refused.',
      apply: (listener, value) => {
        listener.tls.requirePeerCertificate = value
      },
    }),
    key({
      suffix: '.peer_cert_as_username',
      type: certificatePart,
      text: 'As `mqtt.peer_cert_as_username`; listeners that have one must agree.',
      apply: (listener, value) => {
        listener.peerCertAsUsername = value
      },
    }),
    key({
      suffix: '.peer_cert_as_clientid',
      type: certificatePart,
      text: 'As `mqtt.peer_cert_as_clientid`; listeners that have one must agree.',
      apply: (listener, value) => {
        listener.peerCertAsClientId = value
      },
    }),
    key({
      suffix: '.tls_versions',
      type: tlsVersions,
      default: 'tlsv1.3,tlsv1.2',
      text: 'Versions of TLS: a list without gaps of `tlsv1.3`, `tlsv1.2`, `tlsv1.1`, `tlsv1`.',
      apply: (listener, value) => {
        listener.tls.versions = value
      },
    }),
    key({
      suffix: '.ciphers',
      type: string,
      text: 'Cipher suites under their OpenSSL names, with commas or colons between them.',
      apply: (listener, value) => {
        listener.tls.ciphers = value.replaceAll(/\s*,\s*/g, ':')
      },
    }),
    key({
      suffix: '.handshake_timeout',
      type: timer({ min: 1 }),
      default: '15s',
      text: 'Time for the TLS handshake.',
      apply: (listener, value) => {
        listener.tls.handshakeTimeout = value
      },
    }),
    key({
      suffix: '.sni.$host*.certfile',
      type: path,
      text: 'Another certificate, for clients that ask for this host name: `listener.ssl.external.sni.broker.example.com.certfile`.',
      apply: (listener, value, { host }) => {
        sniOf(listener, host).certFile = value
      },
    }),
    key({
      suffix: '.sni.$host*.keyfile',
      type: path,
      text: 'Its private key. Needed with the certificate.',
      apply: (listener, value, { host }) => {
        sniOf(listener, host).keyFile = value
      },
    }),
    key({
      suffix: '.sni.$host*.key_password',
      type: secret,
      text: 'Password of that key.',
      apply: (listener, value, { host }) => {
        sniOf(listener, host).keyPassword = value
      },
    }),
  ]
}

function sniOf(listener: ListenerDraft, host: string): ListenerDraft['tls']['sni'][string] {
  if (!Object.hasOwn(listener.tls.sni, host)) listener.tls.sni[host] = {}
  return listener.tls.sni[host]
}

const versionNames: Readonly<Record<string, string>> = {
  tlsv1: 'TLSv1',
  'tlsv1.1': 'TLSv1.1',
  'tlsv1.2': 'TLSv1.2',
  'tlsv1.3': 'TLSv1.3',
}

/** In the order of age. */
const tlsVersions: ValueType<readonly string[]> = {
  name: 'list',
  expected: 'a list without gaps of tlsv1.3, tlsv1.2, tlsv1.1, tlsv1',
  read: (text, context) => {
    const wanted = new Set(stringList.read(text, context))
    const all = Object.keys(versionNames)
    const places = all.flatMap((name, index) => (wanted.delete(name) ? [index] : []))
    const [first] = places
    if (wanted.size > 0 || first === undefined || places.at(-1) !== first + places.length - 1) return undefined
    return places.map((index) => versionNames[all[index]])
  },
}

function webSocket(kind: 'ws' | 'wss'): KeyDefinition[] {
  const key = forKind(kind)
  return [
    key({
      suffix: '.mqtt_path',
      type: matching('path', /^\/[^\s?#]*$/, 'a path that begins with /'),
      default: '/mqtt',
      text: 'Path of the URL.',
      apply: (listener, value) => {
        listener.webSocket.path = value
      },
    }),
    key({
      suffix: '.fail_if_no_subprotocol',
      type: flag,
      default: 'true',
      text: 'Refuses clients that offer none of the subprotocols.',
      apply: (listener, value) => {
        listener.webSocket.failIfNoSubprotocol = value
      },
    }),
    key({
      suffix: '.supported_subprotocols',
      type: stringList,
      default: 'mqtt, mqttv3.1',
      text: 'Subprotocols, the best first.',
      apply: (listener, value) => {
        listener.webSocket.subprotocols = value
      },
    }),
    key({
      suffix: '.max_frame_size',
      type: byteSize({ min: 64 }),
      text: 'Largest WebSocket message; it may carry several packets. Not set: twice `mqtt.max_packet_size`, at least 2MB.',
      apply: (listener, value) => {
        listener.webSocket.maxFrameSize = value
      },
    }),
  ]
}

function address(kind: Exclude<ListenerKind, 'unix'>, example: string): KeyDefinition {
  return forKind(kind)({
    suffix: '',
    type: listenAddress,
    text: `Address to listen on, such as \`${example}\`. A port alone is for this machine only, \`0.0.0.0:PORT\` for all; port 0 picks a free one.`,
    apply: (listener, value) => {
      listener.address = value
    },
  })
}

function unix(): KeyDefinition[] {
  const key = forKind('unix')
  return [
    key({
      suffix: '',
      type: path,
      text: 'Path of the socket, such as `data/mqtt.sock`.',
      apply: (listener, value) => {
        listener.address = { path: value }
      },
    }),
    key({
      suffix: '.mode',
      type: {
        name: 'octal',
        expected: 'permissions as four octal digits such as 0660',
        read: (text) => (/^0?[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : undefined),
      },
      text: 'Permissions of the socket, such as `0660`. Not set: as the system gives them.',
      apply: (listener, value) => {
        listener.socketMode = value
      },
    }),
    ...limits('unix'),
  ]
}

export const listenerKeys: readonly KeyDefinition[] = [
  address('tcp', '127.0.0.1:1883'),
  ...limits('tcp'),
  ...network('tcp'),
  address('ssl', '127.0.0.1:8883'),
  ...tls('ssl'),
  ...limits('ssl'),
  ...network('ssl'),
  address('ws', '127.0.0.1:8083'),
  ...webSocket('ws'),
  ...limits('ws'),
  ...network('ws'),
  address('wss', '127.0.0.1:8084'),
  ...webSocket('wss'),
  ...tls('wss'),
  ...limits('wss'),
  ...network('wss'),
  ...unix(),
]
