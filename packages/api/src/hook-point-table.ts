import type { FoldPointName, HookArgs, HookPointName, HookPoints, HookRefusal } from './hook-points.ts'
import type { Disconnect, Drop, Reject } from './verdict.ts'

type VerdictName<Refusal> = Refusal extends Drop
  ? 'drop'
  : Refusal extends Reject
    ? 'reject'
    : Refusal extends Disconnect
      ? 'disconnect'
      : never

export type RefusalVerdict = 'drop' | 'reject' | 'disconnect'

/**
 * What is known about a hook point at run time. Its type is derived from `HookPoints`: a point, an argument or a refusal that
 * is missing here or too many does not compile.
 */
export interface HookPointEntry<P extends HookPointName = HookPointName> {
  readonly kind: HookPoints[P]['kind']
  /** Only message.publish has two. */
  readonly phases: P extends 'message.publish' ? readonly ['mutate', 'sink'] : readonly ['mutate']
  /** Verdicts beyond continue, ok and stop. Always empty on notification points. */
  readonly refusals: { readonly [V in VerdictName<HookRefusal<P>>]: true } & {
    readonly [V in Exclude<RefusalVerdict, VerdictName<HookRefusal<P>>>]?: never
  }
  /** One sentence. */
  readonly description: string
  /** When the broker runs it. */
  readonly when: string
  /** Argument name to meaning. */
  readonly args: { readonly [K in keyof HookArgs<P>]-?: string }
  /** What the chain folds over; undefined on notification points. */
  readonly accumulator: P extends FoldPointName ? string : undefined
  /** Names of earlier EMQX and EMQ releases that mean this point. */
  readonly oldNames: readonly string[]
}

const mutate = ['mutate'] as const
const none = {} as const
const client = 'The client: id, user name, address, listener, attributes.'
const connInfo = 'The connection as CONNECT described it.'
const session = 'The session: creation time, expiry, subscriptions, queue lengths.'

