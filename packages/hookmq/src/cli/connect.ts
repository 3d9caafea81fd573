import type { Properties } from '@hookmq/mqtt'
import { Client } from '../client/client.ts'
import type { ClientOptions, ClientWill } from '../client/options.ts'
import { type Endpoint, openStream, parseEndpoint } from '../client/stream.ts'
import type { ClientFlags } from './client-options.ts'

function endpointOf(flags: ClientFlags): Endpoint & { username?: string; password?: string } {
  if (flags.url !== undefined) return parseEndpoint(flags.url)
  const tls = flags.tls === true || flags.cafile !== undefined || flags.cert !== undefined || flags.insecure === true
  return {
    protocol: tls ? 'mqtts' : 'mqtt',
    host: flags.host ?? '127.0.0.1',
    port: flags.port ?? (tls ? 8883 : 1883),
    path: '',
  }
}

/** Connects as the options say. `properties` go into CONNECT. Rejects with a HookmqError. */
export async function connectClient(flags: ClientFlags, more: Pick<ClientOptions, 'receive'> = {}): Promise<Client> {
  const endpoint = endpointOf(flags)
  const { cafile: ca, cert, key, insecure } = flags
  const stream = await openStream(endpoint, { ca, cert, key, insecure })
  const cleanStart = flags.clean
  const properties: Properties = {}
  if (flags.protocolVersion === 5) {
    const expiry = flags.sessionExpiry ?? (cleanStart ? undefined : 0xffffffff)
    if (expiry !== undefined) properties.sessionExpiryInterval = expiry
  }
  const client = new Client(stream, {
    clientId: flags.id,
    username: flags.username ?? endpoint.username,
    password: flags.password ?? endpoint.password,
    protocolVersion: flags.protocolVersion,
    cleanStart,
    keepAlive: flags.keepalive,
    will: willOf(flags),
    properties,
    ...more,
  })
  await client.connect()
  return client
}

function willOf(flags: ClientFlags): ClientWill | undefined {
  if (flags.willTopic === undefined) return undefined
  return { topic: flags.willTopic, payload: flags.willPayload, qos: flags.willQos, retain: flags.willRetain }
}
