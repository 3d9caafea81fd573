import { formatAddress, isLoopback } from '@hookmq/kit'
import { ConfigError } from './error.ts'
import type { Config } from './load.ts'

/**
 * What is not safe about a configuration, one line each: a listener that other machines reach while nobody checks who
 * connects, and nobody wrote down that this is meant.
 * @param hasAuthenticator a plugin that authenticates clients is loaded
 */
export function safetyProblems(config: Config, hasAuthenticator = false): string[] {
  const decided = config.sources.has('allow_anonymous')
  if (hasAuthenticator || decided || config.options.allowAnonymous !== true) return []
  const problems: string[] = []
  for (const { id, kind, name, address } of config.listeners) {
    if ('path' in address || isLoopback(address.host)) continue
    const key = `listener.${kind}.${name.replaceAll('.', '\\.')}`
    const problem =
      `${id} would let in everybody who can reach ${formatAddress(address)}; ` +
      'load an authentication plugin, or write allow_anonymous = true if that is meant'
    problems.push(new ConfigError(config.sources.get(key) ?? { kind: 'default' }, key, problem).message)
  }
  return problems
}
