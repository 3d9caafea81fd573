/**
 * Every counter: name as in EMQX, and what it counts. The position in this table is the counter's index. docs/reference/metrics.md
 * is made from it.
 */
export const metricTable = [
  ['bytes.received', 'Bytes read from clients'],
  ['bytes.sent', 'Bytes written to clients'],

  ['packets.received', 'MQTT packets from clients'],
  ['packets.sent', 'MQTT packets to clients'],
  ['packets.connect.received', 'CONNECT'],
  ['packets.connack.sent', 'CONNACK'],
  ['packets.connack.error', 'CONNACK with any code but success'],
  ['packets.connack.auth_error', 'CONNACK that refuses for bad credentials or missing authorization'],
  ['packets.publish.received', 'PUBLISH from clients'],
  ['packets.publish.sent', 'PUBLISH to clients'],
  ['packets.publish.inuse', 'PUBLISH of QoS 2 with a packet identifier that is in use'],
  ['packets.publish.error', 'PUBLISH that was refused for anything but authorization'],
  ['packets.publish.auth_error', 'PUBLISH that authorization refused'],
  ['packets.publish.dropped', 'PUBLISH of QoS 2 beyond the messages that may await PUBREL'],
  ['packets.puback.received', 'PUBACK from clients'],
  ['packets.puback.sent', 'PUBACK to clients'],
  ['packets.puback.missed', 'PUBACK for a packet identifier that is not in use'],
  ['packets.pubrec.received', 'PUBREC from clients'],
  ['packets.pubrec.sent', 'PUBREC to clients'],
  ['packets.pubrec.missed', 'PUBREC for a packet identifier that is not in use'],
  ['packets.pubrel.received', 'PUBREL from clients'],
  ['packets.pubrel.sent', 'PUBREL to clients'],
  ['packets.pubrel.missed', 'PUBREL for a packet identifier that is not in use'],
  ['packets.pubcomp.received', 'PUBCOMP from clients'],
  ['packets.pubcomp.sent', 'PUBCOMP to clients'],
  ['packets.pubcomp.missed', 'PUBCOMP for a packet identifier that is not in use'],
  ['packets.subscribe.received', 'SUBSCRIBE'],
  ['packets.subscribe.error', 'SUBSCRIBE that was refused for anything but authorization'],
  ['packets.subscribe.auth_error', 'Filters of SUBSCRIBE that authorization refused'],
  ['packets.suback.sent', 'SUBACK'],
  ['packets.unsubscribe.received', 'UNSUBSCRIBE'],
  ['packets.unsubscribe.error', 'UNSUBSCRIBE that was refused'],
  ['packets.unsuback.sent', 'UNSUBACK'],
  ['packets.pingreq.received', 'PINGREQ'],
  ['packets.pingresp.sent', 'PINGRESP'],
  ['packets.disconnect.received', 'DISCONNECT from clients'],
  ['packets.disconnect.sent', 'DISCONNECT to clients'],
  ['packets.auth.received', 'AUTH from clients'],
  ['packets.auth.sent', 'AUTH to clients'],
  ['packets.malformed', 'Bytes that are no valid packet; the connection is closed'],

  ['messages.received', 'Messages from clients'],
  ['messages.sent', 'Messages to clients'],
  ['messages.qos0.received', 'Messages of QoS 0 from clients'],
  ['messages.qos0.sent', 'Messages of QoS 0 to clients'],
  ['messages.qos1.received', 'Messages of QoS 1 from clients'],
  ['messages.qos1.sent', 'Messages of QoS 1 to clients'],
  ['messages.qos2.received', 'Messages of QoS 2 from clients'],
  ['messages.qos2.sent', 'Messages of QoS 2 to clients'],
  ['messages.publish', 'Messages that entered the message.publish chain'],
  ['messages.dropped', 'Messages that were routed to nobody'],
  ['messages.dropped.no_subscribers', 'Messages without a subscriber'],
  ['messages.dropped.await_pubrel_timeout', 'Messages of QoS 2 whose PUBREL did not come in time'],
  ['messages.dropped.receive_maximum', 'Messages of QoS 2 beyond the messages that may await PUBREL'],
  ['messages.dropped.hook', 'Messages that a hook stopped'],
  ['messages.forward', 'Messages sent to other nodes'],
  ['messages.forward.dropped', 'Messages for other nodes that were lost because too many waited'],
  ['messages.delayed', 'Messages stored for later publishing'],
  ['messages.delivered', 'Messages handed to a session'],
  ['messages.acked', 'Messages that a subscriber acknowledged'],
  ['messages.retained', 'Messages put into the retained store'],
  ['messages.retained.refused', 'Retained messages that were not stored: store full, or payload too big'],

  ['delivery.dropped', 'Deliveries that did not happen, for any of the causes below'],
  ['delivery.dropped.no_local', 'The subscriber is the publisher and asked for No Local'],
  ['delivery.dropped.too_large', "Bigger than the client's Maximum Packet Size"],
  ['delivery.dropped.qos0_msg', 'QoS 0, and the client is away or does not read'],
  ['delivery.dropped.queue_full', 'The queue of the session is full'],
  ['delivery.dropped.expired', 'The Message Expiry Interval had passed'],
  ['delivery.dropped.hook', 'A message.delivered hook dropped it'],

  ['client.connect', 'Runs of client.connect'],
  ['client.connack', 'Runs of client.connack'],
  ['client.connected', 'Runs of client.connected'],
  ['client.authenticate', 'Runs of client.authenticate'],
  ['client.auth.anonymous', 'Clients let in without anybody knowing them'],
  ['client.authorize', 'Runs of client.authorize'],
  ['client.subscribe', 'Runs of client.subscribe'],
  ['client.unsubscribe', 'Runs of client.unsubscribe'],
  ['client.disconnected', 'Runs of client.disconnected'],
  ['client.auth.success', 'Clients let in, anonymous ones included'],
  ['client.auth.success.anonymous', 'The same as client.auth.anonymous, under its name of 4.x'],
  ['client.auth.failure', 'Clients refused by authentication'],
  ['client.acl.allow', 'Authorizations with the result allow'],
  ['client.acl.deny', 'Authorizations with the result deny'],
  ['client.acl.cache_hit', "Authorizations answered by the client's cache"],
  ['client.acl.cache_miss', "Authorizations that the client's cache could not answer"],
  ['client.acl.superuser', 'Authorizations skipped for superusers'],

  ['session.created', 'Sessions that began'],
  ['session.resumed', 'Sessions that a new connection went on with'],
  ['session.takenover', 'Sessions that another connection took over'],
  ['session.discarded', 'Sessions that a clean start ended'],
  ['session.terminated', 'Sessions that ended otherwise'],

  ['connections.accepted', 'Connections that listeners handed over'],
  ['connections.refused', 'Connections closed at once, for any of the causes below'],
  ['connections.refused.limit', 'The broker has its maximum of connections'],
  ['connections.refused.address_limit', 'The address has its maximum of connections'],
  ['connections.refused.session_limit', 'The broker has its maximum of sessions'],
  ['connections.refused.stopping', 'The broker is shutting down'],
  ['connections.connect_timeout', 'Connections closed because CONNECT did not come in time'],
  ['connections.keepalive_timeout', 'Clients that were silent for longer than their Keep Alive allows'],
  ['connections.slow_consumer', 'Clients closed because they took nothing of what waited for them'],
  ['connections.throttled', 'Times that a connection was paused for its message or byte rate'],
  ['connections.window_paused', 'Times that a connection was paused because too many of its packets waited for hooks'],
  ['subscriptions.refused.limit', 'Subscriptions beyond the maximum of a client'],

  ['store.batches', 'Batches of sessions and messages that the store has committed'],
  ['store.failures', 'Times that the store began to fail'],
  ['store.refused', 'QoS 1 and 2 messages that were refused because the store failed'],
  ['store.queues_full', 'Messages that were dropped because the queues of all durable sessions together were full'],

  ['hooks.failed', 'Hooks that threw or rejected'],
  ['hooks.invalid', 'Hooks that returned something that is no verdict of their point'],
  ['hooks.timeout', 'Hooks that did not answer in time'],
  ['hooks.denied', 'Refusals caused by the failure policy of a hook that failed or did not answer'],
  ['hooks.notifications.dropped', 'Notifications dropped because the queue of their plugin was full'],
  ['hooks.late', 'Answers of hooks that came after their timeout'],
] as const satisfies readonly (readonly [name: string, meaning: string])[]

export type MetricName = (typeof metricTable)[number][0]

/** Counted by whichever plugin does the work: the core knows no more of it than the name. */
export const leftToPlugins: ReadonlySet<string> = new Set<MetricName>(['messages.delayed'])

/** Names that EMQX's own plugins have counted under, one for each of what they serve: not in the table, and without `plugins.NAME.` before them. */
export const leftToPluginsLike = /^exhook\.[\w-]+\.[a-z]+(?:_[a-z]+)*$/

const indexByName = new Map<string, number>(metricTable.map(([name], index) => [name, index]))

/** Index of a counter; -1 for a name that is not in the table. */
export function metricIndex(name: string): number {
  return indexByName.get(name) ?? -1
}
