import { type MqttError, malformed, protocolError } from './error.ts'
import type { ProtocolVersion } from './packets.ts'

const Client = 1
const Server = 2

/** Who sends a packet type, and the flags that it must have. By type number; undefined = reserved. */
const rules: readonly ({ readonly name: string; readonly from: number; readonly flags: number } | undefined)[] = [
  undefined,
  { name: 'CONNECT', from: Client, flags: 0 },
  { name: 'CONNACK', from: Server, flags: 0 },
  { name: 'PUBLISH', from: Client | Server, flags: -1 },
  { name: 'PUBACK', from: Client | Server, flags: 0 },
  { name: 'PUBREC', from: Client | Server, flags: 0 },
  { name: 'PUBREL', from: Client | Server, flags: 2 },
  { name: 'PUBCOMP', from: Client | Server, flags: 0 },
  { name: 'SUBSCRIBE', from: Client, flags: 2 },
  { name: 'SUBACK', from: Server, flags: 0 },
  { name: 'UNSUBSCRIBE', from: Client, flags: 2 },
  { name: 'UNSUBACK', from: Server, flags: 0 },
  { name: 'PINGREQ', from: Client, flags: 0 },
  { name: 'PINGRESP', from: Server, flags: 0 },
  { name: 'DISCONNECT', from: Client | Server, flags: 0 },
  { name: 'AUTH', from: Client | Server, flags: 0 },
]

/**
 * What is wrong with the first byte of a packet, if anything: told before the rest of the packet is there.
 * `opened`: CONNECT (server) or CONNACK (client) has been read.
 */
export function checkFirstByte(
  first: number,
  version: ProtocolVersion,
  server: boolean,
  opened: boolean,
): MqttError | undefined {
  const type = first >> 4
  const rule = rules[type]
  if (rule === undefined) return malformed('packet type 0 is reserved')
  if (!opened) {
    // [MQTT-3.1.0-1] [MQTT-3.1.0-1 v3.1.1]
    if (server && type !== 1) return protocolError(`the first packet is ${rule.name} instead of CONNECT`)
    // [MQTT-3.2.0-1] [MQTT-3.2.0-1 v3.1.1]; enhanced authentication puts AUTH before it.
    if (!server && type !== 2 && !(type === 15 && version === 5)) {
      return protocolError(`the first packet is ${rule.name} instead of CONNACK`)
    }
  } else if (type === 1 || type === 2) {
    // [MQTT-3.1.0-2] [MQTT-3.2.0-2] [MQTT-3.1.0-2 v3.1.1]
    return protocolError(`a second ${rule.name}`)
  }
  if ((rule.from & (server ? Client : Server)) === 0) return protocolError(`${rule.name} from the wrong side`)
  if (version !== 5) {
    if (type === 15) return malformed('packet type 15 is reserved')
    if (type === 14 && !server) return protocolError('DISCONNECT from the wrong side')
  }
  const flags = first & 0x0f
  if (type === 3) return undefined
  if (version === 3 && type !== 1) {
    // 3.1 has QoS 1 in three of them and says of the other flags that they are not used.
    return rule.flags === 2 && (flags & 6) !== 2 ? malformed(`${rule.name} with flags ${flags}`) : undefined
  }
  // [MQTT-2.1.3-1] [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1] [MQTT-3.14.1-1] [MQTT-3.15.1-1]
  // [MQTT-2.2.2-1 v3.1.1] [MQTT-2.2.2-2 v3.1.1] [MQTT-3.6.1-1 v3.1.1] [MQTT-3.8.1-1 v3.1.1] [MQTT-3.10.1-1 v3.1.1]
  return flags === rule.flags ? undefined : malformed(`${rule.name} with flags ${flags}`)
}
