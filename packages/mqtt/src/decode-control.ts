import { decodeConnack, decodeConnect } from './decode-connect.ts'
import {
  decodeAck,
  decodeAuth,
  decodeDisconnect,
  decodeSuback,
  decodeSubscribe,
  decodeUnsuback,
  decodeUnsubscribe,
} from './decode-requests.ts'
import { protocolError } from './error.ts'
import type { AckPacket, ControlPacket, ProtocolVersion } from './packets.ts'
import type { PacketReader } from './reader.ts'

/** Packet types 4 to 7. */
export const ackTypes: readonly AckPacket['type'][] = ['puback', 'pubrec', 'pubrel', 'pubcomp']

/** Any packet but PUBLISH, by its type number; the reader stands behind the fixed header, which has been checked. */
export function decodeControl(
  type: number,
  reader: PacketReader,
  version: ProtocolVersion,
  fromServer: boolean,
  versionKnown?: (version: ProtocolVersion) => void,
): ControlPacket {
  switch (type) {
    case 1:
      return decodeConnect(reader, versionKnown)
    case 2:
      return decodeConnack(reader, version)
    case 4:
    case 5:
    case 6:
    case 7:
      return decodeAck(ackTypes[type - 4], reader, version)
    case 8:
      return decodeSubscribe(reader, version)
    case 9:
      return decodeSuback(reader, version)
    case 10:
      return decodeUnsubscribe(reader, version)
    case 11:
      return decodeUnsuback(reader, version)
    case 12:
      reader.finish('PINGREQ')
      return { type: 'pingreq' }
    case 13:
      reader.finish('PINGRESP')
      return { type: 'pingresp' }
    case 14:
      return decodeDisconnect(reader, version, fromServer)
    case 15:
      return decodeAuth(reader, fromServer)
    default:
      // The check of the fixed header lets no other type through.
      throw protocolError(`packet type ${type}`)
  }
}
