import type { PluginSettings } from '@hookmq/api'

/** Passwords by user name, from both forms. Of two entries for one user the first, in the order of their keys as text, counts. */
export function configuredUsers(settings: PluginSettings): Map<string, string> {
  const users = new Map<string, string>()
  const add = (name: string, passwordKey: string): void => {
    if (!users.has(name)) users.set(name, settings.text(passwordKey))
  }
  for (const { key, words } of settings.matching('auth.user.$n.username')) {
    const passwordKey = `auth.user.${words.n}.password`
    if (!settings.has(passwordKey)) throw new Error(`${key} is set and ${passwordKey} is not: write both, or neither`)
    add(settings.text(key), passwordKey)
  }
  for (const { key, words } of settings.matching('auth.user.$n.password')) {
    const nameKey = `auth.user.${words.n}.username`
    if (!settings.has(nameKey)) throw new Error(`${key} is set and ${nameKey} is not: write both, or neither`)
  }
  for (const { key, words } of settings.matching('auth.username.$name')) add(words.name, key)
  return users
}
