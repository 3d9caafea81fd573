import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Clause } from './clause.ts'
import { mqtt311 } from './mqtt-3.1.1.ts'
import { mqtt5 } from './mqtt-5.0.ts'

const root = join(import.meta.dirname, '..', '..')
const searched = ['packages', 'listeners', 'stores', 'plugins', 'test']
const passedOver = new Set(['node_modules', 'dist', 'clauses'])

export interface Report {
  readonly clauses: readonly Clause[]
  /** Files of each tagged id. */
  readonly tagged: ReadonlyMap<string, readonly string[]>
  /** Bind a server, are tagged nowhere, and name no reason. */
  readonly missing: readonly Clause[]
  /** Name a reason and are tagged all the same: the reason is wrong. */
  readonly contradicted: readonly Clause[]
  /** 'path:line [MQTT-…]' of tags that are in neither list. */
  readonly unknown: readonly string[]
}

/** Looks for `[MQTT-3.3.1-5]` and `[MQTT-3.3.1-5 v3.1.1]` in the sources and the tests. */
export function report(): Report {
  const clauses = [...mqtt5, ...mqtt311]
  const known = new Set(clauses.map(({ id }) => id))
  const tagged = new Map<string, string[]>()
  const unknown: string[] = []
  for (const path of searched.flatMap((folder) => sources(join(root, folder)))) {
    const name = relative(root, path)
    for (const [index, line] of readFileSync(path, 'utf8').split('\n').entries()) {
      for (const [, id] of line.matchAll(/\[(MQTT-[^\]]*)\]/g)) {
        if (!known.has(id)) unknown.push(`${name}:${index + 1} [${id}]`)
        const files = tagged.get(id) ?? []
        if (!files.includes(name)) files.push(name)
        tagged.set(id, files)
      }
    }
  }
  const untagged = clauses.filter(({ id }) => !tagged.has(id))
  return {
    clauses,
    tagged,
    missing: untagged.filter(({ binds, untaggable }) => binds !== 'client' && untaggable === undefined),
    contradicted: clauses.filter(({ id, untaggable }) => untaggable !== undefined && tagged.has(id)),
    unknown,
  }
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (passedOver.has(entry.name)) return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.[cm]?ts$/.test(entry.name) ? [path] : []
  })
}

function print({ clauses, tagged, missing, contradicted, unknown }: Report): void {
  const bound = clauses.filter(({ binds }) => binds !== 'client')
  const reasons = bound.filter(({ untaggable }) => untaggable !== undefined)
  console.log(
    `${clauses.length} statements, ${bound.length} bind a server, ${bound.length - reasons.length - missing.length} of them tagged`,
  )
  console.log(`${reasons.length} cannot be tagged:`)
  for (const { id, untaggable } of reasons) console.log(`  [${id}] ${untaggable}`)
  console.log(`${missing.length} missing:`)
  for (const { id, summary } of missing) console.log(`  [${id}] ${summary}`)
  for (const { id, untaggable } of contradicted) {
    console.log(`[${id}] is tagged in ${tagged.get(id)?.join(', ')}, but its list says: ${untaggable}`)
  }
  for (const place of unknown) console.log(`unknown tag ${place}`)
}

if (import.meta.main) {
  const result = report()
  print(result)
  if (result.missing.length + result.contradicted.length + result.unknown.length > 0) process.exitCode = 1
}
