import type { ClientInfo, ConnInfo, Credential } from '@hookmq/api'
import { type MessageInitShape, v3 } from '@hookmq/exhook-proto'
import { encode, type MapContext } from './context.ts'
import { textOf } from './properties.ts'

type ClientInfoFields = MessageInitShape<typeof v3.ClientInfoSchema>

/** A connection as its CONNECT described it: the client id is empty where the client left the choice to the broker. */
export function connInfoOf({ node }: MapContext, info: ConnInfo): MessageInitShape<typeof v3.ConnInfoSchema> {
  return {
    node,
    clientid: info.clientId,
    username: info.username ?? '',
    peerhost: plainAddress(info.peerhost),
    sockport: port(info.sockport),
    protoName: info.protocolName,
    protoVer: String(info.protocolVersion),
    keepalive: info.keepAlive,
    peerport: port(info.peerport),
  }
}

export function clientInfoOf({ node }: MapContext, client: ClientInfo): ClientInfoFields {
  return {
    node,
    clientid: client.clientId,
    username: client.username ?? '',
    peerhost: plainAddress(client.peerhost),
    sockport: port(client.sockport),
    protocol: client.protocol,
    mountpoint: client.mountpoint,
    isSuperuser: client.superuser,
    // As EMQX 5 has it for everybody: providers that look at it have learned that it says nothing.
    anonymous: true,
    cn: client.cn ?? '',
    dn: client.dn ?? '',
    peerport: port(client.peerport),
  }
}

/** The only one with the password, and only where it came in CONNECT by itself. */
export function credentialOf(context: MapContext, client: Credential): ClientInfoFields {
  const fields = clientInfoOf(context, client)
  if (client.password === undefined || client.authenticationMethod !== undefined || client.step !== 'connect')
    return fields
  return { ...fields, password: textOf(client.password) }
}

/** ClientInfo as bytes, made once for each client that the broker knows. */
export class ClientInfoCache {
  readonly #context: MapContext
  readonly #bytes = new WeakMap<ClientInfo, Uint8Array>()

  constructor(context: MapContext) {
    this.#context = context
  }

  of(client: ClientInfo): Uint8Array {
    let bytes = this.#bytes.get(client)
    if (bytes === undefined) {
      bytes = encode(v3.ClientInfoSchema, clientInfoOf(this.#context, client))
      this.#bytes.set(client, bytes)
    }
    return bytes
  }
}

/** `::ffff:10.0.0.1` is `10.0.0.1`. */
function plainAddress(address: string): string {
  return /^::ffff:\d+\.\d+\.\d+\.\d+$/i.test(address) ? address.slice(7) : address
}

/** Clients that have no socket of this machine have no port either. */
function port(value: number | undefined): number {
  return value !== undefined && value >= 0 && value <= 0xffff ? value : 0
}
