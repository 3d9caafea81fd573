/** Where a setting was made. */
export type Origin =
  | { readonly kind: 'default' }
  | { readonly kind: 'file'; readonly file: string; readonly line: number }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'set' }

/**
 * A setting that cannot be used. `message` is one line for the person who made it, such as
 * `etc/hookmq.conf:12: listener.tcp.external: expected port or ip:port, got "abc"`.
 */
export class ConfigError extends Error {
  /** undefined: the setting is not in a file. */
  readonly file: string | undefined
  readonly line: number | undefined
  readonly key: string | undefined
  readonly expected: string | undefined
  /** Everything that was wrong, this error first. */
  readonly all: readonly ConfigError[]

  constructor(origin: Origin, key: string | undefined, problem: string, expected?: string) {
    super(locate(origin, key) + problem)
    this.name = 'ConfigError'
    this.file = origin.kind === 'file' ? origin.file : undefined
    this.line = origin.kind === 'file' ? origin.line : undefined
    this.key = key
    this.expected = expected
    this.all = [this]
  }

  /** For a message that names its place itself. */
  static at(file: string, line: number, message: string, expected?: string): ConfigError {
    const error = new ConfigError({ kind: 'file', file, line }, undefined, '', expected)
    error.message = message
    return error
  }

  /** The first of some errors, which knows the others. */
  static first(errors: readonly ConfigError[]): ConfigError {
    const [first] = errors
    return Object.assign(first, { all: errors })
  }
}

/** The place as people write it: `etc/hookmq.conf:12`, `environment HOOKMQ_…`, `--set`. */
export function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case 'file':
      return `${origin.file}:${origin.line}`
    case 'environment':
      return `environment ${origin.variable}`
    case 'set':
      return '--set'
    case 'default':
      return 'default'
  }
}

function locate(origin: Origin, key: string | undefined): string {
  const named = key === undefined ? '' : `${key}: `
  // A variable's name is the key already, and `--set key` reads as it was typed.
  if (origin.kind === 'environment') return `${describeOrigin(origin)}: `
  if (origin.kind === 'set') return key === undefined ? '--set: ' : `--set ${named}`
  if (origin.kind === 'default') return named
  return `${describeOrigin(origin)}: ${named}`
}