/** Every hook point at run time. Documentation, checks and the engine all read this table. */
export const hookPointTable: { readonly [P in HookPointName]: HookPointEntry<P> } = {
  'client.connect': {
    kind: 'fold',
    phases: mutate,
    refusals: { reject: true },
    description: 'May change the properties of CONNECT or refuse the connection before anything else looks at it.',
    when: 'After CONNECT has been parsed, before any check; the client id may still be empty.',
    args: { connInfo },
    accumulator: 'The properties of CONNECT.',
    oldNames: [],
  },
  'client.authenticate': {
    kind: 'fold',
    phases: mutate,
    refusals: { reject: true },
    description: 'Decides who the client is and whether it may come in.',
    when: 'After the checks of CONNECT; again at each AUTH packet and at re-authentication of MQTT 5.',
    args: { client: 'The client with its password, or with the method and data of enhanced authentication.' },
    accumulator: 'The result so far: ignore, allow, deny or continue.',
    oldNames: [],
  },
  'client.check_authn_complete': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells how an authentication ended.',
    when: 'After client.authenticate has decided.',
    args: {
      client: 'The client as it was authenticated.',
      reasonCode: 'MQTT 5 reason code; 0 is success.',
      anonymous: 'true when nobody vouched for the client and allow_anonymous let it in.',
    },
    accumulator: undefined,
    oldNames: [],
  },
  'client.post_authn': {
    kind: 'fold',
    phases: mutate,
    refusals: { reject: true },
    description: 'May change what the broker knows about an authenticated client, or still refuse it.',
    when: 'After a successful authentication, before the session is opened.',
    args: { connInfo },
    accumulator: 'The client; fields that the answer leaves out keep their value.',
    oldNames: [],
  },
  'client.connack': {
    kind: 'fold',
    phases: mutate,
    refusals: none,
    description: 'May change the properties of CONNACK.',
    when: 'Just before CONNACK is written, for success and failure.',
    args: {
      connInfo,
      reasonCode: 'MQTT 5 reason code of the CONNACK.',
      reason: 'Its name, such as success or not_authorized.',
    },
    accumulator: 'The properties of CONNACK. Older clients than MQTT 5 get none of them.',
    oldNames: [],
  },
  'client.connected': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a client is connected.',
    when: 'After the session was opened, before client.connack.',
    args: { client, connInfo },
    accumulator: undefined,
    oldNames: [],
  },
  'client.disconnected': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a connection is over.',
    when: 'Exactly once for each client.connected.',
    args: {
      client,
      reason: 'normal, tcp_closed, keepalive_timeout, takenover, discarded, kicked, or the name of a reason code.',
      connInfo: 'The connection, with the time at which it ended.',
    },
    accumulator: undefined,
    oldNames: [],
  },
  'client.authorize': {
    kind: 'fold',
    phases: mutate,
    refusals: none,
    description: 'Decides whether a client may publish to a topic or subscribe to a filter.',
    when: 'For each PUBLISH, each filter of SUBSCRIBE, and the will; not for superusers, nor when the answer is cached.',
    args: {
      client,
      action: 'publish or subscribe.',
      topic: 'The topic name of a publish; the filter of a subscribe, without its share prefix.',
      qos: 'The QoS that was asked for.',
      retain: 'The retain flag of a publish.',
    },
    accumulator: 'The result so far: allow or deny, who said so, and whether the answer may be cached.',
    oldNames: ['client.check_acl'],
  },
  'client.check_authz_complete': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells how an authorization ended.',
    when: 'After every authorization, cached answers included.',
    args: {
      client,
      action: 'publish or subscribe.',
      topic: 'The topic name or filter that was checked.',
      qos: 'The QoS that was asked for.',
      retain: 'The retain flag of a publish.',
      result: 'allow or deny.',
      from: 'Who decided: default, superuser, cache, or the name of a plugin.',
    },
    accumulator: undefined,
    oldNames: ['client.check_acl_complete'],
  },
  'client.subscribe': {
    kind: 'fold',
    phases: mutate,
    refusals: { disconnect: true },
    description: 'May rewrite the filters and options of a SUBSCRIBE.',
    when: 'After authorization, with the filters that passed it, before the session stores them.',
    args: { client, properties: 'The properties of SUBSCRIBE.' },
    accumulator: 'The subscriptions. Their number and order must stay: SUBACK answers by position.',
    oldNames: [],
  },
  'client.unsubscribe': {
    kind: 'fold',
    phases: mutate,
    refusals: { disconnect: true },
    description: 'May rewrite the filters of an UNSUBSCRIBE.',
    when: 'On UNSUBSCRIBE, before the session looks them up.',
    args: { client, properties: 'The properties of UNSUBSCRIBE.' },
    accumulator: 'The filters. Their number and order must stay: UNSUBACK answers by position.',
    oldNames: [],
  },
  'client.ping': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a client sent PINGREQ.',
    when: 'On PINGREQ.',
    args: { client, connInfo },
    accumulator: undefined,
    oldNames: [],
  },
  'session.created': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a new session began.',
    when: 'At CONNECT with clean start, or when there was no session to resume; before client.connected.',
    args: { client, session },
    accumulator: undefined,
    oldNames: [],
  },
  'session.resumed': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a stored session goes on with a new connection.',
    when: 'At CONNECT without clean start when there is a session; before client.connected.',
    args: { client, session },
    accumulator: undefined,
    oldNames: [],
  },
  'session.takenover': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells, for the old connection, that its session went to a new one.',
    when: 'When a client resumes a session.',
    args: { client, session },
    accumulator: undefined,
    oldNames: ['session.takeovered'],
  },
  'session.discarded': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a clean start threw the old session away.',
    when: 'When a client with the same id connects with clean start.',
    args: { client, session },
    accumulator: undefined,
    oldNames: [],
  },
  'session.subscribed': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a filter was subscribed to.',
    when: 'For each accepted filter, before SUBACK.',
    args: {
      client,
      topic: 'The filter, with its share prefix.',
      options: 'The options as stored.',
      isNew: 'false when the filter was subscribed to before.',
    },
    accumulator: undefined,
    oldNames: [],
  },
  'session.unsubscribed': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a subscription ended.',
    when: 'For each filter that existed, before UNSUBACK.',
    args: { client, topic: 'The filter, with its share prefix.', options: 'The options that it had.' },
    accumulator: undefined,
    oldNames: [],
  },
  'session.disconnected': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a session has lost its connection.',
    when: 'Before the will is published and before client.disconnected.',
    args: { client, session },
    accumulator: undefined,
    oldNames: [],
  },
  'session.terminated': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a session ended for good.',
    when: 'When it is not kept after the connection, has expired, or was kicked.',
    args: { client, reason: 'normal, tcp_closed, kicked, expired, or the name of a reason code.', session },
    accumulator: undefined,
    oldNames: [],
  },
  'message.publish': {
    kind: 'fold',
    phases: ['mutate', 'sink'],
    refusals: { drop: true, reject: true, disconnect: true },
    description: 'May change, drop or refuse a message before it is routed.',
    when: 'For each PUBLISH that was authorized, each will, and each message of the broker or a plugin.',
    args: { client: 'The publisher; absent for messages that the broker or a plugin publishes.' },
    accumulator: 'The message; fields that the answer leaves out keep their value.',
    oldNames: [],
  },
  'message.puback': {
    kind: 'fold',
    phases: mutate,
    refusals: none,
    description: 'May change the reason code of PUBACK.',
    when: 'After a QoS 1 message has been routed, before PUBACK.',
    args: {
      client,
      packetId: 'The packet identifier of the PUBLISH.',
      message: 'The message as it was routed.',
      routes: 'The number of its receivers.',
    },
    accumulator: 'The reason code of PUBACK. Older clients than MQTT 5 get none.',
    oldNames: [],
  },
  'message.dropped': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a message reached nobody.',
    when: 'When nobody is subscribed, or its QoS 2 handshake was refused.',
    args: {
      message: 'The message.',
      reason: 'no_subscribers, packet_identifier_inuse or receive_maximum_exceeded.',
    },
    accumulator: undefined,
    oldNames: [],
  },
  'message.delivered': {
    kind: 'fold',
    phases: mutate,
    refusals: { drop: true },
    description: 'May change or drop one delivery of a message to one subscriber.',
    when: 'Before PUBLISH is written to the subscriber; again when it is sent again after a reconnect.',
    args: { client: 'The subscriber.' },
    accumulator: 'The message as this subscriber will get it.',
    oldNames: ['message.deliver'],
  },
  'message.acked': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a subscriber acknowledged a message.',
    when: 'On PUBACK (QoS 1) or PUBREC (QoS 2).',
    args: { client: 'The subscriber.', message: 'The message.', properties: 'The properties of PUBACK or PUBREC.' },
    accumulator: undefined,
    oldNames: [],
  },
  'message.nack': {
    kind: 'fold',
    phases: mutate,
    refusals: none,
    description: 'Lets a hook take care of a delivery that the subscriber refused.',
    when: 'On PUBACK or PUBREC with a reason code of 0x80 or more.',
    args: { client: 'The subscriber.', message: 'The message.', reasonCode: 'The reason code.' },
    accumulator: 'true when a hook has taken care of it.',
    oldNames: [],
  },
  'delivery.dropped': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that one subscriber did not get a message.',
    when: 'When the delivery is given up.',
    args: {
      client: 'The subscriber.',
      message: 'The message.',
      reason: 'no_local, queue_full, qos0_msg, expired, too_large or hook.',
    },
    accumulator: undefined,
    oldNames: [],
  },
  'delivery.completed': {
    kind: 'notification',
    phases: mutate,
    refusals: none,
    description: 'Tells that a delivery is finished.',
    when: 'QoS 0: before PUBLISH is written; QoS 1: on PUBACK; QoS 2: on PUBCOMP.',
    args: {
      client: 'The subscriber.',
      message: 'The message.',
      sessionCreatedAt: 'When its session began, milliseconds since the epoch.',
    },
    accumulator: undefined,
    oldNames: [],
  },
}

