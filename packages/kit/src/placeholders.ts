import type { ClientInfo } from '@hookmq/api'

const values: Readonly<Record<string, (client: ClientInfo) => string | undefined>> = {
  '%u': (client) => client.username,
  '%c': (client) => client.clientId,
  '%a': (client) => client.peerhost,
  '%r': (client) => client.protocol,
  '%p': (client) => String(client.sockport),
  '%m': (client) => client.mountpoint,
  '%C': (client) => client.cn,
  '%d': (client) => client.dn,
  '%cida': (client) => client.attributes.clientid_alias,
  '%cna': (client) => client.attributes.common_name_alias,
}

/** Reads one value off a client; undefined when this client has none. */
export type Placeholder = (client: ClientInfo) => string | undefined

/**
 * What a placeholder stands for: `%u` user name, `%c` client id, `%a` peer address, `%r` protocol, `%p` port of the
 * broker, `%m` mountpoint, `%C` and `%d` common name and subject of the TLS certificate, `%cida` and `%cna` the attributes
 * `clientid_alias` and `common_name_alias`.
 * @returns undefined when the text is none of them
 */
export function placeholder(text: string): Placeholder | undefined {
  return Object.hasOwn(values, text) ? values[text] : undefined
}
