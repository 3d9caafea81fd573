import { type CommanderError, InvalidArgumentError } from 'commander'

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `1500ms`, `30s`, `5m`, `1h` as milliseconds. */
export function durationOf(text: string): number {
  const found = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text)
  if (found === null) throw new InvalidArgumentError('expected a time such as 500ms, 30s or 5m.')
  return Number(found[1]) * units[found[2]]
}

/** A whole number within bounds. */
export function numberOf(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}.`)
    return value
  }
}

/** For commands whose exit code 1 says something about what they looked at: wrong words are 2. */
export function usageError(error: CommanderError): never {
  process.exit(error.exitCode === 0 ? 0 : 2)
}

/** Adds a word to those that were given before. */
export function oneOf(known: readonly string[], what: string): (text: string, before?: string[]) => string[] {
  return (text, before = []) => {
    if (!known.includes(text))
      throw new InvalidArgumentError(`there is no ${what} ${text}; there are ${known.join(', ')}.`)
    return [...before, text]
  }
}
