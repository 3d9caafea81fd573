/** Time, behind a port so that tests can move it. Milliseconds. */
export interface Clock {
  now(): number
  /** Both return what cancels them. Neither keeps the process alive. */
  after(delay: number, run: () => void): () => void
  every(interval: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: Date.now,
  after(delay, run) {
    const timer = setTimeout(run, delay)
    timer.unref()
    return () => clearTimeout(timer)
  },
  every(interval, run) {
    const timer = setInterval(run, interval)
    timer.unref()
    return () => clearInterval(timer)
  },
}
