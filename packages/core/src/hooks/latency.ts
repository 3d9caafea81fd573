/** Quarter powers of two from about 1 microsecond to 18 minutes; what is beyond falls into the last bucket. */
const bucketsPerDoubling = 4
const smallest = 0.001
const bucketCount = 30 * bucketsPerDoubling

/** Counts durations in buckets: an estimate of quantiles, at most 19 % off, in 480 bytes. */
export class LatencyHistogram {
  readonly #buckets = new Uint32Array(bucketCount)
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Milliseconds. */
  record(duration: number): void {
    const index = duration <= smallest ? 0 : Math.ceil(Math.log2(duration / smallest) * bucketsPerDoubling)
    this.#buckets[Math.min(index, bucketCount - 1)]++
    this.#count++
  }

  /** Milliseconds, rounded up to the bucket's end; undefined when nothing was recorded. `share`: 0.5 is the median. */
  quantile(share: number): number | undefined {
    if (this.#count === 0) return undefined
    let left = Math.max(1, Math.ceil(this.#count * share))
    for (let index = 0; index < bucketCount; index++) {
      left -= this.#buckets[index]
      if (left <= 0) return smallest * 2 ** (index / bucketsPerDoubling)
    }
    return smallest * 2 ** (bucketCount / bucketsPerDoubling)
  }
}
