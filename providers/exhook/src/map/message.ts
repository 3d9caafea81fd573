import type { Message } from '@hookmq/api'
import type { MapContext } from './context.ts'
import { fullHeaders } from './full-headers.ts'
import { ProtoWriter } from './proto-writer.ts'

const writer = new ProtoWriter()
const entry = new ProtoWriter()

/** A Message as bytes: a view that is good until the next call. */
export function encodeMessage({ node, full }: MapContext, message: Message): Uint8Array {
  writer.reset()
  writer.string(1, node).string(2, message.id).uint(3, message.qos)
  writer.string(4, message.from).string(5, message.topic).bytes(6, message.payload)
  writer.uint(7, Math.max(0, Math.trunc(message.timestamp)))
  const { username, protocol, peerhost, allowPublish } = message.headers
  if (username !== undefined) header('username', username)
  // What the broker publishes by itself has no protocol.
  if (protocol !== undefined && protocol !== 'internal') header('protocol', protocol)
  if (peerhost !== undefined) header('peerhost', peerhost)
  if (allowPublish !== undefined) header('allow_publish', String(allowPublish))
  if (full) fullHeaders(message, header)
  return writer.written
}

/** `$SYS/` is the broker's own; a topic that is just `$SYS` is not. */
export function isOwnTopic(topic: string): boolean {
  return topic.startsWith('$SYS/')
}

function header(name: string, value: string): void {
  writer.message(8, entry.reset().presentString(1, name).presentString(2, value).written)
}
