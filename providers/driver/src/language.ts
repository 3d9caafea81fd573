import type { Codec } from './codec.ts'

/** What the operator has said about one driver, as far as a language needs it to start its process. */
export interface LaunchSettings {
  /** `python3`, `java`. */
  readonly name: string
  /** Absolute. Files are allowed: the folder counts, and what the language can use itself (a .jar). */
  readonly path: readonly string[]
  readonly initModule: string
  /** The interpreter, where the operator names it; absent: looked up in PATH under the language's usual names. */
  readonly command?: string
  /** Absolute: what the process is started in. */
  readonly workingDirectory: string
  /** Bytes of address space; absent: no limit. A language enforces it as well as it can (`-Xmx`, RLIMIT_AS). */
  readonly maxMemory?: number
  /** Seconds of CPU time over the life of the process; absent: no limit. */
  readonly maxCpuTime?: number
  /** Gets a line when something is done that takes seconds, such as compiling. */
  readonly progress?: (line: string) => void
}

/** What `child_process.spawn` gets. File descriptor 3 is added to it: a duplex socket with frames. */
export interface Launch {
  readonly command: string
  readonly args: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/** What a driver needs to know about Python, Java, and whatever comes next. */
export interface Language {
  /** Driver names that it stands for, such as `python3`, `python`. */
  readonly names: readonly string[]
  /** `main`, `Main`. */
  readonly defaultInitModule: string
  /** Files whose change means that the handler has changed. */
  isSource(fileName: string): boolean
  /**
   * How to start the process. Rejects with an Error whose message is one line for the operator: what is missing, which version was found and
   * which is needed, which key to set.
   */
  launch(settings: LaunchSettings): Promise<Launch>
  codec(): Codec
}
