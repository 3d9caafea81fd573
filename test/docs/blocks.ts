import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../templates/copy.ts'

/** A fenced block of a page. */
export interface Block {
  readonly language: string
  /** The second word of the fence. */
  readonly file: string | undefined
  readonly text: string
  /** page:line */
  readonly place: string
}

/** The fenced blocks of a page below docs/. */
export function blocksOf(page: string): Block[] {
  const text = readFileSync(join(projectRoot, 'docs', page), 'utf8')
  return [...text.matchAll(/^```(\w+)(?: (\S+))?\n([\s\S]*?)^```$/gm)].map(
    ({ 1: language, 2: file, 3: block, index }) => ({
      language,
      file,
      text: block,
      place: `docs/${page}:${text.slice(0, index).split('\n').length}`,
    }),
  )
}

/** Lines that begin with `$ `, each with what it prints: the lines up to the next. */
export function commandsOf(text: string): { command: string; output: string }[] {
  return text
    .split(/^\$ /m)
    .filter((part) => part.trim() !== '')
    .map((part) => {
      const end = part.indexOf('\n')
      return { command: part.slice(0, end).trim(), output: part.slice(end + 1).trim() }
    })
}

/** `…` stands for anything: within a line for a part of it, alone for any number of lines. Nothing expected: anything will do. */
export function matches(printed: string, expected: string): boolean {
  if (expected.trim() === '') return true
  const pattern = expected
    .trim()
    .split('\n')
    .map((line) => {
      if (line.trim() === '…') return '(?:.*\\n)*?'
      const parts = line.trimEnd().split('…')
      return `${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*')}\\n`
    })
    .join('')
  return new RegExp(`^${pattern}$`).test(`${printed.trim()}\n`)
}

/** Words as a shell would see them. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, plain]) => double ?? single ?? plain,
  )
}
