import type { StoredOptions } from './types.ts'

const common: StoredOptions[] = []

/** The same options as an object that all subscriptions with them share: a broker holds many, and they differ little. */
export function commonOptions(options: StoredOptions): StoredOptions {
  const { qos, noLocal, retainAsPublished, retainHandling } = options
  if (options.subscriptionIdentifier !== undefined) return options
  const index = qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4)
  common[index] ??= Object.freeze({ qos, noLocal, retainAsPublished, retainHandling })
  return common[index]
}
