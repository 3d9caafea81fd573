import type { BrokerAdmin } from '@hookmq/api'

/** Words that are offered at most: more help nobody. */
const maxWords = 200
/** Clients that are looked at: completion must not hold up a broker with a million of them. */
const maxLooked = 20_000

/** Live names for what usage lines write in angle brackets. */
const sources: Readonly<Record<string, (admin: BrokerAdmin) => Iterable<string>>> = {
  ClientId: function* (admin) {
    for (const { client } of admin.clients()) yield client.clientId
  },
  Plugin: (admin) => admin.plugins().map(nameOf),
  Module: (admin) => admin.plugins().map(nameOf),
  Identifier: (admin) => admin.listeners().map(({ id }) => `mqtt:${id}`),
  Topic: (admin) => admin.topics(),
  Point: (admin) => admin.hooks().map(({ point }) => point),
  Level: () => ['debug', 'info', 'warning', 'error'],
  QoS: () => ['0', '1', '2'],
  Node: (admin) => [admin.node],
}

function nameOf({ name, alias }: { name: string; alias?: string }): string {
  return alias ?? name
}

/**
 * The words that can stand where the last of `words` stands, as far as it is typed: commands, what their usage lines have at
 * this place, and living names for what stands there in angle brackets. Works for every command that says how it is used.
 */
export function complete(admin: BrokerAdmin, words: readonly string[]): string[] {
  const typed = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  if (before.length === 0) {
    const names = admin.commands().filter(({ usage }) => usage.length > 0)
    return fitting([...names.map(({ name }) => name), 'help'], typed)
  }
  const command = admin.commands().find(({ name }) => name === before[0])
  const found = new Set<string>()
  for (const [usage] of command?.usage ?? []) {
    const tokens = usage.split(/\s+/).map((token) => token.replace(/^\[(.*)\]$/, '$1'))
    if (tokens.length <= before.length || !before.every((word, index) => allows(tokens[index], word))) continue
    for (const word of offered(admin, tokens[before.length], typed)) {
      found.add(word)
      if (found.size === maxWords) return [...found]
    }
  }
  return [...found]
}

function placeholder(token: string): string | undefined {
  return /^<(.+)>$/.exec(token)?.[1]
}

function allows(token: string, word: string): boolean {
  return placeholder(token) !== undefined || token.split('|').includes(word)
}

function offered(admin: BrokerAdmin, token: string, typed: string): string[] {
  const name = placeholder(token)
  if (name === undefined) return fitting(token.split('|'), typed)
  return Object.hasOwn(sources, name) ? fitting(sources[name](admin), typed) : []
}

function fitting(words: Iterable<string>, typed: string): string[] {
  const fit: string[] = []
  let looked = 0
  for (const word of words) {
    if (word.startsWith(typed) && !/[\n\r\0]/.test(word)) fit.push(word)
    if (fit.length === maxWords || ++looked === maxLooked) break
  }
  return fit
}
