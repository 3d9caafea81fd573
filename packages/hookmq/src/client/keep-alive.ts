/** Asks a silent broker whether it is there, and notices when it does not answer. */
export class KeepAlive {
  #timer: NodeJS.Timeout | undefined
  #awaiting = false
  #lastSent = Date.now()

  /** `seconds`: 0 = never. `ping` sends PINGREQ, `dead` is called when it was not answered. */
  start(seconds: number, ping: () => void, dead: () => void): void {
    if (seconds === 0) return
    this.#lastSent = Date.now()
    // Looked at twice per interval, so that a silence never gets longer than the interval itself. [MQTT-3.1.2-20]
    this.#timer = setInterval(() => {
      if (this.#awaiting) {
        dead()
        return
      }
      if (Date.now() - this.#lastSent < seconds * 500 - 50) return
      this.#awaiting = true
      ping()
    }, seconds * 500)
  }

  sent(): void {
    this.#lastSent = Date.now()
  }

  answered(): void {
    this.#awaiting = false
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
