import type { PluginConfigKey } from '@hookmq/api'

/** `false`, or how long: both are values of `auto_reconnect`. */
const never = /^(?:false|off|0)$/

/** Settings of one server, as they stand behind `exhook.server.NAME.`; `hook.$family.$event` is a hook's name, such as hook.message.publish. */
export const serverKeys = {
  enable: { type: 'flag', default: 'on', description: 'off: known, but not used.' },
  url: {
    type: 'string',
    description: 'Where the server is: `http://HOST:PORT`, or `https://HOST:PORT` for TLS. The port must be written.',
  },
  version: {
    type: 'enum',
    values: ['auto', 'v2', 'v3'],
    default: 'auto',
    description: 'What it speaks: v2 of EMQX 5.0 to 5.8, v3 of EMQX 5.9 and later; auto finds out when it is loaded.',
  },
  request_timeout: {
    type: 'duration',
    unit: 'ms',
    minimum: 1,
    maximum: 2_147_483_647,
    default: '5s',
    description: 'How long one call may take, connecting included.',
  },
  failed_action: {
    type: 'enum',
    values: ['deny', 'ignore'],
    description:
      'What a call that fails means for client.authenticate and client.authorize. Written here, deny holds from the first second, before the server has ever answered; not written, it holds from then on.',
  },
  armed: {
    type: 'flag',
    description:
      'Whether deny holds also before the server has answered for the first time. Default: on where failed_action is written, off where it is not.',
  },
  auto_reconnect: {
    type: 'string',
    default: '60s',
    description: 'How long after a load that failed, or after the server was lost, it is loaded again; false: never.',
  },
  pool_size: {
    type: 'integer',
    minimum: 1,
    maximum: 1024,
    default: '8',
    description: 'Connections. The events of one client all go over the same one.',
  },
  health_check_interval: {
    type: 'duration',
    unit: 'ms',
    minimum: 10,
    maximum: 2_147_483_647,
    default: '5s',
    description: 'How often its connections are looked at.',
  },
  full_messages: {
    type: 'enum',
    values: ['auto', 'on', 'off'],
    default: 'auto',
    description:
      'Whether messages carry retain flag and MQTT 5 properties as headers, in both directions; auto: when the server asks for it.',
  },
  stream: {
    type: 'enum',
    values: ['auto', 'on', 'off'],
    default: 'auto',
    description:
      'Whether events go in batches over HookStream; auto: when the server has it; on: a server that does not have it is not used.',
  },
  'stream.connections': {
    type: 'integer',
    minimum: 1,
    maximum: 1024,
    default: '1',
    description: 'Streams, each on a connection of the pool: more than one for a server that stands behind a balancer.',
  },
  'stream.notifications_ahead': {
    type: 'integer',
    minimum: 0,
    default: '2000',
    description:
      'While fewer events than this are with the server, notifications of one client are sent without waiting for the one before: the server handles them in order. 0: they always wait.',
  },
  'stream.max_waiting': {
    type: 'integer',
    minimum: 0,
    default: '10000',
    description: 'Events of one stream that may wait until the server takes more; one more fails.',
  },
  'stream.max_waiting_size': {
    type: 'bytesize',
    minimum: 0,
    default: '64MB',
    description: 'The same in bytes.',
  },
  max_reply_size: {
    type: 'bytesize',
    minimum: 1024,
    maximum: 1_073_741_824,
    default: '4MB',
    description: 'A longer reply is a failed call.',
  },
  notify: {
    type: 'enum',
    values: ['background', 'wait'],
    default: 'background',
    description: 'wait: a client goes on when its notifications have been handled, as in EMQX.',
  },
  'queue.limit': {
    type: 'integer',
    minimum: 0,
    default: '10000',
    description: 'Notifications that may wait for the server.',
  },
  'queue.drop': {
    type: 'enum',
    values: ['oldest', 'newest'],
    default: 'oldest',
    description: 'Which one goes when more of them wait.',
  },
  max_in_flight: {
    type: 'integer',
    minimum: 0,
    default: '4096',
    description: 'Calls that may be with the server at one time; 0: no limit.',
  },
  max_waiting: {
    type: 'integer',
    minimum: 0,
    default: '10000',
    description: 'Calls that may wait for one of these places.',
  },
  'breaker.failures': {
    type: 'integer',
    minimum: 0,
    default: '20',
    description: 'So many failures one after the other, and the server is not asked for a while; 0: never.',
  },
  'breaker.failure_rate': {
    type: 'percent',
    default: '0%',
    description: 'The same when this share of the last calls failed; 0%: never.',
  },
  'breaker.window': { type: 'integer', minimum: 1, default: '100', description: 'How many calls that share is of.' },
  'breaker.open_for': {
    type: 'duration',
    unit: 'ms',
    minimum: 1,
    default: '2s',
    description: 'How long it is not asked then.',
  },
  'cache.ttl': {
    type: 'duration',
    unit: 'ms',
    default: '0s',
    description: 'How long answers to client.authenticate and client.authorize are remembered; 0s: not at all.',
  },
  'cache.negative_ttl': {
    type: 'duration',
    unit: 'ms',
    description: 'The same for answers that refuse. Default: cache.ttl.',
  },
  'cache.size': { type: 'integer', minimum: 1, default: '10000', description: 'Answers that are remembered.' },
  'hook.$family.$event.failed_action': {
    type: 'enum',
    values: ['deny', 'ignore'],
    description:
      'failed_action for one hook. `hook.message.publish.failed_action = deny` stops messages that the server could not look at.',
  },
  'hook.$family.$event.request_timeout': {
    type: 'duration',
    unit: 'ms',
    minimum: 1,
    maximum: 2_147_483_647,
    description: 'request_timeout for one hook.',
  },
  'ssl.enable': {
    type: 'flag',
    description: 'Accepted for EMQX: whether there is TLS is what the url says.',
  },
  'ssl.cacertfile': {
    type: 'path',
    description: 'Certificates that the server is checked against. Default: the system.',
  },
  'ssl.certfile': { type: 'path', description: 'Certificate that this side shows.' },
  'ssl.keyfile': { type: 'path', description: 'Its key.' },
  'ssl.password': { type: 'secret', description: 'The password of the key.' },
  'ssl.verify': {
    type: 'enum',
    values: ['verify_none', 'verify_peer'],
    default: 'verify_none',
    description: 'verify_peer: only a server with a certificate that is good for its name is trusted.',
  },
  'ssl.server_name_indication': {
    type: 'string',
    description: 'Name that the server is asked for and must have; disable: none. Default: the host of the url.',
  },
  'ssl.versions': {
    type: 'string',
    default: 'tlsv1.3,tlsv1.2',
    description: 'TLS versions that may be spoken.',
  },
  'ssl.ciphers': { type: 'string', description: 'Cipher suites, as OpenSSL names them, with commas between them.' },
  'ssl.depth': {
    type: 'integer',
    minimum: 0,
    maximum: 100,
    default: '10',
    description: 'Certificates that may stand between that of the server and a trusted one.',
  },
  'socket_options.keepalive': { type: 'flag', default: 'on', description: 'TCP keep-alive.' },
  'socket_options.nodelay': {
    type: 'flag',
    default: 'on',
    description: 'Nothing waits to be sent with what comes later.',
  },
  'socket_options.recbuf': {
    type: 'bytesize',
    minimum: 1024,
    maximum: 2_147_483_647,
    description: 'Bytes of replies that may be under way on one connection. Default: 1MB.',
  },
  'socket_options.sndbuf': {
    type: 'bytesize',
    minimum: 1024,
    maximum: 2_147_483_647,
    description: 'Accepted for EMQX: the operating system chooses.',
  },
} as const satisfies Readonly<Record<string, PluginConfigKey>>

