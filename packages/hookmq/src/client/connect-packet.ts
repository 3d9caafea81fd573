import type { ConnectPacket, Properties, ProtocolVersion, Will } from '@hookmq/mqtt'
import type { ClientOptions, ClientWill } from './options.ts'

/** What the options say, with the defaults filled in. */
export function connectPacket(options: ClientOptions, protocolVersion: ProtocolVersion): ConnectPacket {
  const { clientId, username, password, will, authentication } = options
  const properties: Properties = { ...options.properties }
  if (authentication !== undefined) {
    properties.authenticationMethod = authentication.method
    properties.authenticationData = authentication.start()
  }
  return {
    type: 'connect',
    protocolName: protocolVersion === 3 ? 'MQIsdp' : 'MQTT',
    protocolVersion,
    bridge: false,
    cleanStart: options.cleanStart ?? true,
    keepAlive: options.keepAlive ?? 60,
    clientId: clientId ?? (protocolVersion === 3 ? randomClientId() : ''),
    username,
    password: password === undefined ? undefined : Buffer.from(password),
    will: will === undefined ? undefined : willOf(will),
    properties,
  }
}

function willOf({ topic, payload = '', qos = 0, retain = false, properties = {} }: ClientWill): Will {
  return { topic, payload: Buffer.from(payload), qos, retain, properties }
}

/** MQTT 3.1 has no assigned client ids. */
function randomClientId(): string {
  return `hookmq-${Math.random().toString(36).slice(2, 12)}`
}
