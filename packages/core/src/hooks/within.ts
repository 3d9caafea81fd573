/** true when the work ended in time, well or not. Milliseconds. */
export async function within(timeout: number, work: () => Promise<unknown>): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), timeout)
  work().then(
    () => resolve(true),
    () => resolve(true),
  )
  const inTime = await promise
  clearTimeout(timer)
  return inTime
}
