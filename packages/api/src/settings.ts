import type { Term } from './term.ts'

/** One key of a plugin's settings. */
export interface PluginConfigKey {
  /**
   * How the text is read:
   * - 'string'; 'secret' is one that is never shown
   * - 'integer' with an optional sign; 'number' may have a fraction
   * - 'flag': on, off, true, false
   * - 'duration': `30s`, `1h30m`, `.5s`; `unit` says what a bare number counts
   * - 'bytesize': `64KB`, `1MB`; a bare number is bytes
   * - 'percent': `80%`
   * - 'enum': one of `values`
   * - 'path': a file or folder; what is relative begins at the folder that `etc` is in
   * - 'address': `3306` (this machine), `127.0.0.1:3306`, `db.example.org:3306`, `[::1]:3306`
   * - 'term': an Erlang term, which only NAME.config has in this form
   */
  readonly type:
    | 'string'
    | 'secret'
    | 'integer'
    | 'number'
    | 'flag'
    | 'duration'
    | 'bytesize'
    | 'percent'
    | 'enum'
    | 'path'
    | 'address'
    | 'term'
  /** As it would stand in the file. */
  readonly default?: string
  /** For enum. */
  readonly values?: readonly string[]
  /** For duration: what a number without unit counts. Default: a unit must be written, but for 0. */
  readonly unit?: 'ms' | 's'
  /** For integer, number, duration (milliseconds), bytesize (bytes), percent (0 to 1). */
  readonly minimum?: number
  readonly maximum?: number
  /** Other spellings of the key, such as those of EMQ; with the same `$names`. */
  readonly aliases?: readonly string[]
  /** One sentence for the reference page. */
  readonly description: string
}

/**
 * The settings of a plugin as what they stand for. A key is named as the plugin declares it. Each reader throws a TypeError for a key
 * that is not declared or is of another type, and for one that is neither set nor has a default: ask `has` first.
 */
export interface PluginSettings {
  has(key: string): boolean
  /** string, secret, enum, path. */
  text(key: string): string
  /** integer, number, percent (0 to 1). */
  number(key: string): number
  flag(key: string): boolean
  /** Milliseconds. */
  duration(key: string): number
  /** Bytes. */
  bytes(key: string): number
  address(key: string): { readonly host: string; readonly port: number }
  term(key: string): Term
  /**
   * The keys that are set and fit a declared key with `$names`, sorted as text: for `auth.user.$n.username` the key
   * `auth.user.1.username` with the words `{ n: '1' }`.
   */
  matching(pattern: string): readonly { readonly key: string; readonly words: Readonly<Record<string, string>> }[]
}