/** For all servers that do not say otherwise, as EMQX 4.3 has them. */
const globalKeys: Readonly<Record<string, PluginConfigKey>> = {
  'exhook.request_timeout': {
    ...serverKeys.request_timeout,
    description: 'request_timeout of servers that have none.',
  },
  'exhook.request_failed_action': {
    ...serverKeys.failed_action,
    description: 'failed_action of servers that have none.',
  },
  'exhook.auto_reconnect': { ...serverKeys.auto_reconnect, description: 'auto_reconnect of servers that have none.' },
  'exhook.pool_size': { ...serverKeys.pool_size, description: 'pool_size of servers that have none.' },
  'exhook.certs_dir': {
    type: 'path',
    default: 'data/certs/exhook',
    description: 'Folder of certificates and keys that were given as text over the HTTP API.',
  },
  'exhook.cluster_name': {
    type: 'string',
    default: 'emqxcl',
    description: 'What servers are told as the name of the cluster.',
  },
}

/** The global key of a server's. */
export const globalOf: Readonly<Record<string, string>> = {
  request_timeout: 'exhook.request_timeout',
  failed_action: 'exhook.request_failed_action',
  auto_reconnect: 'exhook.auto_reconnect',
  pool_size: 'exhook.pool_size',
}

/** The keys of the plugin. */
export const configKeys: Readonly<Record<string, PluginConfigKey>> = {
  ...globalKeys,
  ...Object.fromEntries(Object.entries(serverKeys).map(([key, one]) => [`exhook.server.$name.${key}`, one])),
}

/** Milliseconds; 0: never; undefined: neither. */
export function readReconnect(text: string, duration: (text: string) => number | undefined): number | undefined {
  return never.test(text) ? 0 : duration(text)
}
