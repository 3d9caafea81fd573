import { firstFunction } from './protocol.ts'

type Callable = (first: unknown, second: unknown) => unknown

/** The functions of the plugin that the broker may call, by number. */
export class Functions {
  readonly #functions = new Map<number, Callable>()
  readonly #hooks = new Map<unknown, number>()
  #next = firstFunction

  /** One that is called with a list of arguments. */
  add(run: (...args: never[]) => unknown): number {
    return this.#put((args) => run(...(args as never[])))
  }

  /** One that is called once. */
  addOnce(run: () => unknown): number {
    const id = this.#put(() => {
      this.#functions.delete(id)
      return run()
    })
    return id
  }

  /** A hook handler: the same number for the same one. */
  hook(handler: unknown, wrap: () => Callable): number {
    let id = this.#hooks.get(handler)
    if (id === undefined) {
      id = this.#put(wrap())
      this.#hooks.set(handler, id)
    }
    return id
  }

  delete(id: number): void {
    this.#functions.delete(id)
  }

  run(id: number, first: unknown, second: unknown): unknown {
    const found = this.#functions.get(id)
    // It was taken back while the call was on its way.
    return found === undefined ? undefined : found(first, second)
  }

  #put(run: Callable): number {
    this.#functions.set(this.#next, run)
    return this.#next++
  }
}
