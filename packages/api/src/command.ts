/** What a command answers. Lines go to a person; `json` is printed instead with `--json`. */
export interface CommandResult {
  readonly lines: readonly string[]
  /** Default: `{ lines }`. */
  readonly json?: unknown
  /** Exit code of the command line. Default 0; 2 = wrong use (its usage is printed). */
  readonly exitCode?: number
}

/** One command of the command line: `hookmq ctl NAME …`. */
export interface Command {
  /** The first word, such as 'users'. A later registration of the same name hides the earlier one until it goes. */
  readonly name: string
  /**
   * The second word, where several plugins share the first: `drivers` of `exhook drivers list`. Each is shown, and asked when its word is given; the
   * one without gets all others.
   */
  readonly subcommand?: string
  /** Left and right column of the help, such as ['users add <Username> <Password>', 'Add a user']. */
  readonly usage: readonly (readonly [usage: string, description: string])[]
  /** `args` are the words after the name. `undefined`: not understood; the usage is printed. A throw is printed as `Error: …`. */
  run(args: readonly string[]): CommandResult | undefined | Promise<CommandResult | undefined>
}

export interface HttpRequest {
  /** Named parts of the path: `/clients/:clientid`. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | readonly string[]>>
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown
  /** Who asks: a user's name or an API key. */
  readonly user: string
}

export interface HttpResponse {
  readonly status: number
  /** Sent as JSON; a string with its own `contentType` as it is. Absent: no body. */
  readonly body?: unknown
  readonly contentType?: string
}

/** One endpoint of the management HTTP API, below its base path `/api/v5`. */
export interface HttpRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** `/mqtt/retainer/message/:topic` */
  readonly path: string
  readonly summary: string
  readonly tag?: string
  /** JSON schemas for the OpenAPI document and, for the body, for checking. */
  readonly bodySchema?: object
  readonly querySchema?: object
  readonly responseSchema?: object
  handle(request: HttpRequest): HttpResponse | Promise<HttpResponse>
}
