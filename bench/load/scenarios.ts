import { connections, type Measure, messages, retained, wildcards } from './measure.ts'
import { hooked, hookedLightly, type Peer } from './peers.ts'
import type { Scenario } from './scenario.ts'
import type { Carrier } from './wire.ts'

/** One line of the table for each broker. */
export interface Trial {
  readonly name: string
  readonly measure: Measure
  /** Each round has a broker of its own: memory is measured, which a broker does not give back. */
  readonly fresh?: boolean
  readonly carrier?: Carrier
  /** Take part instead of other brokers. */
  readonly also?: readonly Peer[]
}

const usual: Scenario = {
  name: '',
  publishers: 10,
  subscribers: 10,
  pairs: true,
  qos: 0,
  size: 256,
  version: 4,
  outstanding: 200,
}

function load(name: string, settings: Partial<Scenario>, more: Partial<Trial> = {}): Trial {
  return { name, measure: messages({ ...usual, ...settings, name, carrier: more.carrier }), ...more }
}

const fanIn = { pairs: false, subscribers: 1 }
const fanOut = { pairs: false, publishers: 1, subscribers: 100 }
const sizes = [16, 256, 4096]

export const trials: readonly Trial[] = [
  ...sizes.map((size) => load(`pairs, QoS 0, ${size} B`, { size })),
  ...sizes.map((size) => load(`10 to 1, QoS 0, ${size} B`, { size, ...fanIn })),
  ...sizes.map((size) => load(`1 to 100, QoS 0, ${size} B`, { size, ...fanOut })),
  load('pairs, QoS 0, 256 B, MQTT 5', { version: 5 }),
  ...[16, 256].map((size) => load(`pairs, QoS 1, ${size} B`, { size, qos: 1 })),
  load('pairs, QoS 2, 256 B', { qos: 2 }),
  load('500 pairs, one message at a time', { size: 64, publishers: 500, subscribers: 500, outstanding: 1 }),
  load('pairs, QoS 0, 256 B, a hook on message.publish', {}, { also: [hooked, hookedLightly] }),
  load('pairs, QoS 0, 256 B, TLS', {}, { carrier: 'tls' }),
  load('pairs, QoS 0, 256 B, WebSocket', {}, { carrier: 'ws' }),
  load('10 to 1 at 5,000 messages/s, QoS 0, 64 B', { size: 64, rate: 5000, ...fanIn }),
  ...[1000, 100_000].map((count) => ({
    name: `${count.toLocaleString('en')} wildcard subscriptions, per publish`,
    measure: wildcards(count),
    fresh: true,
  })),
  { name: 'read of 10,000 retained messages, per message', measure: retained(10_000) },
  { name: '5,000 connections', measure: connections(5000), fresh: true },
]