export const hookPointNames = Object.keys(hookPointTable) as readonly HookPointName[]

/** Old name to the name of the point that it means. */
export const hookPointAliases: ReadonlyMap<string, HookPointName> = new Map(
  hookPointNames.flatMap((name) => hookPointTable[name].oldNames.map((old) => [old, name] as const)),
)

/** A hook that cannot be registered. `code` is stable; the message names what was wrong and what is allowed. */
export class HookRegistrationError extends Error {
  override readonly name = 'HookRegistrationError'
  readonly code: 'invalid_hookpoint' | 'already_exists' | 'invalid_options'

  constructor(code: HookRegistrationError['code'], message: string) {
    super(message)
    this.code = code
  }
}

export function isHookPoint(name: string): name is HookPointName {
  return Object.hasOwn(hookPointTable, name)
}

/** The point of this name or old name. Throws `HookRegistrationError` 'invalid_hookpoint', which lists names like it. */
export function resolveHookPoint(name: string): HookPointName {
  if (isHookPoint(name)) return name
  const alias = hookPointAliases.get(name)
  if (alias !== undefined) return alias
  const near = nearNames(String(name))
  const hint =
    near.length > 0 ? `did you mean ${near.join(' or ')}?` : `the hook points are ${hookPointNames.join(', ')}.`
  throw new HookRegistrationError('invalid_hookpoint', `there is no hook point '${String(name)}'; ${hint}`)
}

/** Up to three names, nearest first: few edits away, or the same word after the dot. */
function nearNames(name: string): HookPointName[] {
  const wanted = name.trim().toLowerCase()
  const word = lastWord(wanted)
  const found = hookPointNames
    .map((candidate) => ({
      candidate,
      distance: word !== '' && lastWord(candidate) === word ? 1 : editDistance(wanted, candidate),
    }))
    .filter(({ distance }) => distance <= 4)
    .sort((a, b) => a.distance - b.distance)
  return found
    .filter(({ distance }) => distance <= found[0].distance + 1)
    .slice(0, 3)
    .map(({ candidate }) => candidate)
}

function lastWord(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}

function editDistance(left: string, right: string): number {
  // Names are short; a longer one is not near to any of them.
  if (left.length > 64) return left.length
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const substitute = row[j - 1] + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, substitute))
    }
    row = next
  }
  return row[right.length]
}
