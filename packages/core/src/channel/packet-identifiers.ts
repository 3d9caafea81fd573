import { ReasonCode } from '@hookmq/mqtt'
import type { BrokerMessage } from '../message.ts'
import * as M from '../metrics/index.ts'
import type { BrokerOptions } from '../options.ts'
import { Refusal } from '../refusal.ts'
import type { Session } from '../session/session.ts'
import type { Channel } from './channel.ts'

/**
 * The identifier stands for a message that was accepted. DUP says so; without DUP it does for a message of an earlier connection:
 * some clients repeat those without setting it, and must not be told that the identifier is in use.
 */
export function isRepeated(channel: Channel, session: Session, packetId: number, dup: boolean): boolean {
  // Before there is a permission, nothing is reserved yet.
  const undecided = session.undecided?.get(packetId)
  if (undecided !== undefined && undecided.channel !== channel) return true
  const since = session.awaitingRel?.get(packetId)
  return since !== undefined && (dup || since < channel.acceptedAt)
}

/** A QoS 2 packet identifier is taken from here to PUBREL. */
export function reserve(channel: Channel, packetId: number, message: BrokerMessage): Refusal | undefined {
  const { broker, session } = channel
  if (session === undefined) return undefined
  session.awaitingRel ??= new Map()
  if (session.awaitingRel.has(packetId)) {
    broker.metrics.counters[M.PACKETS_PUBLISH_INUSE]++
    broker.dropMessage(message, 'packet_identifier_inuse')
    return new Refusal('reject', ReasonCode.PacketIdentifierInUse, 'core')
  }
  if (session.awaitingRel.size >= mostUnreleased(broker.options)) {
    broker.dropMessage(message, 'receive_maximum_exceeded')
    return new Refusal('disconnect', ReasonCode.ReceiveMaximumExceeded, 'core') // [MQTT-3.3.4-8]
  }
  session.awaitingRel.set(packetId, channel.lastReceived)
  return undefined
}

/** QoS 2 messages that a client may have on their way to the broker: what CONNACK promises is what it is held to. */
export function mostUnreleased({ maxAwaitingRel, receiveMaximum }: BrokerOptions): number {
  return Math.min(maxAwaitingRel || 0xffff, receiveMaximum || 0xffff)
}
