/** So many events per second, so many at once. No timer: it counts when it is asked. */
export class TokenBucket {
  private readonly perMillisecond: number
  private readonly burst: number
  private readonly now: () => number
  private tokens: number
  private last: number

  /** @param burst how many may come at once; the rate when left out, at least 1 */
  constructor(perSecond: number, burst = Math.max(1, perSecond), now: () => number = () => performance.now()) {
    this.perMillisecond = perSecond / 1000
    this.burst = burst
    this.now = now
    this.tokens = burst
    this.last = now()
  }

  /** Takes one token. @returns false when there is none. */
  take(): boolean {
    const now = this.now()
    if (now > this.last) {
      this.tokens = Math.min(this.burst, this.tokens + (now - this.last) * this.perMillisecond)
      this.last = now
    }
    if (this.tokens < 1) return false
    this.tokens -= 1
    return true
  }
}
