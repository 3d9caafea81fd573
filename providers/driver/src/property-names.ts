import type { HookPoints } from '@hookmq/api'
import type { Value } from './value.ts'
import { Tuple } from './value.ts'

/** MQTT 5 properties, as the API has them. */
export type Properties = HookPoints['client.connect']['accumulator']

const irregular: Readonly<Record<string, string>> = {
  userProperties: 'User-Property',
  subscriptionIdentifiers: 'Subscription-Identifier',
  maximumQoS: 'Maximum-QoS',
}
const names = new Map<string, string>()

/** `sessionExpiryInterval` → `Session-Expiry-Interval`, as MQTT 5 and EMQX write it. */
function propertyName(key: string): string {
  let name = names.get(key)
  if (name === undefined) {
    name = irregular[key] ?? key.replace(/[A-Z]/g, '-$&').replace(/^./, (first) => first.toUpperCase())
    names.set(key, name)
  }
  return name
}

const none: readonly Value[] = []

/** Pairs of name and value: numbers, text, bytes; User-Property is a list of pairs itself. */
export function propertyPairs(properties: Properties): readonly Value[] {
  let pairs: Value[] | undefined
  for (const key in properties) {
    const value = properties[key as keyof Properties]
    if (value === undefined) continue
    pairs ??= []
    if (key === 'userProperties')
      pairs.push(
        new Tuple(
          'User-Property',
          (value as readonly (readonly [string, string])[]).map(([name, text]) => new Tuple(name, text)),
        ),
      )
    else if (Array.isArray(value)) for (const one of value) pairs.push(new Tuple(propertyName(key), one as number))
    else pairs.push(new Tuple(propertyName(key), value as Value))
  }
  return pairs ?? none
}
