import { StringDecoder } from 'node:string_decoder'

export interface LineLimits {
  /** Characters; what is longer is cut and says so. */
  readonly length: number
  /** Lines per second; what comes beyond is left out and counted. */
  readonly rate: number
}

/** Cuts what a process prints into lines, and keeps both their length and their number within bounds. */
export class Lines {
  readonly #limits: LineLimits
  readonly #receive: (line: string) => void
  readonly #omitted: (count: number) => void
  readonly #now: () => number
  // Whatever is no UTF-8 becomes U+FFFD.
  readonly #decoder = new StringDecoder('utf8')
  #begun = ''
  #cut = false
  #second = 0
  #inSecond = 0
  #left = 0
  /** All that were left out. */
  dropped = 0

  constructor(
    limits: LineLimits,
    receive: (line: string) => void,
    omitted: (count: number) => void,
    now: () => number = Date.now,
  ) {
    this.#limits = limits
    this.#receive = receive
    this.#omitted = omitted
    this.#now = now
  }

  push(chunk: Buffer): void {
    this.#add(this.#decoder.write(chunk))
  }

  /** The process prints no more: a line without an end ends now. */
  end(): void {
    this.#add(this.#decoder.end())
    if (this.#begun !== '') this.#line('')
    this.#report()
  }

  #add(text: string): void {
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      this.#line(text.slice(from, end))
      from = end + 1
    }
    this.#begin(text.slice(from))
  }

  #begin(text: string): void {
    if (this.#cut || text === '') return
    this.#begun += text
    if (this.#begun.length <= this.#limits.length) return
    this.#begun = this.#begun.slice(0, this.#limits.length)
    this.#cut = true
  }

  #line(rest: string): void {
    this.#begin(rest)
    const line = this.#begun.endsWith('\r') ? this.#begun.slice(0, -1) : this.#begun
    const cut = this.#cut
    this.#begun = ''
    this.#cut = false
    const second = Math.floor(this.#now() / 1000)
    if (second !== this.#second) {
      this.#report()
      this.#second = second
      this.#inSecond = 0
    }
    if (++this.#inSecond > this.#limits.rate) {
      this.dropped++
      this.#left++
      return
    }
    this.#receive(cut ? `${line} … (cut at ${this.#limits.length} characters)` : line)
  }

  #report(): void {
    if (this.#left === 0) return
    const count = this.#left
    this.#left = 0
    this.#omitted(count)
  }
}
