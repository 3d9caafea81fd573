import type { Plugin } from '@hookmq/api'

type Keys = NonNullable<Plugin['config']>

/** Keys of EMQ's files that have nothing to tune here. */
function unusedKeys(listener: string, secure: boolean): Keys {
  const names = ['acceptors', ...(secure ? ['handshake_timeout', 'tls_versions', 'dhfile', 'ciphers'] : [])]
  return {
    ...Object.fromEntries(
      names.map((name) => [
        `${listener}.${name}`,
        { type: 'string', description: 'Read from files of EMQ; changes nothing here.' } as const,
      ]),
    ),
    [`${listener}.access.$rule`]: { type: 'string', description: "'allow all' only: addresses are not filtered here." },
  }
}

function tlsKeys(listener: string): Keys {
  const off = `Same as ${listener.replace('https', 'http')}, over TLS; it needs certfile and keyfile.`
  return {
    [listener]: { type: 'string', default: 'off', description: off },
    ...unusedKeys(listener, true),
    [`${listener}.max_clients`]: { type: 'integer', default: '512', minimum: 1, description: 'Connections at once.' },
    [`${listener}.certfile`]: { type: 'path', description: 'Certificate, PEM.' },
    [`${listener}.keyfile`]: { type: 'path', description: 'Its key, PEM.' },
    [`${listener}.cacertfile`]: { type: 'path', description: 'Who may issue the certificates of clients, PEM.' },
    [`${listener}.verify`]: {
      type: 'enum',
      values: ['verify_none', 'verify_peer'],
      default: 'verify_none',
      description: 'verify_peer: clients show a certificate.',
    },
    [`${listener}.fail_if_no_peer_cert`]: {
      type: 'flag',
      default: 'on',
      description: 'With verify_peer: off lets clients without a certificate in.',
    },
  }
}

const place = 'An address, a port (of this machine only), or off.'

/** The keys of etc/plugins/management.conf. What each may be is checked by settings.ts, which knows them together. */
export const managementConfig: Keys = {
  'dashboard.listener.http': {
    type: 'string',
    default: '127.0.0.1:18083',
    description: `Where the API listens. ${place}`,
  },
  'dashboard.listener.http.max_clients': {
    type: 'integer',
    default: '512',
    minimum: 1,
    description: 'Connections at once.',
  },
  ...unusedKeys('dashboard.listener.http', false),
  ...unusedKeys('management.listener.http', false),
  ...tlsKeys('dashboard.listener.https'),
  'management.listener.http': { type: 'string', default: 'off', description: `A second place to listen. ${place}` },
  'management.listener.http.max_clients': {
    type: 'integer',
    default: '512',
    minimum: 1,
    description: 'Connections at once.',
  },
  ...tlsKeys('management.listener.https'),
  'dashboard.default_user.login': {
    type: 'string',
    default: 'admin',
    description: 'The user that is made when there is none of this name.',
  },
  'dashboard.default_user.password': {
    type: 'secret',
    default: 'public',
    description: 'Its password at first; a changed one wins. The default works only on addresses of this machine.',
  },
  'management.default_application.id': { type: 'string', description: 'An API key that is always there.' },
  'management.default_application.secret': { type: 'secret', description: 'Its secret.' },
  'dashboard.token_expired_time': {
    type: 'duration',
    default: '60m',
    minimum: 1,
    description: 'How long a login lasts.',
  },
  'dashboard.max_body_size': {
    type: 'bytesize',
    default: '1MB',
    minimum: 1,
    description: 'Biggest body of a request.',
  },
  'dashboard.request_timeout': {
    type: 'duration',
    default: '30s',
    minimum: 1,
    description: 'How long a request may take to arrive.',
  },
  'dashboard.cors': {
    type: 'string',
    default: 'off',
    description: 'Origins of other sites whose pages may call the API, separated by commas; or off.',
  },
  'prometheus.enable_basic_auth': {
    type: 'flag',
    default: 'off',
    description: 'Whether /prometheus/stats needs a login or an API key.',
  },
}
