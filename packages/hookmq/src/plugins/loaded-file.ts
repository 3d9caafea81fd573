import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Term } from '@hookmq/api'
import { parseTerms, printTerm, TermError } from '@hookmq/kit'

/** One plugin that the file names. */
interface Entry {
  readonly name: string
  readonly enabled: boolean
  readonly term: Term
}

/**
 * The file that names the plugins which are loaded at the start, one term a line: `name.` as EMQ 2.x writes it, or `{name, true}.` and `{name, false}.`
 * as EMQX 4.x does. What is added is written in the form that the file has.
 */
export class LoadedFile {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /**
   * Names in the order of the file; a later `false` takes an earlier `true` back. A file that is not there is made, with the names given.
   * Throws what reading or writing threw, or a TermError.
   */
  read(initial: readonly string[] = []): string[] {
    if (!existsSync(this.#file)) this.#write(initial.map((name) => `${printName(name)}.\n`).join(''))
    const names = new Set<string>()
    for (const { name, enabled } of this.#entries()) {
      if (enabled) names.add(name)
      else names.delete(name)
    }
    return [...names]
  }

  /** Adds a name at the end unless the file has the plugin already, under any name that `same` knows it by. */
  add(name: string, same: (other: string) => boolean): void {
    const entries = this.#entries()
    if (this.#enabled(entries, same)) return
    const kept = this.#without(entries, (entry) => !entry.enabled && same(entry.name))
    const tuples = entries.some(({ term }) => term.type === 'tuple')
    const line = tuples ? `{${printName(name)}, true}.\n` : `${printName(name)}.\n`
    this.#write(kept === '' || kept.endsWith('\n') ? kept + line : `${kept}\n${line}`)
  }

  remove(same: (name: string) => boolean): void {
    const entries = this.#entries()
    if (!entries.some(({ name }) => same(name))) return
    this.#write(this.#without(entries, ({ name }) => same(name)))
  }

  #enabled(entries: readonly Entry[], same: (name: string) => boolean): boolean {
    let enabled = false
    for (const entry of entries) if (same(entry.name)) enabled = entry.enabled
    return enabled
  }

  #text(): string {
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : ''
  }

  #entries(): Entry[] {
    return parseTerms(this.#text(), this.#file).map((term) => {
      const [name, flag] = term.type === 'tuple' && term.elements.length === 2 ? term.elements : [term]
      const known = name.type === 'atom' || name.type === 'string' || name.type === 'binary'
      const right = flag === undefined || (flag.type === 'atom' && (flag.name === 'true' || flag.name === 'false'))
      if (!known || !right)
        throw new TermError(this.#file, term, 'name. or {name, true}. or {name, false}.', printTerm(term).slice(0, 80))
      return {
        name: name.type === 'atom' ? name.name : name.text,
        enabled: flag === undefined || (flag.type === 'atom' && flag.name === 'true'),
        term,
      }
    })
  }

  /** The file without some entries. Comments stay where every term has lines of its own. */
  #without(entries: readonly Entry[], drop: (entry: Entry) => boolean): string {
    const starts = entries.map(({ term }) => term.line)
    if (new Set(starts).size < starts.length)
      return entries
        .filter((entry) => !drop(entry))
        .map(({ term }) => `${printTerm(term)}.\n`)
        .join('')
    const lines = this.#text().split('\n')
    const dropped = new Set<number>()
    for (const entry of entries) {
      if (!drop(entry)) continue
      // Up to the line in which its full stop is: the next term and comments begin after it.
      let line = entry.term.line
      while (line <= lines.length) {
        dropped.add(line)
        if (/\.\s*(%.*)?$/.test(lines[line - 1])) break
        line++
      }
    }
    return lines.filter((_, index) => !dropped.has(index + 1)).join('\n')
  }

  /** Whole or not at all: a crash must not leave half a file. */
  #write(text: string): void {
    mkdirSync(dirname(this.#file), { recursive: true })
    const temporary = `${this.#file}.${process.pid}.new`
    writeFileSync(temporary, text)
    renameSync(temporary, this.#file)
  }
}

function printName(name: string): string {
  return printTerm({ type: 'atom', name, line: 1, column: 1 })
}
