import { InvalidArgumentError } from 'commander'

/** `--exhook URL` or `--exhook NAME=URL`. */
export interface ExHookFlag {
  /** undefined: it was not given one. */
  readonly name: string | undefined
  readonly url: string
}

const form = /^(?:([A-Za-z0-9][A-Za-z0-9_-]*)=)?(https?:\/\/(?:\[[0-9a-fA-F:.]+\]|[^\s:/?#@[\]]+):\d{1,5})\/?$/

export function collectExHook(text: string, before: readonly ExHookFlag[]): ExHookFlag[] {
  const found = form.exec(text)
  if (found === null)
    throw new InvalidArgumentError('expected http://HOST:PORT or https://HOST:PORT, or NAME= before it.')
  return [...before, { name: found[1], url: found[2] }]
}

/** The settings of the plugin exhook that these mean. Servers without a name are called default, default2 and so on. */
export function exhookSettings(flags: readonly ExHookFlag[]): string[] {
  const taken = new Set(flags.map(({ name }) => name))
  let unnamed = 0
  const nextName = (): string => {
    unnamed++
    const name = unnamed === 1 ? 'default' : `default${unnamed}`
    return taken.has(name) ? nextName() : name
  }
  return flags.map(({ name, url }) => `plugin.exhook.exhook.server.${name ?? nextName()}.url=${url}`)
}
