/** Metadata that a server may answer OnProviderLoaded with. */
export const fullMessagesMetadata = 'hookmq-messages'

/** Metadata that a server may answer client.authenticate and client.authorize with: how long the answer holds. */
export const cacheMetadata = 'hookmq-cache-ttl'

const units: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `1500`, `1500ms`, `30s`, `5m`; undefined: not said. */
export function readCacheTime(text: string | undefined): number | undefined {
  const found = text === undefined ? null : /^(\d{1,9})(ms|s|m|h|)$/.exec(text)
  return found === null ? undefined : Number(found[1]) * (units[found[2]] ?? 1)
}
