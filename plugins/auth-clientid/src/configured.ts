import type { PluginSettings } from '@hookmq/api'

/** Passwords by client id. Of two entries for one client id the later one, in the order of their numbers as text, counts. */
export function configuredClients(settings: PluginSettings): Map<string, string> {
  const clients = new Map<string, string>()
  for (const { key, words } of settings.matching('auth.client.$n.clientid')) {
    const passwordKey = `auth.client.${words.n}.password`
    if (!settings.has(passwordKey)) throw new Error(`${key} is set and ${passwordKey} is not: write both, or neither`)
    clients.set(settings.text(key), settings.text(passwordKey))
  }
  for (const { key, words } of settings.matching('auth.client.$n.password')) {
    const nameKey = `auth.client.${words.n}.clientid`
    if (!settings.has(nameKey)) throw new Error(`${key} is set and ${nameKey} is not: write both, or neither`)
  }
  return clients
}
