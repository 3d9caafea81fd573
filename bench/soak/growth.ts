export interface Point {
  /** Seconds. */
  readonly at: number
  readonly value: number
}

/** The median of the slopes between any two points, per second: a few outliers do not move it. Theil and Sen. */
export function slope(points: readonly Point[]): number {
  const slopes: number[] = []
  for (const [index, one] of points.entries()) {
    for (const other of points.slice(index + 1))
      if (other.at > one.at) slopes.push((other.value - one.value) / (other.at - one.at))
  }
  if (slopes.length === 0) return 0
  slopes.sort((a, b) => a - b)
  return ((slopes[(slopes.length - 1) >> 1] ?? 0) + (slopes[slopes.length >> 1] ?? 0)) / 2
}

/** The lowest value of each stretch of so many seconds: what is left of a saw of garbage collections. */
export function lowest(points: readonly Point[], seconds: number): Point[] {
  const found = new Map<number, Point>()
  for (const point of points) {
    const stretch = Math.floor(point.at / seconds)
    const before = found.get(stretch)
    if (before === undefined || point.value < before.value) found.set(stretch, point)
  }
  return [...found.values()]
}
