import { createHash } from 'node:crypto'
import type { SettingTexts } from '../settings.ts'

/** What was changed while the plugin ran, on top of the servers in the file of settings. Kept as JSON. */
export interface Overlay {
  /** Names in the file when the order was changed, and the order then given to all. */
  readonly fileOrder: readonly string[]
  readonly order: readonly string[]
  readonly servers: Readonly<Record<string, OverlayEntry>>
}

export interface OverlayEntry {
  /** Fingerprint of what the file said of it when it was changed; absent: the file did not have it. */
  readonly file?: string
  /** Its keys; absent: it was deleted. */
  readonly texts?: SettingTexts
}

export const noOverlay: Overlay = { fileOrder: [], order: [], servers: {} }

/** A hash, because there may be a password among them. */
export function fingerprint(texts: SettingTexts): string {
  const sorted = Object.entries(texts).sort(([one], [other]) => (one < other ? -1 : 1))
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex')
}

/**
 * The servers that there are, in their order. What was changed counts until the file says something else of that server than it did then; a server
 * that has gone from the file is gone, and the order of the file counts again when the file names others or in another order.
 */
export function merge(
  file: ReadonlyMap<string, SettingTexts>,
  overlay: Overlay,
): { readonly servers: ReadonlyMap<string, SettingTexts>; readonly outdated: readonly string[] } {
  const found = new Map<string, SettingTexts>()
  const outdated: string[] = []
  for (const [name, texts] of file) {
    const entry = overlay.servers[name]
    if (entry === undefined) found.set(name, texts)
    else if (entry.file !== fingerprint(texts)) {
      outdated.push(name)
      found.set(name, texts)
    } else if (entry.texts !== undefined) found.set(name, entry.texts)
  }
  for (const [name, { file: seen, texts }] of Object.entries(overlay.servers)) {
    if (file.has(name)) continue
    if (seen !== undefined) outdated.push(name)
    else if (texts !== undefined) found.set(name, texts)
  }
  const fileOrder = [...file.keys()]
  const same =
    fileOrder.length === overlay.fileOrder.length && fileOrder.every((name, index) => name === overlay.fileOrder[index])
  const order = same ? overlay.order : [...fileOrder, ...overlay.order.filter((name) => !file.has(name))]
  const names = [
    ...order.filter((name) => found.has(name)),
    ...[...found.keys()].filter((name) => !order.includes(name)),
  ]
  return { servers: new Map(names.map((name) => [name, found.get(name) ?? {}])), outdated }
}

/** What the store had; `noOverlay` for what is none. */
export function readOverlay(value: unknown): Overlay {
  const names = (list: unknown): string[] => (Array.isArray(list) ? list.filter((one) => typeof one === 'string') : [])
  if (typeof value !== 'object' || value === null) return noOverlay
  const { fileOrder, order, servers } = value as Partial<Record<keyof Overlay, unknown>>
  const entries: Record<string, OverlayEntry> = {}
  for (const [name, entry] of Object.entries(servers ?? {})) {
    if (typeof entry !== 'object' || entry === null) continue
    const { file, texts } = entry as Partial<Record<keyof OverlayEntry, unknown>>
    entries[name] = {
      ...(typeof file === 'string' ? { file } : {}),
      ...(typeof texts === 'object' && texts !== null ? { texts: onlyTexts(texts) } : {}),
    }
  }
  return { fileOrder: names(fileOrder), order: names(order), servers: entries }
}

function onlyTexts(object: object): SettingTexts {
  return Object.fromEntries(
    Object.entries(object).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
