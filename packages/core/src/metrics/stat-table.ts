/**
 * Every gauge: name as in EMQX (each as NAME.count and NAME.max) and what it shows. docs/reference/metrics.md is made from it.
 */
export const statTable = [
  ['connections', 'Clients whose CONNECT was accepted and whose connection, or whose session, exists'],
  ['live_connections', 'Clients that are connected now'],
  ['channels', 'Connections and sessions without a connection'],
  ['sessions', 'Sessions, connected or not'],
  ['topics', 'Distinct filters that somebody is subscribed to'],
  ['subscribers', 'Pairs of subscriber and filter, shared ones included'],
  ['subscriptions', 'Subscriptions, shared ones included'],
  ['subscriptions.shared', 'Shared subscriptions'],
  ['suboptions', 'Sets of subscription options; the same number as subscriptions'],
  ['routes', 'Distinct filters that messages are routed by; on one node the same number as topics'],
  ['retained', 'Retained messages'],
  ['delayed', 'Messages that wait for their time'],
  ['store.queued', 'Messages that wait for durable sessions'],
  ['store.queued_bytes', 'Bytes of messages that wait for durable sessions'],
  ['store.waiting', 'Bytes of sessions and messages that wait for the disk'],
  ['store.down', '1 while the store fails: QoS 1 and 2 messages to durable sessions are refused'],
] as const satisfies readonly (readonly [name: string, meaning: string])[]

export type StatName = (typeof statTable)[number][0]

export function isStatName(name: string): name is StatName {
  return statTable.some(([known]) => known === name)
}
