/** What was seen, and what went wrong. */
export class Tally {
  published = 0
  delivered = 0
  failures = 0
  readonly firstFailures: string[] = []
  readonly changes: Record<string, number> = {}

  fail(text: string): void {
    this.failures++
    if (this.firstFailures.length < 20) this.firstFailures.push(text)
  }

  changed(name: string): void {
    this.changes[name] = (this.changes[name] ?? 0) + 1
  }
}
