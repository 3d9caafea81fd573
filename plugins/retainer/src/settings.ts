import type { PluginConfigKey, PluginSettings } from '@hookmq/api'
import { readRate } from '@hookmq/kit'

export const keys = {
  'retainer.storage_type': {
    type: 'enum',
    values: ['ram', 'disc', 'disc_only'],
    default: 'ram',
    aliases: ['module.retainer.storage_type'],
    description:
      'The store of the broker keeps them whatever this says. Where there is none (ram: gone with the process), disc and disc_only keep a copy among the values of plugins.',
  },
  'retainer.max_retained_messages': {
    type: 'integer',
    minimum: 0,
    aliases: ['module.retainer.max_message_num', 'retainer.max_message_num'],
    description: "Messages that are retained; 0: no limit. Default: the broker's.",
  },
  'retainer.max_payload_size': {
    type: 'bytesize',
    aliases: ['module.retainer.max_payload_size'],
    description: "Larger payloads are delivered but not retained; 0: no limit. Default: the broker's.",
  },
  'retainer.expiry_interval': {
    type: 'duration',
    unit: 'ms',
    default: '0',
    description: 'How long a message without Message Expiry Interval is retained; 0: for ever.',
  },
  'module.retainer.expired_after': {
    type: 'duration',
    unit: 's',
    description: 'The same under its name of EMQ 2.0; a bare number is seconds.',
  },
  'retainer.msg_clear_interval': {
    type: 'duration',
    unit: 'ms',
    default: '5m',
    description: 'How often expired messages are cleared away; 0: never. They are not sent in either case.',
  },
  'retainer.stop_publish_clear_msg': {
    type: 'flag',
    default: 'false',
    description: 'true: an empty message that clears a retained one is kept from the subscribers.',
  },
  'retainer.delivery_rate': {
    type: 'string',
    default: 'infinity',
    description:
      'Retained messages sent to new subscriptions by the whole broker, such as `1000/s`; beyond it they wait.',
  },
  'retainer.max_publish_rate': {
    type: 'string',
    default: 'infinity',
    description: 'Messages retained, such as `1000/s`; beyond it they are delivered but not retained.',
  },
} as const satisfies Readonly<Record<string, PluginConfigKey>>

export interface RetainerSettings {
  storage: 'ram' | 'disc' | 'disc_only'
  /** undefined: the broker's. 0: no limit. */
  maxMessages: number | undefined
  /** Bytes. undefined: the broker's. 0: no limit. */
  maxPayload: number | undefined
  /** Milliseconds; 0: never. */
  expiry: number
  clearInterval: number
  stopClearMessages: boolean
  /** Per second; 0: no limit. */
  deliveryRate: number
  storeRate: number
}

/** Throws a TypeError that names the key. */
export function readSettings(settings: PluginSettings): RetainerSettings {
  const optional = <T>(key: keyof typeof keys, read: (key: string) => T): T | undefined =>
    settings.has(key) ? read(key) : undefined
  const oldExpiry = optional('module.retainer.expired_after', (key) => settings.duration(key))
  return {
    storage: settings.text('retainer.storage_type') as RetainerSettings['storage'],
    maxMessages: optional('retainer.max_retained_messages', (key) => settings.number(key)),
    maxPayload: optional('retainer.max_payload_size', (key) => settings.bytes(key)),
    expiry: settings.duration('retainer.expiry_interval') || (oldExpiry ?? 0),
    clearInterval: settings.duration('retainer.msg_clear_interval'),
    stopClearMessages: settings.flag('retainer.stop_publish_clear_msg'),
    deliveryRate: rateOf(settings, 'retainer.delivery_rate'),
    storeRate: rateOf(settings, 'retainer.max_publish_rate'),
  }
}

function rateOf(settings: PluginSettings, key: keyof typeof keys): number {
  const text = settings.text(key)
  const rate = readRatePerSecond(text)
  if (rate === undefined) throw new TypeError(`${key} = ${text}: expected a rate such as 1000/s, or infinity`)
  return rate
}

/** 0 for no limit; undefined for a text that is no rate. */
export function readRatePerSecond(text: string): number | undefined {
  return text === 'infinity' || text === '0' ? 0 : readRate(text)?.rate
}
