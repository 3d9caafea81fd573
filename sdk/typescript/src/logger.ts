export interface Logger {
  info(message: string): void
  warn(message: string): void
  error(message: string): void
}

export const consoleLogger: Logger = {
  info: (message) => console.log(message),
  warn: (message) => console.warn(message),
  error: (message) => console.error(message),
}

export const silentLogger: Logger = { info() {}, warn() {}, error() {} }

const lines = 10
const period = 1000

/** Says of a hook that fails on every message so ten times a second, and then how often it was not said. */
export class FailureLog {
  readonly #log: Logger
  #until = 0
  #said = 0
  #unsaid = 0

  constructor(log: Logger) {
    this.#log = log
  }

  failed(hook: string, error: unknown): void {
    const now = performance.now()
    if (now >= this.#until) {
      if (this.#unsaid > 0) this.#log.error(`${this.#unsaid} more failures of hooks are not shown`)
      this.#until = now + period
      this.#said = 0
      this.#unsaid = 0
    }
    if (++this.#said > lines) {
      this.#unsaid++
      return
    }
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#log.error(`hook '${hook}' failed: ${text}`)
  }
}
