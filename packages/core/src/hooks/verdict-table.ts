import type { FoldPointName } from '@hookmq/api'
import type { PacketType, ProtocolVersion, QoS } from '@hookmq/mqtt'
import type { Refusal } from '../refusal.ts'

/** What the publisher of a refused message gets. */
export interface PublishRefusalOutcome {
  /** Answer with PUBACK (QoS 1) or PUBREC (QoS 2). */
  readonly acknowledge: boolean
  /** MQTT 5 reason code of that packet, or of the DISCONNECT. Before MQTT 5 there is none on the wire. */
  readonly reasonCode: number
  /** Close the connection, after a DISCONNECT in MQTT 5. */
  readonly disconnect: boolean
  /** QoS 2: a PUBREL is still to come. false: the exchange ends with this PUBREC and the packet identifier is free. [MQTT-4.3.3-9] */
  readonly expectRelease: boolean
}

type Versions<T> = { readonly v3: T; readonly v5: T }
type ByQos = readonly [qos0: Wire, qos1: Wire, qos2: Wire]

/** One cell of the table: the bytes that the client gets. */
export interface Wire {
  /** undefined: no packet. */
  readonly packet?: PacketType
  /** 'given' = the code of the verdict; a number; undefined where the version has no code. */
  readonly code?: number | 'given'
  /** The connection is closed (after the packet, if there is one). */
  readonly close?: true
  /** What follows or applies beside the packet, for people. */
  readonly note?: string
}

export interface VerdictRow {
  /** 'continue', 'ok', 'stop', 'drop', 'reject', 'disconnect', or the state that a value of the accumulator makes. */
  readonly verdict: string
  readonly meaning: string
  /** One cell, where QoS makes no difference, or one per QoS. `v3` is MQTT 3.1 and 3.1.1. */
  readonly wire: Versions<Wire | ByQos>
}

const nothing: Wire = {}
const close: Wire = { close: true }
const disconnectGiven: Wire = { packet: 'disconnect', code: 'given', close: true }
const puback: Wire = { packet: 'puback' }
const pubrec: Wire = { packet: 'pubrec', note: 'then PUBREL, PUBCOMP' }

const dropped: Versions<ByQos> = {
  v3: [nothing, puback, pubrec],
  v5: [nothing, { packet: 'puback', code: 0x10 }, { packet: 'pubrec', code: 0x10, note: 'then PUBREL, PUBCOMP' }],
}

function refusedWith(code: number | 'given'): Versions<ByQos> {
  return {
    v3: [nothing, puback, pubrec],
    v5: [nothing, { packet: 'puback', code }, { packet: 'pubrec', code, note: 'the exchange ends' }],
  }
}

const disconnected: Versions<ByQos> = {
  v3: [close, close, close],
  v5: [disconnectGiven, disconnectGiven, disconnectGiven],
}

const routed: Versions<ByQos> = {
  v3: [nothing, puback, pubrec],
  v5: [
    nothing,
    { packet: 'puback', code: 0x00, note: '0x10 when nobody receives it' },
    { packet: 'pubrec', code: 0x00, note: '0x10 when nobody receives it; then PUBREL, PUBCOMP' },
  ],
}

/** The three refusals of message.publish: what `publishRefusalOutcome` decides by. */
const publishRefusals: { readonly [K in Refusal['kind']]: Versions<ByQos> } = {
  drop: dropped,
  reject: refusedWith('given'),
  disconnect: disconnected,
}

/**
 * What the channel has to do with a refused PUBLISH. Refusals of authorization go the same way: 'reject' 0x87 for deny action ignore,
 * 'disconnect' 0x87 for disconnect.
 */
export function publishRefusalOutcome(
  refusal: Pick<Refusal, 'kind' | 'reasonCode'>,
  version: ProtocolVersion,
  qos: QoS,
): PublishRefusalOutcome {
  return outcomes[refusal.kind][version === 5 ? 'v5' : 'v3'][qos](refusal.reasonCode)
}

type Outcome = (code: number) => PublishRefusalOutcome

/** The cells of `publishRefusals` as the code uses them; made once, objects with fixed codes are shared. */
const outcomes: { readonly [K in Refusal['kind']]: Versions<readonly [Outcome, Outcome, Outcome]> } = {
  drop: bothVersions('drop'),
  reject: bothVersions('reject'),
  disconnect: bothVersions('disconnect'),
}

