/**
 * Goes on with `next` now when the value is there, later when it is a promise: code that serves synchronous and
 * asynchronous hooks alike, without making a promise for the first kind.
 */
export function after<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** Settles when both have; undefined: there is nothing to wait for. */
export function bothOf(
  one: Promise<unknown> | undefined,
  other: Promise<unknown> | undefined,
): Promise<unknown> | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return Promise.all([one, other])
}
