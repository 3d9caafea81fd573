/** What takes longer than this shows that it goes on: milliseconds. */
const patience = 2000
const betweenLines = 200

/** One line on standard error that says what is being done; nothing before two seconds have passed, and nothing where nobody looks. */
export class Progress {
  readonly #began = performance.now()
  #shownAt = 0
  #shown = false

  show(what: string): void {
    const now = performance.now()
    if (!process.stderr.isTTY || now - this.#began < patience || now - this.#shownAt < betweenLines) return
    this.#shownAt = now
    this.#shown = true
    process.stderr.write(`\r\x1b[K… ${what}`)
  }

  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K')
    this.#shown = false
  }
}