function bothVersions(kind: Refusal['kind']): Versions<readonly [Outcome, Outcome, Outcome]> {
  const row = (cells: ByQos) => [outcome(cells[0], kind), outcome(cells[1], kind), outcome(cells[2], kind)] as const
  return { v3: row(publishRefusals[kind].v3), v5: row(publishRefusals[kind].v5) }
}

function outcome(cell: Wire, kind: Refusal['kind']): Outcome {
  const acknowledge = cell.packet === 'puback' || cell.packet === 'pubrec'
  const disconnect = cell.close === true
  // A PUBREC that refuses ends the exchange; before MQTT 5 no PUBREC can.
  const ends = cell.code === 'given' || (cell.code ?? 0) >= 0x80
  const expectRelease = cell.packet === 'pubrec' && !ends
  // Before MQTT 5 a refusal to disconnect has no packet, but logs and client.disconnected name its code all the same.
  if (cell.code === 'given' || (kind === 'disconnect' && cell.code === undefined))
    return (reasonCode) => ({ acknowledge, reasonCode, disconnect, expectRelease })
  const fixed: PublishRefusalOutcome = Object.freeze({
    acknowledge,
    reasonCode: cell.code ?? 0,
    disconnect,
    expectRelease,
  })
  return () => fixed
}

const connackGiven: Versions<Wire> = {
  v3: { packet: 'connack', code: 'given', close: true, note: 'as the return code that stands nearest to it' },
  v5: { packet: 'connack', code: 'given', close: true },
}
const goesOn: Versions<Wire> = { v3: { note: 'goes on' }, v5: { note: 'goes on' } }

/** The rows that every fold point has. */
function common(accumulator: string, wire: Versions<Wire | ByQos>): VerdictRow[] {
  return [
    { verdict: "nothing, 'ok'", meaning: 'The next hook is asked; nothing has changed.', wire },
    { verdict: '{ ok: value }', meaning: `The next hook is asked, with ${accumulator}.`, wire },
    { verdict: "'stop', { stop: value }", meaning: 'As above, but no further hook is asked.', wire },
  ]
}

const failureIgnored: VerdictRow = {
  verdict: 'failure',
  meaning: 'As if the hook had not been there; failedAction deny changes nothing on this point.',
  wire: goesOn,
}

/** Every answer on every fold point, and what the client gets for it on the wire. The reference page is made from it. */
export const verdictTable: { readonly [P in FoldPointName]: readonly VerdictRow[] } = {
  'client.connect': [
    ...common('these properties', goesOn),
    { verdict: '{ reject: code }', meaning: 'The connection is refused.', wire: connackGiven },
    failureIgnored,
  ],
  'client.authenticate': [
    { verdict: "nothing, 'ok'", meaning: 'The next hook is asked; nothing has changed.', wire: goesOn },
    { verdict: "{ ok: { result: 'allow' } }", meaning: 'Let in, unless a later hook says otherwise.', wire: goesOn },
    {
      verdict: "{ stop: { result: 'allow' } }",
      meaning: 'Let in; no further hook is asked.',
      wire: goesOn,
    },
    {
      verdict: "{ stop: { result: 'deny', reasonCode } }, { reject: code }",
      meaning:
        'Refused, by default with 0x87 (return code 5). In a re-authentication DISCONNECT takes the place of CONNACK.',
      wire: connackGiven,
    },
    {
      verdict: "{ stop: { result: 'continue', data } }",
      meaning: 'Enhanced authentication goes on. Only MQTT 5 clients that named a method can; others are refused.',
      wire: { v3: { packet: 'connack', code: 0x87, close: true }, v5: { packet: 'auth', code: 0x18 } },
    },
    {
      verdict: 'failure, failedAction deny',
      meaning: 'Refused; no further hook is asked. The default on this point.',
      wire: {
        v3: { packet: 'connack', code: 0x87, close: true },
        v5: { packet: 'connack', code: 0x87, close: true },
      },
    },
    { verdict: 'failure, failedAction ignore', meaning: 'As if the hook had not been there.', wire: goesOn },
  ],
  'client.post_authn': [
    ...common('this client', goesOn),
    { verdict: '{ reject: code }', meaning: 'The connection is refused after all.', wire: connackGiven },
    failureIgnored,
  ],
  'client.connack': [
    ...common('these properties', {
      v3: { packet: 'connack', note: 'without properties' },
      v5: { packet: 'connack', note: 'with the properties' },
    }),
    failureIgnored,
  ],
  'client.authorize': [
    { verdict: "nothing, 'ok'", meaning: 'The next hook is asked; nothing has changed.', wire: goesOn },
    {
      verdict: "result 'allow'",
      meaning: 'Allowed, unless a later hook says otherwise; with stop nobody else is asked.',
      wire: goesOn,
    },
    {
      verdict: "result 'deny', publish, acl_deny_action ignore",
      meaning: 'Not published; message.publish and message.dropped do not run.',
      wire: refusedWith(0x87),
    },
    {
      verdict: "result 'deny', publish, acl_deny_action disconnect",
      meaning: 'The client is disconnected.',
      wire: {
        v3: disconnected.v3,
        v5: [
          { packet: 'disconnect', code: 0x87, close: true },
          { packet: 'disconnect', code: 0x87, close: true },
          { packet: 'disconnect', code: 0x87, close: true },
        ],
      },
    },
    {
      verdict: "result 'deny', subscribe, acl_deny_action ignore",
      meaning: 'This filter is refused, the others of the SUBSCRIBE stand.',
      wire: { v3: { packet: 'suback', code: 0x80 }, v5: { packet: 'suback', code: 0x87 } },
    },
    {
      verdict: "result 'deny', subscribe, acl_deny_action disconnect",
      meaning: 'The client is disconnected; client.subscribe does not run.',
      wire: { v3: close, v5: { packet: 'disconnect', code: 0x87, close: true } },
    },
    {
      verdict: 'failure, failedAction deny',
      meaning: "As result 'deny', not cached; no further hook is asked. The default on this point.",
      wire: goesOn,
    },
    { verdict: 'failure, failedAction ignore', meaning: 'As if the hook had not been there.', wire: goesOn },
  ],
  'client.subscribe': [
    ...common('these subscriptions', {
      v3: { packet: 'suback', note: 'granted QoS by position' },
      v5: { packet: 'suback', note: 'granted QoS by position' },
    }),
    {
      verdict: '{ disconnect: code }',
      meaning: 'Nothing is subscribed; the client is disconnected.',
      wire: { v3: close, v5: disconnectGiven },
    },
    failureIgnored,
  ],
  'client.unsubscribe': [
    ...common('these filters', {
      v3: { packet: 'unsuback' },
      v5: { packet: 'unsuback', note: '0x00, or 0x11 for a filter that was not subscribed to' },
    }),
    {
      verdict: '{ disconnect: code }',
      meaning: 'Nothing is unsubscribed; the client is disconnected.',
      wire: { v3: close, v5: disconnectGiven },
    },
    failureIgnored,
  ],
  'message.publish': [
    ...common('this message', routed),
    {
      verdict: '{ drop: true }',
      meaning:
        'Routed to nobody; the publisher sees what it sees when nobody is subscribed. message.dropped does not run.',
      wire: publishRefusals.drop,
    },
    {
      verdict: 'header allowPublish: false',
      meaning: 'As drop, when the mutate phase has ended: later hooks of it are still asked, no sink sees the message.',
      wire: publishRefusals.drop,
    },
    { verdict: '{ reject: code }', meaning: 'Not published, and the publisher is told.', wire: publishRefusals.reject },
    {
      verdict: '{ disconnect: code }',
      meaning: 'Not published; the publisher is disconnected.',
      wire: publishRefusals.disconnect,
    },
    {
      verdict: 'header shouldDisconnect: true',
      meaning: 'As disconnect with 0x83, when the mutate phase has ended.',
      wire: {
        v3: disconnected.v3,
        v5: [
          { packet: 'disconnect', code: 0x83, close: true },
          { packet: 'disconnect', code: 0x83, close: true },
          { packet: 'disconnect', code: 0x83, close: true },
        ],
      },
    },
    {
      verdict: 'failure, failedAction deny',
      meaning: 'Not published, as reject with 0x83; no further hook is asked.',
      wire: refusedWith(0x83),
    },
    {
      verdict: 'failure, failedAction ignore',
      meaning: 'As if the hook had not been there. The default on this point.',
      wire: routed,
    },
  ],
  'message.puback': [
    ...common('this reason code', {
      v3: [nothing, puback, nothing],
      v5: [nothing, { packet: 'puback', code: 'given' }, nothing],
    }),
    failureIgnored,
  ],
  'message.delivered': [
    ...common('this message, for this subscriber only', {
      v3: { packet: 'publish' },
      v5: { packet: 'publish' },
    }),
    {
      verdict: '{ drop: true }',
      meaning: 'The subscriber does not get it; delivery.dropped runs with reason hook. The publisher does not notice.',
      wire: { v3: nothing, v5: nothing },
    },
    failureIgnored,
  ],
  'message.nack': [...common('true (handled) or false', { v3: nothing, v5: nothing }), failureIgnored],
}
